//! How a connection is made: to which server, over TLS or not, and what is asked of it before it is used.

use std::{future::Future, sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject as _};
use sessions_policy::{Pooler, PostgresAddress, PostgresTls};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, config::SslMode, config::TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    failure::{Failure, Server},
    link::Link,
    statement::Call,
};

/// The oldest version of PostgreSQL that has what the schema needs.
const OLDEST: u32 = 12;

/// What makes connections.
pub(super) struct Dial {
    server: Server,
    config: Config,
    tls: MakeRustlsConnect,
    pooler: Pooler,
    limit: Duration,
    with_outbox: bool,
}

impl Dial {
    pub(super) fn new(address: &PostgresAddress, pooler: Pooler, limit: Duration) -> Result<Self, Failure> {
        let mut config: Config =
            address.expose().parse().map_err(|_| Failure::address("can't be read: check its parameters"))?;
        config
            // A standby would answer what was true a while ago, and refuse every write.
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(limit)
            .keepalives_idle(Duration::from_secs(10))
            .tcp_user_timeout(limit * 2);
        if config.get_application_name().is_none() {
            config.application_name("sessions");
        }
        let (mode, roots) = if address.tls() == PostgresTls::Off {
            (SslMode::Disable, RootCertStore::empty())
        } else {
            (SslMode::Require, authorities(address)?)
        };
        config.ssl_mode(mode);
        let tls = connector(roots)?;
        let server = Server(address.to_string());
        Ok(Self { server, config, tls, pooler, limit, with_outbox: false })
    }

    /// For a store that keeps an outbox, or doesn't.
    pub(super) fn with_outbox(mut self, with_outbox: bool) -> Self {
        self.with_outbox = with_outbox;
        self
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// How long an operation may take.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// How long a statement may run or wait for locks.
    pub(super) fn patience(&self) -> Duration {
        self.limit * 3 / 4
    }

    /// A connection on which nothing is set up yet, and the task that moves its bytes.
    pub(super) async fn plain(&self) -> Result<(Client, JoinHandle<()>), Failure> {
        self.in_time(async {
            let (client, connection) =
                self.config.connect(self.tls.clone()).await.map_err(|error| self.failed(&error))?;
            self.check_version(connection.parameter("server_version").unwrap_or_default())?;
            let driver = tokio::spawn(async {
                // Who waits for an answer is told.
                let _ = connection.await;
            });
            Ok((client, driver))
        })
        .await
    }

    /// A connection that is ready for operations, and the task that moves its bytes.
    pub(super) async fn link(&self) -> Result<(Link, JoinHandle<()>), Failure> {
        self.in_time(async {
            let (client, driver) = self.plain().await?;
            let failed = |error| self.failed(&error);
            let is_ours_alone = self.pooler == Pooler::None;
            if is_ours_alone {
                client.batch_execute(&self.settings()).await.map_err(failed)?;
            }
            let named = match (is_ours_alone, self.with_outbox) {
                (false, _) => 0,
                (true, false) => Call::WITHOUT_OUTBOX,
                (true, true) => Call::ALL.len(),
            };
            let link = Link::ready(client, &Call::ALL[..named]).await.map_err(failed)?;
            Ok((link, driver))
        })
        .await
    }

    /// What holds for every statement of a connection. A pooler would hand it to others, so the functions see to what
    /// matters most themselves.
    fn settings(&self) -> String {
        let patience = self.patience().as_millis();
        format!(
            "SET default_transaction_isolation = 'read committed'; SET statement_timeout = {patience}; \
             SET lock_timeout = {patience}; SET idle_in_transaction_session_timeout = {patience}"
        )
    }

    async fn in_time<T>(&self, step: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        // Boxed: the driver's future is large, and this is rare.
        match Box::pin(tokio::time::timeout(self.limit, step)).await {
            Ok(done) => done,
            Err(_) => Err(Failure::slow(&self.server)),
        }
    }

    fn failed(&self, error: &tokio_postgres::Error) -> Failure {
        Failure::of_connecting(error, &self.server)
    }

    fn check_version(&self, version: &str) -> Result<(), Failure> {
        let major = version.split(|c: char| !c.is_ascii_digit()).next().and_then(|major| major.parse().ok());
        match major {
            Some(major) if (0..OLDEST).contains(&major) => Err(Failure::too_old(&self.server, version)),
            // A pooler may tell a version of its own.
            _ => Ok(()),
        }
    }
}

/// Whose certificates are accepted: those of one file, or of the system.
fn authorities(address: &PostgresAddress) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = address.authority() {
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| Failure::certificates(&format!("`{}`: {error}", path.display())))?;
        roots.add_parsable_certificates(certificates);
    } else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
    }
    if roots.is_empty() {
        return Err(Failure::certificates(
            &"there is none: install `ca-certificates`, or name a file by `sslrootcert`",
        ));
    }
    Ok(roots)
}

/// TLS that checks the server's certificate and name.
fn connector(roots: RootCertStore) -> Result<MakeRustlsConnect, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::certificates(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
