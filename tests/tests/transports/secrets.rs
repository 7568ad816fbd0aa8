//! No id in a log, an error, an event or a `Debug`, whichever carrier brought it.

use std::{
    fmt::Write as _,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use tracing::Level;

use super::*;

/// What is logged.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text after the last dot is the secret.
fn secret_of(id: &str) -> &str {
    id.rsplit('.').next().unwrap()
}

#[tokio::test]
async fn no_id_is_ever_told() {
    let log = Log::default();
    let kept = log.clone();
    let lines = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(move || kept.clone());
    let _guard = tracing::subscriber::set_default(lines.finish());

    let server = Server::start().await;
    let mut events = server.registry.subscribe(256, |_| true);
    let mut ids = Vec::new();
    for path in ["/api", "/both", "/device"] {
        let (header, by) = match path {
            "/api" => ("x-api", "authorization"),
            "/both" => ("x-both", "authorization"),
            _ => ("x-device", "x-device"),
        };
        let first = match path {
            "/both" => server.send("/both/login-by-program", &[]).await,
            _ => server.send(&format!("{path}/login"), &[]).await,
        };
        let told = first.id(header).unwrap();
        let presented = if path == "/device" { told.clone() } else { bearer(&told) };
        ids.push(told);
        let twice = [(by, presented.as_str()), (by, presented.as_str())];
        let fields = [(by, presented.as_str()), ("cookie", "__Host-Http-both=x; __Host-Http-device=x")];
        server.send(&format!("{path}/office"), &[(by, &presented)]).await;
        server.send(&format!("{path}/me"), &twice).await;
        server.send(&format!("{path}/me"), &fields).await;
        let rotated = server.send(&format!("{path}/rotate"), &[(by, &presented)]).await;
        ids.push(rotated.id(header).unwrap());
        assert!(!format!("{:?}", rotated.headers).contains(secret_of(&ids[ids.len() - 1])));
        server.store.set_down(true);
        let down = server.send(&format!("{path}/me"), &[(by, &presented)]).await;
        server.store.set_down(false);
        assert!(!down.body.contains(secret_of(&ids[0])));
        // An id from before: reported, and never by its text.
        server.send(&format!("{path}/logout"), &[(by, &presented)]).await;
    }
    let mut told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    while let Ok(Some(event)) = tokio::time::timeout(std::time::Duration::ZERO, events.recv()).await {
        write!(told, "{event:?}").unwrap();
    }
    assert!(told.contains("the session store failed"), "the log was kept: {told}");
    for id in &ids {
        assert!(!told.contains(secret_of(id)), "{told}");
    }
}
