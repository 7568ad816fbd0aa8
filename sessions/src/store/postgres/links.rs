//! The connections of a store: who keeps them open, which one takes an operation, and what is told when there is none.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinHandle},
};
use tokio_postgres::Row;

use super::{
    dial::Dial,
    failure::{Failure, Server},
    link::Link,
    listener,
    statement::Call,
    value::Value,
};
use crate::store::{Endings, audience::Audience};

/// How many connections there are: what waits for a lock holds up only what was sent behind it on one of them.
const LINKS: usize = 4;
/// How long a connection that no one uses is left alone.
const IDLE: Duration = Duration::from_secs(2);
/// The longest pause between two attempts to connect; shorter ones come first.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// The connections of a store.
pub(super) struct Links {
    shared: Arc<Shared>,
    keepers: Vec<JoinHandle<()>>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

pub(super) struct Shared {
    pub(super) dial: Dial,
    slots: [ArcSwapOption<Link>; LINKS],
    next: AtomicUsize,
    state: watch::Sender<State>,
    /// One connects at a time, and pauses while it may: a server that returns is not met by all at once.
    connecting: Semaphore,
    pub(super) audience: Arc<Audience>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Why the last attempt to connect failed, if none has worked since.
    failed: Option<Failure>,
    is_closed: bool,
}

impl Links {
    /// Begins to keep connections open, on the runtime that this is called on.
    pub(super) fn start(dial: Dial) -> Self {
        let shared = Arc::new(Shared {
            dial,
            slots: Default::default(),
            next: AtomicUsize::new(0),
            state: watch::Sender::default(),
            connecting: Semaphore::new(1),
            audience: Arc::default(),
        });
        let keepers = (0..LINKS).map(|slot| tokio::spawn(Shared::keep(Arc::clone(&shared), slot))).collect();
        Self { shared, keepers, listener: Mutex::default() }
    }

    /// Tells of endings from now on, if they can be heard of.
    pub(super) fn tell_endings(&self, to: Endings) -> bool {
        let Ok(runtime) = Handle::try_current() else { return false };
        if !self.shared.dial.can_hear() || self.shared.is_closed() {
            return false;
        }
        self.shared.audience.join(to);
        if let Some(attendance) = self.shared.audience.attend() {
            let listener = runtime.spawn(listener::listen(Arc::clone(&self.shared), attendance));
            *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
        }
        true
    }

    pub(super) fn server(&self) -> &Server {
        self.shared.dial.server()
    }

    /// How long a statement may wait for locks or run: shorter than an operation, so that the answer is a certain one.
    pub(super) fn patience(&self) -> Duration {
        self.shared.dial.patience()
    }

    /// Waits for a connection.
    pub(super) async fn connected(&self) -> Result<(), Failure> {
        self.shared.pick().await.map(drop)
    }

    /// Asks for something that changes nothing: on another connection if one was lost.
    pub(super) async fn read(&self, call: Call, values: &[Value<'_>]) -> Result<Vec<Row>, Failure> {
        // All that there are may be lost at once.
        for _ in 0..LINKS {
            match self.send(call, |_| values).await {
                Err(failure) if failure.lost_connection() => {}
                answer => return answer,
            }
        }
        self.send(call, |_| values).await
    }

    /// Asks for a change. The values may depend on the connection, whose server has a clock of its own.
    pub(super) async fn write<'a, V: AsRef<[Value<'a>]>>(
        &self,
        call: Call,
        values: impl Fn(&Link) -> V,
    ) -> Result<Row, Failure> {
        let rows = self.send(call, values).await?;
        rows.into_iter().next().ok_or_else(|| Failure::damaged(self.server(), "o_at"))
    }

    async fn send<'a, V: AsRef<[Value<'a>]>>(
        &self,
        call: Call,
        values: impl Fn(&Link) -> V,
    ) -> Result<Vec<Row>, Failure> {
        let link = self.shared.pick().await?;
        let values = values(&link);
        link.ask(call, values.as_ref()).await.map_err(|error| {
            let failure = Failure::of(&error, self.server());
            if failure.spoils_connection() {
                link.condemn();
            }
            failure
        })
    }

    /// Answers what waits, then closes every connection.
    pub(super) async fn shutdown(&self) {
        self.shared.state.send_modify(|state| state.is_closed = true);
        let links: Vec<_> = self.shared.slots.iter().filter_map(|slot| slot.swap(None)).collect();
        for link in &links {
            let _ = tokio::time::timeout(self.shared.dial.limit(), link.drained()).await;
        }
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        let listener = self.listener.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.keepers.iter().chain(listener.as_ref()).for_each(JoinHandle::abort);
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server().fmt(f)
    }
}

impl Shared {
    /// The connection that the next operation takes.
    async fn pick(&self) -> Result<Arc<Link>, Failure> {
        if let Some(link) = self.least_burdened() {
            return Ok(link);
        }
        let server = self.dial.server();
        let mut state = self.state.subscribe();
        let wait = async {
            loop {
                let State { failed, is_closed } = state.borrow_and_update().clone();
                if is_closed {
                    return Err(Failure::closed(server));
                }
                if let Some(link) = self.least_burdened() {
                    return Ok(link);
                }
                if failed.is_some() {
                    return Err(Failure::unreachable(server, failed.as_ref()));
                }
                if state.changed().await.is_err() {
                    return Err(Failure::closed(server));
                }
            }
        };
        // Boxed, so that the future of every operation does not have to hold it.
        match Box::pin(tokio::time::timeout(self.dial.patience(), wait)).await {
            Ok(link) => link,
            Err(_) => Err(Failure::unreachable(server, None)),
        }
    }

    fn least_burdened(&self) -> Option<Arc<Link>> {
        let first = self.next.fetch_add(1, Relaxed);
        let links = (0..LINKS).filter_map(|index| {
            let link = self.slots[first.wrapping_add(index) % LINKS].load();
            let burden = link.as_ref()?.burden()?;
            Some((burden, link))
        });
        links.min_by_key(|(burden, _)| *burden).and_then(|(_, link)| link.clone())
    }

    fn is_closed(&self) -> bool {
        self.state.borrow().is_closed
    }

    /// Waits until the store is shut down.
    pub(super) async fn closed(&self) {
        let _ = self.state.subscribe().wait_for(|state| state.is_closed).await;
    }

    /// Keeps one connection open until the store is shut down.
    async fn keep(self: Arc<Self>, slot: usize) {
        let mut failures = 0;
        while !self.is_closed() {
            let Ok(turn) = self.connecting.acquire().await else { return };
            match self.dial.link().await {
                Ok((link, driver)) => {
                    drop(turn);
                    let link = Arc::new(link);
                    self.slots[slot].store(Some(Arc::clone(&link)));
                    self.state.send_modify(|state| state.failed = None);
                    let lived = self.attend(&link, driver).await;
                    self.slots[slot].store(None);
                    failures = if lived { 0 } else { failures + 1 };
                    if !lived {
                        tokio::time::sleep(pause(failures)).await;
                    }
                }
                Err(failure) => {
                    if failures == 0 {
                        tracing::warn!(server = %self.dial.server(), %failure, "no connection to the session store");
                    }
                    failures += 1;
                    self.state.send_modify(|state| state.failed = Some(failure));
                    tokio::time::sleep(pause(failures)).await;
                    drop(turn);
                }
            }
        }
    }

    /// Watches over a connection until it is of no use any more: whether it was of any.
    async fn attend(&self, link: &Link, mut driver: JoinHandle<()>) -> bool {
        let mut state = self.state.subscribe();
        let mut guard = Guard(Some(driver.abort_handle()));
        let mut lived = false;
        loop {
            tokio::select! {
                _ = &mut driver => return lived,
                _ = state.wait_for(|state| state.is_closed) => break,
                () = link.rest(IDLE) => {}
            }
            if link.is_condemned() {
                break;
            }
            let answer = tokio::select! {
                _ = &mut driver => return lived,
                answer = tokio::time::timeout(self.dial.limit(), link.probe()) => answer,
            };
            match answer {
                Ok(Ok(true)) => {}
                // The server has become a standby, and knows only what was true a while ago.
                Ok(Ok(false)) => break,
                // It may be half open: no answer will come on it.
                _ => return lived,
            }
            lived = true;
        }
        link.condemn();
        // What waits is answered before the connection closes by itself.
        guard.0 = None;
        lived
    }
}

/// Ends what moves the bytes of a connection when its keeper goes, unless it is let go before.
pub(super) struct Guard(pub(super) Option<AbortHandle>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(driver) = &self.0 {
            driver.abort();
        }
    }
}

/// How long to wait after so many failures: longer each time, up to a bound, and never as long as others do.
pub(super) fn pause(failures: u32) -> Duration {
    let longest = SHORTEST_PAUSE.saturating_mul(1 << failures.min(4)).min(LONGEST_PAUSE);
    rand::random_range(longest / 2..=longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_jittered_and_never_far_apart() {
        for failures in 1..100 {
            let pauses: Vec<_> = (0..50).map(|_| pause(failures)).collect();
            assert!(pauses.iter().all(|pause| *pause >= SHORTEST_PAUSE && *pause <= LONGEST_PAUSE));
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }
}
