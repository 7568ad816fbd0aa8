//! Starting and stopping: where the server listens, what it logs, and how it ends without cutting anyone off.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    time::Duration,
};

use actix_web::{App, HttpServer, web::Data};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::{policies, routes};

const ADDRESS: &str = "SHOWCASE_ADDR";
const DEFAULT_ADDRESS: &str = "127.0.0.1:3000";
/// How long requests in flight may take once the server stops.
const GRACE: Duration = Duration::from_secs(4);

/// Logs to standard error what `RUST_LOG` asks for, else warnings and errors.
pub(crate) fn log_to_stderr() {
    let asked = env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let targets = asked.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN));
    let lines =
        tracing_subscriber::fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(io::stderr);
    tracing_subscriber::registry().with(lines).with(targets).init();
}

/// Serves until the process is told to stop.
pub(crate) async fn run(registry: &policies::Registry) -> ExitCode {
    let address = env::var(ADDRESS).unwrap_or_else(|_| DEFAULT_ADDRESS.to_owned());
    let Ok(address) = address.parse::<SocketAddr>() else {
        eprintln!(
            "error: {ADDRESS}: `{address}` is no address\n  help: write one such as `{DEFAULT_ADDRESS}`"
        );
        return ExitCode::from(2);
    };
    if let Err(error) = serve(address, registry).await {
        eprintln!("error: can't serve on {address}: {error}");
        return ExitCode::FAILURE;
    }
    // After the server, whose requests need the stores.
    match registry.shutdown().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: SocketAddr, registry: &policies::Registry) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    let app = {
        let registry = registry.clone();
        move || App::new().app_data(Data::new(registry.clone())).configure(routes(&registry))
    };
    HttpServer::new(app).shutdown_timeout(GRACE.as_secs()).listen(listener)?.run().await
}
