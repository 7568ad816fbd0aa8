//! One connection to one server, with what is asked over it and what its answers say of the server's clock. Nothing is
//! ever sent twice here: whether to ask again is the caller's to decide, who knows what a lost answer means.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use redis::{
    AsyncConnectionConfig, Cmd, Pipeline, ProtocolVersion, PushInfo, RedisConnectionInfo, RedisError,
    ServerError, Value, aio::MultiplexedConnection,
};
use sessions_policy::SentinelUser;
use socket2::{SockRef, TcpKeepalive};
use tokio::{io::AsyncWrite, net::TcpStream, sync::mpsc::UnboundedSender, task::AbortHandle, time};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{
    clock::Clock,
    counted::{Counted, Written},
    failure::{Failure, server_error},
    operation::number,
    scripts,
};

/// A silent peer is asked after this time, and this often.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(5));
/// Bytes that no one acknowledges for so long end the connection.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);
/// How many questions may wait until the connection's task takes them.
const WAITING: usize = 1_024;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Node {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How connections are made.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) tls: Option<TlsConnector>,
    pub(super) username: Option<String>,
    pub(super) password: Option<zeroize::Zeroizing<String>>,
    pub(super) database: u16,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Access {
    /// The same for a server that keeps no sessions and has other users, or none, such as a Sentinel.
    pub(super) fn with_user(&self, user: Option<&SentinelUser>) -> Self {
        let username = user.and_then(SentinelUser::username).map(str::to_owned);
        let password = user.map(|user| user.password().to_owned().into());
        Self { username, password, ..self.elsewhere() }
    }

    /// The same for a server that has one database.
    pub(super) fn elsewhere(&self) -> Self {
        Self { database: 0, ..self.clone() }
    }

    fn info(&self) -> RedisConnectionInfo {
        let mut info = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_db(i64::from(self.database))
            .set_lib_name("sessions", env!("CARGO_PKG_VERSION"));
        if let Some(username) = &self.username {
            info = info.set_username(username);
        }
        if let Some(password) = &self.password {
            info = info.set_password(password.as_str());
        }
        info
    }
}

/// A connection.
pub(super) struct Wire {
    pub(super) node: Node,
    pub(super) clock: Clock,
    connection: MultiplexedConnection,
    driver: AbortHandle,
    written: Written,
    is_up: Arc<AtomicBool>,
    opened: Instant,
    /// When something came from the server last, in microseconds after it was opened.
    heard: AtomicU64,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Says that a connection has ended, however its task did.
struct Ending(Arc<AtomicBool>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// What goes along with a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Along {
    /// Its slot is being moved to the server that is asked.
    pub(super) is_moving: bool,
    /// Its answer counts once a replica has what it wrote.
    pub(super) waits: bool,
}

/// What came of a question.
pub(super) enum Answer {
    /// A value.
    Value(Value),
    /// The server refused.
    Refused(ServerError),
}

impl Wire {
    /// Connects, and shows who it is.
    pub(super) async fn open(node: &Node, access: &Access) -> Result<Self, Failure> {
        Self::open_with(node, access, AsyncConnectionConfig::new()).await
    }

    /// The same; `hear` is given what the server sends unasked, up to the end of the connection, and does not wait.
    pub(super) async fn open_ear(
        node: &Node,
        access: &Access,
        hear: impl Fn(PushInfo) + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        let hear = move |word| {
            hear(word);
            Ok::<_, std::convert::Infallible>(())
        };
        Self::open_with(node, access, AsyncConnectionConfig::new().set_push_sender(hear)).await
    }

    /// The same; what the server sends unasked goes to `tell`, if there is one.
    pub(super) async fn open_telling(
        node: &Node,
        access: &Access,
        tell: Option<UnboundedSender<PushInfo>>,
    ) -> Result<Self, Failure> {
        let config = AsyncConnectionConfig::new();
        let config = match tell {
            Some(tell) => config.set_push_sender(tell),
            None => config,
        };
        Self::open_with(node, access, config).await
    }

    async fn open_with(node: &Node, access: &Access, config: AsyncConnectionConfig) -> Result<Self, Failure> {
        let unreachable = |why: &dyn fmt::Display| Failure::unreachable(node, why);
        let stream =
            TcpStream::connect((node.host.as_str(), node.port)).await.map_err(|e| unreachable(&e))?;
        set_up(&stream).map_err(|error| unreachable(&error))?;
        let written = Written::default();
        let (connection, driver) = match &access.tls {
            None => speak(Counted::new(stream, written.clone()), access, config).await,
            Some(tls) => {
                let name = ServerName::try_from(node.host.clone()).map_err(|error| unreachable(&error))?;
                let stream = tls.connect(name, stream).await.map_err(|error| unreachable(&error))?;
                speak(Counted::new(stream, written.clone()), access, config).await
            }
        }
        .map_err(|error| match server_error(&error) {
            Some(refused) => Failure::refused(node, &refused),
            None => unreachable(&error),
        })?;
        let is_up = Arc::new(AtomicBool::new(true));
        let ending = Ending(Arc::clone(&is_up));
        let driver = tokio::spawn(async move {
            let _ending = ending;
            driver.await;
        })
        .abort_handle();
        let opened = Instant::now();
        // Before any time is known, every deadline has passed.
        let clock = Clock::new(i64::MIN / 2, opened);
        let heard = AtomicU64::new(0);
        Ok(Self { node: node.clone(), clock, connection, driver, written, is_up, opened, heard })
    }

    /// Learns the server's time and teaches it the scripts.
    pub(super) async fn prepare(&self) -> Result<(), Failure> {
        let mut pipeline = Pipeline::new();
        scripts::load(&mut pipeline);
        pipeline.cmd("TIME");
        let answers = self.ask_all(&pipeline, pipeline.len()).await?;
        if let Some(Value::Array(time)) = answers.last()
            && let Some(micros) = micros(time)
        {
            self.clock.set(micros, Instant::now());
        }
        Ok(())
    }

    /// Whether it can be used as far as anyone knows.
    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Acquire)
    }

    /// Gives it up: who waits for an answer has lost it.
    pub(super) fn cut(&self) {
        self.is_up.store(false, Ordering::Release);
        self.driver.abort();
    }

    /// Asks once, and waits until an instant. Where nothing at all has come from the server since it was asked, the
    /// connection is given up: on one whose other end has gone, nothing else would notice for minutes.
    pub(super) async fn ask(&self, command: &Cmd, until: time::Instant) -> Result<Answer, Failure> {
        if !self.is_up() {
            return Err(Failure::unreachable(&self.node, &"the connection was closed"));
        }
        let (asked, written) = (self.now(), self.written.bytes());
        let mut connection = self.connection.clone();
        let answer = time::timeout_at(until, connection.send_packed_command(command)).await;
        match self.heard(asked, answer)? {
            Ok(Value::ServerError(error)) => Ok(Answer::Refused(error)),
            Ok(value) => Ok(Answer::Value(value)),
            Err(error) => self.failed(&error, written),
        }
    }

    /// The same with what has to go along: before it that it is for a slot which is being moved here, after it the wait for
    /// a replica. A connection on which someone waits answers no one else meanwhile.
    pub(super) async fn ask_along(
        &self,
        command: &Cmd,
        along: Along,
        until: time::Instant,
    ) -> Result<Answer, Failure> {
        if along == Along::default() {
            return self.ask(command, until).await;
        }
        // Boxed: rarely needed, and large.
        Box::pin(self.ask_in_company(command, along, until)).await
    }

    async fn ask_in_company(
        &self,
        command: &Cmd,
        along: Along,
        until: time::Instant,
    ) -> Result<Answer, Failure> {
        if !self.is_up() {
            return Err(Failure::unreachable(&self.node, &"the connection was closed"));
        }
        let mut pipeline = Pipeline::new();
        if along.is_moving {
            pipeline.cmd("ASKING");
        }
        pipeline.add_command(command.clone());
        if along.waits {
            // An answer that there is none has to come in time as well.
            let left = until.saturating_duration_since(time::Instant::now()) / 2;
            pipeline.cmd("WAIT").arg(1).arg(left.as_millis().max(1).to_string());
        }
        let (asked, written) = (self.now(), self.written.bytes());
        let mut connection = self.connection.clone();
        let answers = connection.send_packed_commands(&pipeline, 0, pipeline.len());
        let mut answers = match self.heard(asked, time::timeout_at(until, answers).await)? {
            Ok(answers) => answers,
            Err(error) => return self.failed(&error, written),
        };
        let waited = if along.waits { answers.pop() } else { None };
        match (answers.pop(), waited) {
            (Some(Value::ServerError(error)), _) => Ok(Answer::Refused(error)),
            (Some(_), Some(Value::Int(..1))) => Err(Failure::not_replicated(&self.node, &"in time")),
            (Some(_), Some(Value::ServerError(error))) => Err(Failure::not_replicated(
                &self.node,
                &format_args!("as far as is known: {}", error.code()),
            )),
            (Some(value), _) => Ok(Answer::Value(value)),
            (None, _) => Err(Failure::unreadable(&self.node)),
        }
    }

    /// What a question came to that was not answered.
    fn failed(&self, error: &RedisError, written: u64) -> Result<Answer, Failure> {
        match server_error(error) {
            Some(error) => Ok(Answer::Refused(error)),
            None if self.written.bytes() == written => Err(Failure::unreachable(&self.node, error)),
            None => Err(Failure::lost(&self.node, error)),
        }
    }

    /// Asks to be told what is said in a channel.
    pub(super) async fn subscribe(&self, channel: &str) -> Result<(), Failure> {
        let subscribed = self.connection.clone().subscribe(channel).await;
        subscribed.map_err(|error| match server_error(&error) {
            Some(refused) => Failure::refused(&self.node, &refused),
            None => Failure::lost(&self.node, &error),
        })
    }

    /// Asks several things at once. A refusal stands in its place.
    pub(super) async fn ask_all(&self, pipeline: &Pipeline, count: usize) -> Result<Vec<Value>, Failure> {
        let mut connection = self.connection.clone();
        let answers = connection.send_packed_commands(pipeline, 0, count).await;
        self.heard.fetch_max(self.now(), Ordering::Relaxed);
        let answers = answers.map_err(|error| match server_error(&error) {
            Some(refused) => Failure::refused(&self.node, &refused),
            None => Failure::lost(&self.node, &error),
        })?;
        if answers.len() == count { Ok(answers) } else { Err(Failure::unreadable(&self.node)) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn heard<T>(&self, asked: u64, answer: Result<T, time::error::Elapsed>) -> Result<T, Failure> {
        match answer {
            Ok(answer) => {
                self.heard.fetch_max(self.now(), Ordering::Relaxed);
                Ok(answer)
            }
            Err(elapsed) => {
                if self.heard.load(Ordering::Relaxed) <= asked {
                    self.cut();
                }
                Err(Failure::lost(&self.node, &elapsed))
            }
        }
    }
}

type Driver = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

async fn speak<S>(
    stream: S,
    access: &Access,
    config: AsyncConnectionConfig,
) -> redis::RedisResult<(MultiplexedConnection, Driver)>
where
    S: tokio::io::AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config =
        config.set_response_timeout(None).set_connection_timeout(None).set_pipeline_buffer_size(WAITING);
    let (connection, driver) = MultiplexedConnection::new_with_config(&access.info(), stream, config).await?;
    Ok((connection, Box::pin(driver)))
}

/// Small packets leave at once, and a peer that has gone is noticed.
fn set_up(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE.0).with_interval(KEEPALIVE.1);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

/// A server's time as it gives it, in seconds and microseconds, as the latter alone.
pub(super) fn micros(time: &[Value]) -> Option<i64> {
    let mut numbers = time.iter().map(number::<i64>);
    let (seconds, micros) = (numbers.next()??, numbers.next()??);
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}
