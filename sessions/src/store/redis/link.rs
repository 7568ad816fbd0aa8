//! Keeps one connection to one server, or to whichever server Sentinels call the primary: who connects, when again, and who
//! waits for it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    failure::Failure,
    sentinel::Sentinels,
    wire::{Access, Node, Wire},
};

/// The first and the longest pause after a connection that did not come about. The longest is what a recovery may take.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(250));
/// A connection that takes longer gets a rival: what was sent into a broken network is not repeated for seconds.
const RIVAL: Duration = Duration::from_millis(300);
/// How many connections are tried at once.
const RIVALS: usize = 4;
/// How often Sentinels are asked whether the primary is still the same, in case that no one of them has said so (`switches`).
const CHECK: Duration = Duration::from_secs(10);

/// Whom a link is to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// A server at an address.
    Node(Node),
    /// The server that Sentinels call the primary.
    Watched(Arc<Sentinels>),
}

/// A connection that is made when it is needed, once for all who need it, and again when it is lost.
#[derive(Debug)]
pub(super) struct Link {
    target: Target,
    access: Arc<Access>,
    /// How long a connection may take.
    patience: Duration,
    state: Mutex<State>,
}

type Dialled = Option<Result<Arc<Wire>, Failure>>;

#[derive(Debug)]
enum State {
    /// No connection, after so many failures in a row.
    Down { failures: u32 },
    /// One is being made.
    Dialling { failures: u32, dialled: watch::Receiver<Dialled> },
    /// One is there.
    Up { wire: Arc<Wire>, checked: Instant },
    /// None is made any more.
    Closed,
}

impl Link {
    pub(super) fn new(target: Target, access: Arc<Access>, patience: Duration) -> Arc<Self> {
        Arc::new(Self { target, access, patience, state: Mutex::new(State::Down { failures: 0 }) })
    }

    /// The connection, made if there is none.
    pub(super) async fn wire(self: &Arc<Self>, until: Instant) -> Result<Arc<Wire>, Failure> {
        match self.begin()? {
            Ok(wire) => Ok(wire),
            // Boxed: rarely needed, and large.
            Err(dialled) => Box::pin(self.wait(dialled, until)).await,
        }
    }

    async fn wait(
        self: &Arc<Self>,
        mut dialled: watch::Receiver<Dialled>,
        until: Instant,
    ) -> Result<Arc<Wire>, Failure> {
        loop {
            let waited = timeout_at(until, dialled.wait_for(Option::is_some)).await;
            let waited = waited.map_err(|_| Failure::slow(&self.name()))?.map(|dialled| dialled.clone());
            match waited {
                Ok(Some(result)) => return result,
                Ok(None) => {}
                // Its runtime has ended: this one tries itself.
                Err(_) => self.forget_dead_dial(&dialled),
            }
            dialled = match self.begin()? {
                Ok(wire) => return Ok(wire),
                Err(dialled) => dialled,
            };
        }
    }

    /// Gives up a connection, such as one whose server is no primary any more.
    pub(super) fn drop_wire(&self, wire: &Arc<Wire>) {
        wire.cut();
        let mut state = self.lock();
        if matches!(&*state, State::Up { wire: current, .. } if Arc::ptr_eq(current, wire)) {
            *state = State::Down { failures: 0 };
        }
    }

    /// Closes the connection for good.
    pub(super) fn close(&self) {
        let before = std::mem::replace(&mut *self.lock(), State::Closed);
        if let State::Up { wire, .. } = before {
            wire.cut();
        }
    }

    /// Whether there is a connection now.
    pub(super) fn is_up(&self) -> bool {
        matches!(&*self.lock(), State::Up { wire, .. } if wire.is_up())
    }

    fn name(&self) -> String {
        match &self.target {
            Target::Node(node) => node.to_string(),
            Target::Watched(sentinels) => sentinels.to_string(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that is there, or one that is coming.
    fn begin(self: &Arc<Self>) -> Result<Result<Arc<Wire>, watch::Receiver<Dialled>>, Failure> {
        let mut state = self.lock();
        let failures = match &mut *state {
            State::Up { wire, checked } if wire.is_up() => {
                if matches!(self.target, Target::Watched(_)) && checked.elapsed() > CHECK {
                    *checked = Instant::now();
                    let link = Arc::clone(self);
                    tokio::spawn(async move { link.look_again().await });
                }
                return Ok(Ok(Arc::clone(wire)));
            }
            State::Dialling { dialled, .. } => return Ok(Err(dialled.clone())),
            State::Closed => return Err(Failure::closed()),
            State::Up { .. } => 0,
            State::Down { failures } => *failures,
        };
        let (tell, dialled) = watch::channel(None);
        *state = State::Dialling { failures, dialled: dialled.clone() };
        drop(state);
        let link = Arc::clone(self);
        tokio::spawn(async move {
            sleep(pause(failures)).await;
            let result = link.dial().await.map(Arc::new);
            let result = link.finish(result, failures);
            let _ = tell.send(Some(result));
        });
        Ok(Err(dialled))
    }

    fn finish(&self, result: Result<Arc<Wire>, Failure>, failures: u32) -> Result<Arc<Wire>, Failure> {
        let mut state = self.lock();
        if matches!(*state, State::Closed) {
            return Err(Failure::closed());
        }
        *state = match &result {
            Ok(wire) => {
                if failures == 0 {
                    tracing::debug!(server = %wire.node, "connected to a Redis server");
                } else {
                    tracing::info!(server = %wire.node, failures, "a Redis server can be used again");
                }
                State::Up { wire: Arc::clone(wire), checked: Instant::now() }
            }
            Err(failure) => {
                if failures == 0 {
                    tracing::warn!(%failure, "a Redis server can't be used: it is tried again when it is needed");
                }
                State::Down { failures: failures.saturating_add(1) }
            }
        };
        result
    }

    fn forget_dead_dial(&self, dead: &watch::Receiver<Dialled>) {
        let mut state = self.lock();
        if let State::Dialling { failures, dialled } = &*state
            && dialled.same_channel(dead)
        {
            *state = State::Down { failures: *failures };
        }
    }

    /// Makes a connection: the first of a few that are begun one after another.
    async fn dial(self: &Arc<Self>) -> Result<Wire, Failure> {
        let until = Instant::now() + self.patience;
        let mut rivals = JoinSet::new();
        let mut next = Instant::now();
        loop {
            if rivals.len() < RIVALS && next <= Instant::now() {
                let link = Arc::clone(self);
                rivals.spawn(async move { timeout(link.patience, link.connect()).await });
                next = Instant::now() + RIVAL;
            }
            let wake = if rivals.len() < RIVALS { next.min(until) } else { until };
            match timeout_at(wake, rivals.join_next()).await {
                Ok(Some(Ok(Ok(Ok(wire))))) => return Ok(wire),
                // A refusal is an answer: who is refused pauses.
                Ok(Some(Ok(Ok(Err(failure))))) => return Err(failure),
                Ok(None) => next = Instant::now(),
                Err(_) if Instant::now() >= until => return Err(Failure::slow(&self.name())),
                Ok(Some(_)) | Err(_) => {}
            }
        }
    }

    async fn connect(&self) -> Result<Wire, Failure> {
        let wire = match &self.target {
            Target::Node(node) => Wire::open(node, &self.access).await?,
            Target::Watched(sentinels) => sentinels.open(&self.access).await?,
        };
        wire.prepare().await?;
        Ok(wire)
    }

    /// Asks the Sentinels whether the connection is still to the primary, and makes another one if it isn't: whether it
    /// was that.
    pub(super) async fn look_again(self: &Arc<Self>) -> bool {
        let Target::Watched(sentinels) = &self.target else { return false };
        let wire = match &*self.lock() {
            State::Up { wire, .. } => Arc::clone(wire),
            _ => return false,
        };
        let primary = timeout(self.patience, sentinels.primary()).await;
        let Ok(Ok(primary)) = primary else { return false };
        if primary == wire.node {
            return false;
        }
        tracing::info!(from = %wire.node, to = %primary, "another Redis server is the primary now");
        self.drop_wire(&wire);
        // Before someone needs it. Who does, meets the same failure.
        let _ = self.wire(Instant::now() + self.patience).await;
        true
    }
}

/// How long to wait after so many failures, by chance, so that processes that lost a server together don't return together.
fn pause(failures: u32) -> Duration {
    if failures == 0 {
        return Duration::ZERO;
    }
    let longest = PAUSES.0.saturating_mul(1 << failures.min(8)).min(PAUSES.1);
    longest.mul_f64(rand::random_range(0.5..=1.0))
}
