//! How a connection is made: to which server, over TLS or not, and what is asked of it before it is used.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject as _};
use sessions_policy::{ClientCertificate, Pooler, PostgresAddress, PostgresTls};
use tokio::task::{JoinHandle, JoinSet};
use tokio_postgres::{
    AsyncMessage, Client, Config,
    config::{Host, SslMode, TargetSessionAttrs},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    super::identity,
    failure::{Failure, Server},
    link::Link,
    statement::{Call, LISTEN},
};

/// The oldest version of PostgreSQL that has what the schema needs.
const OLDEST: u32 = 12;

/// What a connection calls itself, unless the address says otherwise.
const NAME: &str = "sessions";

/// What makes connections.
pub(super) struct Dial {
    server: Server,
    /// One for each host.
    hosts: Vec<Config>,
    tls: MakeRustlsConnect,
    pooler: Pooler,
    limit: Duration,
    with_outbox: bool,
}

impl Dial {
    pub(super) fn new(
        address: &PostgresAddress,
        certificate: Option<&ClientCertificate>,
        pooler: Pooler,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let mut config: Config =
            address.expose().parse().map_err(|_| Failure::address("can't be read: check its parameters"))?;
        config
            // A standby would answer what was true a while ago, and refuse every write.
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(limit)
            .keepalives_idle(Duration::from_secs(10))
            .tcp_user_timeout(limit * 2);
        if config.get_application_name().is_none() {
            config.application_name(NAME);
        }
        let (mode, roots) = if address.tls() == PostgresTls::Off {
            (SslMode::Disable, RootCertStore::empty())
        } else {
            (SslMode::Require, authorities(address)?)
        };
        config.ssl_mode(mode);
        let tls = connector(roots, certificate)?;
        let server = Server(address.to_string());
        Ok(Self { server, hosts: each_host(&config), tls, pooler, limit, with_outbox: false })
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
        self.plain_of(self.hosts.clone(), |_| {}).await
    }

    /// A connection of its own that hears of endings: `hear` is given each word and does not wait.
    pub(super) async fn ear(
        &self,
        hear: impl FnMut(&str) + Send + 'static,
    ) -> Result<(Client, JoinHandle<()>), Failure> {
        let mut hosts = self.hosts.clone();
        for host in &mut hosts {
            if host.get_application_name() == Some(NAME) {
                host.application_name("sessions-endings");
            }
        }
        self.in_time(async {
            let (client, driver) = self.plain_of(hosts, hear).await?;
            client.batch_execute(LISTEN).await.map_err(|error| self.failed(&error))?;
            Ok((client, driver))
        })
        .await
    }

    /// Whether one can hear of endings: a pooler gives each statement to another server process.
    pub(super) fn can_hear(&self) -> bool {
        self.pooler != Pooler::Transaction
    }

    /// A connection to the first of the hosts that takes one and is the primary.
    async fn plain_of(
        &self,
        hosts: Vec<Config>,
        mut hear: impl FnMut(&str) + Send + 'static,
    ) -> Result<(Client, JoinHandle<()>), Failure> {
        self.in_time(async {
            let connect = |host: Config| {
                let tls = self.tls.clone();
                async move { host.connect(tls).await }
            };
            let mut tried: JoinSet<_> = hosts.into_iter().map(connect).collect();
            let mut last = None;
            while let Some(joined) = tried.join_next().await {
                let (client, mut connection) = match joined {
                    Ok(Ok(connected)) => connected,
                    Ok(Err(error)) => {
                        last = Some(self.failed(&error));
                        continue;
                    }
                    Err(_) => continue,
                };
                self.check_version(connection.parameter("server_version").unwrap_or_default())?;
                let driver = tokio::spawn(async move {
                    // Who waits for an answer is told of its end.
                    while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                        if let AsyncMessage::Notification(told) = message {
                            hear(told.payload());
                        }
                    }
                });
                return Ok((client, driver));
            }
            Err(last.unwrap_or_else(|| Failure::slow(&self.server)))
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

/// What leads to each host alone. All are tried at once: one that takes a connection and says nothing, as a machine does
/// that has lost its disk, would take all the time, and leave none for the one that has taken its place.
fn each_host(config: &Config) -> Vec<Config> {
    let (names, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = names.len().max(addresses.len());
    if count < 2 {
        return vec![config.clone()];
    }
    let of = |place: usize| {
        let mut one = Config::new();
        one.target_session_attrs(config.get_target_session_attrs())
            .ssl_mode(config.get_ssl_mode())
            .channel_binding(config.get_channel_binding())
            .keepalives_idle(config.get_keepalives_idle());
        match names.get(place) {
            Some(Host::Tcp(name)) => drop(one.host(name)),
            #[cfg(unix)]
            Some(Host::Unix(path)) => drop(one.host_path(path)),
            _ => {}
        }
        if let Some(address) = addresses.get(place) {
            one.hostaddr(*address);
        }
        // One port is everyone's.
        if let Some(port) = ports.get(place).or(ports.first()) {
            one.port(*port);
        }
        if let Some(user) = config.get_user() {
            one.user(user);
        }
        if let Some(password) = config.get_password() {
            one.password(password);
        }
        if let Some(database) = config.get_dbname() {
            one.dbname(database);
        }
        if let Some(options) = config.get_options() {
            one.options(options);
        }
        if let Some(name) = config.get_application_name() {
            one.application_name(name);
        }
        if let Some(timeout) = config.get_connect_timeout() {
            one.connect_timeout(*timeout);
        }
        if let Some(timeout) = config.get_tcp_user_timeout() {
            one.tcp_user_timeout(*timeout);
        }
        one
    };
    (0..count).map(of).collect()
}

/// TLS that checks the server's certificate and name, and shows the client's where there is one.
fn connector(
    roots: RootCertStore,
    certificate: Option<&ClientCertificate>,
) -> Result<MakeRustlsConnect, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::certificates(&error))?
        .with_root_certificates(roots);
    let config = identity::prove(builder, certificate).map_err(|error| Failure::identity(&error))?;
    Ok(MakeRustlsConnect::new(config))
}
