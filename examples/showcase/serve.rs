//! Starting and stopping: where the server listens, what it logs, and how it ends without cutting anyone off.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use axum::{
    Extension, Router,
    extract::{ConnectInfo, Request},
    middleware::{self, Next},
    response::Response,
};
use sessions::Peer;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    time,
};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::policies;

const ADDRESS: &str = "SHOWCASE_ADDR";
const DEFAULT_ADDRESS: &str = "127.0.0.1:3000";
/// How long requests in flight may take once the server stops.
const GRACE: Duration = Duration::from_secs(4);
/// How long open sockets may take to say goodbye, beside the requests.
const GOODBYE: Duration = Duration::from_secs(3);
/// How long the stores may take after that.
const FLUSH: Duration = Duration::from_millis(500);

/// Logs to standard error what `RUST_LOG` asks for, else warnings and errors.
pub(crate) fn log_to_stderr() {
    let asked = env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let targets = asked.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN));
    let lines =
        tracing_subscriber::fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(io::stderr);
    tracing_subscriber::registry().with(lines).with(targets).init();
}

/// Serves until the process is told to stop.
pub(crate) async fn run(router: Router, registry: &policies::Registry) -> ExitCode {
    let address = match address() {
        Ok(address) => address,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = serve(address, router, registry).await {
        eprintln!("error: can't serve on {address}: {error}");
        return ExitCode::FAILURE;
    }
    match time::timeout(FLUSH, registry.shutdown()).await {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
        Err(_) => {
            eprintln!("error: the session stores did not shut down within {FLUSH:?}");
            ExitCode::FAILURE
        }
    }
}

fn address() -> Result<SocketAddr, String> {
    let text = match env::var(ADDRESS) {
        Ok(text) => text,
        Err(env::VarError::NotPresent) => DEFAULT_ADDRESS.to_owned(),
        Err(env::VarError::NotUnicode(_)) => return Err(format!("error: {ADDRESS}: the value is not UTF-8")),
    };
    text.parse().map_err(|_| {
        format!(
            "error: {ADDRESS}: `{text}` is no address\n  help: write an IP address and a port, such as `{DEFAULT_ADDRESS}`"
        )
    })
}

/// Tells what answers for long that the server stops.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Waits until it is to stop.
    pub(crate) async fn asked(&mut self) {
        // No one can ask any more when the sender is gone: the server has ended.
        let _ = self.0.wait_for(|is_asked| *is_asked).await;
    }
}

/// Tells the session layer where a request comes from: the development profile serves this machine alone.
async fn peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Peer(address.ip()));
    next.run(request).await
}

/// Accepts until the signal, then lets requests in flight finish, but never waits for longer than [`GRACE`].
async fn serve(address: SocketAddr, router: Router, registry: &policies::Registry) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let stop = stop_signal()?;
    let ((tell, stopping), (tell_sockets, sockets)) = (oneshot::channel(), oneshot::channel());
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    let (ask, asked) = watch::channel(false);
    let router = router.layer(Extension(Stopping(asked)));
    let service = router.layer(middleware::from_fn(peer)).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(async move {
        stop.await;
        ask.send_replace(true);
        // No one listens any more when the server has failed already.
        let _ = tell.send(());
        let _ = tell_sockets.send(());
    });
    // The server doesn't wait for sockets.
    let goodbye = async {
        if sockets.await.is_ok() {
            registry.close_watches(GOODBYE).await;
        }
    };
    let served = async { tokio::join!(async { served.await }, goodbye).0 };
    let overdue = async {
        if stopping.await.is_err() {
            std::future::pending::<()>().await;
        }
        time::sleep(GRACE).await;
    };
    tokio::select! {
        result = served => result,
        () = overdue => Ok(()),
    }
}

/// Resolves at SIGTERM or ctrl-c. From this call on, neither ends the process by itself.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Resolves at ctrl-c.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
