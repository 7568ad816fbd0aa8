//! Takes events from requests to sinks: a bounded queue and a thread for each sink, and a request never waits.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot};

use super::{EventKind, EventSink, SessionEvent, SinkError, SinkStats, Source, sink::Closure};
use crate::store::Millis;

/// How many events wait for a slow sink before further ones are dropped and counted.
pub const EVENT_QUEUE: usize = 4_096;
/// How many events a sink is given at once, at most.
const BATCH: usize = 256;
/// How long a sink that fails is left alone at first; twice as long each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a registry's engines send their events to.
#[derive(Clone, Default)]
pub(crate) struct Bus {
    shared: Arc<Shared>,
}

#[derive(Default)]
pub(super) struct Shared {
    source: Arc<Source>,
    /// The kinds that anyone wants, as bits.
    kinds: AtomicU64,
    outlets: ArcSwap<Vec<Arc<Outlet>>>,
    /// Held while the list changes.
    changing: Mutex<()>,
    sequence: AtomicU64,
    /// How many events were made for outboxes.
    noted: AtomicU64,
    /// What listeners that are gone did not get.
    dropped_before: AtomicU64,
}

/// One sink as requests see it.
struct Outlet {
    kinds: u64,
    counts: Arc<Counts>,
    to: To,
}

enum To {
    Thread(SyncSender<Item>),
    Task(mpsc::Sender<Arc<SessionEvent>>),
}

enum Item {
    Event(Arc<SessionEvent>),
    /// Everything before it has been written.
    Flush(oneshot::Sender<()>),
}

/// What became of a sink's events.
#[derive(Debug)]
pub(super) struct Counts {
    name: &'static str,
    dropped: AtomicU64,
    /// Of these, what the sink has not been told yet.
    untold: AtomicU64,
    failures: AtomicU64,
}

impl Counts {
    fn new(name: &'static str) -> Arc<Self> {
        let (dropped, untold, failures) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { name, dropped, untold, failures })
    }

    fn drop_events(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
        self.untold.fetch_add(count, Ordering::Relaxed);
        crate::observe::events_dropped(self.name, count);
    }

    fn fail(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        crate::observe::sink_failed(self.name);
    }
}

impl Outlet {
    /// False if no one listens any more.
    fn offer(&self, event: &Arc<SessionEvent>) -> bool {
        let full = match &self.to {
            To::Thread(queue) => match queue.try_send(Item::Event(Arc::clone(event))) {
                Ok(()) => return true,
                // Without a thread, too: that was told when none could be had, and is counted since.
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => true,
            },
            To::Task(queue) => match queue.try_send(Arc::clone(event)) {
                Ok(()) => return true,
                Err(mpsc::error::TrySendError::Full(_)) => true,
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            },
        };
        if full {
            self.counts.drop_events(1);
        }
        full
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("dropped", &self.dropped()).finish_non_exhaustive()
    }
}

impl Bus {
    pub(crate) fn new(source: Source) -> Self {
        Self { shared: Arc::new(Shared { source: Arc::new(source), ..Shared::default() }) }
    }

    pub(crate) fn listen(&self, listener: impl Fn(&SessionEvent) + Send + Sync + 'static) {
        self.add(Closure(listener));
    }

    pub(crate) fn add(&self, sink: impl EventSink) {
        let (sender, receiver) = sync_channel(EVENT_QUEUE);
        let counts = Counts::new(sink.name());
        let kinds = EventKind::ALL.iter().filter(|kind| sink.wants(**kind)).map(|kind| kind.bit()).sum();
        let mut writer = Writer { sink, counts: Arc::clone(&counts), shared: Arc::downgrade(&self.shared) };
        let thread = std::thread::Builder::new().name("session-events".to_owned());
        if let Err(error) = thread.spawn(move || writer.run(&receiver)) {
            tracing::error!(sink = counts.name, %error, "no thread for session events: they are dropped and counted");
        }
        self.shared.join(Outlet { kinds, counts, to: To::Thread(sender) });
    }

    /// A channel that gets the kinds of these bits.
    pub(super) fn channel(
        &self,
        capacity: usize,
        kinds: u64,
    ) -> (mpsc::Receiver<Arc<SessionEvent>>, Arc<Counts>, Weak<Shared>) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let counts = Counts::new("channel");
        self.shared.join(Outlet { kinds, counts: Arc::clone(&counts), to: To::Task(sender) });
        (receiver, counts, Arc::downgrade(&self.shared))
    }

    /// Whether anyone wants events of this kind: those that no one hears are not even made.
    pub(crate) fn is_heard(&self, kind: EventKind) -> bool {
        self.shared.kinds.load(Ordering::Relaxed) & kind.bit() != 0
    }

    /// Whether anyone listens at all.
    pub(crate) fn has_sinks(&self) -> bool {
        self.shared.kinds.load(Ordering::Relaxed) != 0
    }

    /// An event that is to be filled and sent.
    pub(crate) fn event(&self, kind: EventKind, policy: &Arc<str>, at: Millis) -> SessionEvent {
        SessionEvent::new(kind, Arc::clone(policy), at, Arc::clone(&self.shared.source))
    }

    /// An event for an outbox; `of_one` ends its id where it is one of several that are made from it.
    pub(crate) fn note(&self, event: &SessionEvent, of_one: &str) -> String {
        event.to_note(self.shared.noted.fetch_add(1, Ordering::Relaxed) + 1, of_one)
    }

    pub(crate) fn send(&self, event: SessionEvent) {
        self.shared.send(event);
    }

    /// Waits until the sinks have written what was sent before, for so long at most; whether they have.
    pub(crate) async fn flush(&self, limit: Duration) -> bool {
        let mut waiting = Vec::new();
        for outlet in self.shared.outlets.load().iter() {
            let To::Thread(queue) = &outlet.to else { continue };
            let (tell, written) = oneshot::channel();
            match queue.try_send(Item::Flush(tell)) {
                Ok(()) => waiting.push(written),
                Err(_) => return false,
            }
        }
        if waiting.is_empty() {
            return true;
        }
        let all = async {
            for written in waiting {
                if written.await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(limit, all).await.unwrap_or(false)
    }

    pub(crate) fn dropped(&self) -> u64 {
        let now: u64 = self.sinks().iter().map(|sink| sink.dropped).sum();
        now + self.shared.dropped_before.load(Ordering::Relaxed)
    }

    pub(crate) fn sinks(&self) -> Vec<SinkStats> {
        let stats = |outlet: &Arc<Outlet>| SinkStats {
            name: outlet.counts.name,
            dropped: outlet.counts.dropped.load(Ordering::Relaxed),
            failures: outlet.counts.failures.load(Ordering::Relaxed),
        };
        self.shared.outlets.load().iter().map(stats).collect()
    }
}

impl Shared {
    fn join(&self, outlet: Outlet) {
        let outlet = Arc::new(outlet);
        self.change(|outlets| outlets.push(Arc::clone(&outlet)));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Outlet>>)) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outlets = Vec::clone(&self.outlets.load());
        change(&mut outlets);
        let kinds = outlets.iter().fold(0, |kinds, outlet| kinds | outlet.kinds);
        self.outlets.store(Arc::new(outlets));
        self.kinds.store(kinds, Ordering::Relaxed);
    }

    fn send(&self, mut event: SessionEvent) {
        debug_assert!(event.reason.is_none_or(|reason| event.kind.reasons().contains(&reason)));
        event.sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let event = Arc::new(event);
        let mut left = false;
        for outlet in self.outlets.load().iter() {
            if outlet.kinds & event.kind.bit() != 0 && !outlet.offer(&event) {
                left = true;
            }
        }
        if left {
            self.change(|outlets| {
                outlets.retain(|outlet| {
                    let stays = !matches!(&outlet.to, To::Task(queue) if queue.is_closed());
                    if !stays {
                        let dropped = outlet.counts.dropped.load(Ordering::Relaxed);
                        self.dropped_before.fetch_add(dropped, Ordering::Relaxed);
                    }
                    stays
                });
            });
        }
    }

    fn own(&self, kind: EventKind, at: Millis) -> SessionEvent {
        SessionEvent::new(kind, Arc::from(""), at, Arc::clone(&self.source))
    }

    /// What tells a sink of the events that it did not get, if there are any since the last time.
    pub(super) fn dropped(&self, counts: &Counts, at: Millis) -> Option<Arc<SessionEvent>> {
        let count = counts.untold.swap(0, Ordering::Relaxed);
        (count > 0).then(|| {
            let mut event = self.own(EventKind::EventsDropped, at);
            event.sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
            event.detail = Some(counts.name);
            event.count = count;
            Arc::new(event)
        })
    }
}

/// One sink on its thread.
struct Writer<S> {
    sink: S,
    counts: Arc<Counts>,
    shared: Weak<Shared>,
}

impl<S: EventSink> Writer<S> {
    /// Goes on until the bus is gone and everything that was sent has been written.
    fn run(&mut self, queue: &Receiver<Item>) {
        while let Ok(first) = queue.recv() {
            let (mut batch, mut flushes) = (Vec::new(), Vec::new());
            for item in std::iter::once(first).chain(queue.try_iter()) {
                match item {
                    Item::Event(event) => batch.push(event),
                    Item::Flush(tell) => flushes.push(tell),
                }
                if batch.len() + flushes.len() >= BATCH {
                    break;
                }
            }
            if let Some(last) = batch.last()
                && let Some(dropped) =
                    self.shared.upgrade().and_then(|shared| shared.dropped(&self.counts, last.at))
            {
                batch.insert(0, dropped);
            }
            if !batch.is_empty() {
                self.write(&batch);
            }
            for tell in flushes {
                // Whoever asked may have given up.
                let _ = tell.send(());
            }
        }
    }

    /// Writes a batch, however often it takes.
    fn write(&mut self, batch: &[Arc<SessionEvent>]) {
        let mut failures = 0_u32;
        loop {
            let sink = &mut self.sink;
            let written = catch_unwind(AssertUnwindSafe(|| sink.write(batch)));
            let error = match written.unwrap_or_else(|_| Err(SinkError::refused("the sink panicked"))) {
                Ok(()) if failures == 0 => return,
                Ok(()) => {
                    tracing::info!(sink = self.counts.name, failures, "session events are written again");
                    return;
                }
                Err(error) => error,
            };
            self.counts.fail();
            failures = failures.saturating_add(1);
            let shared = self.shared.upgrade();
            if failures == 1 {
                self.tell(&error, shared.as_deref(), batch);
            }
            if !error.is_retried() || shared.is_none() {
                self.counts.drop_events(batch.len() as u64);
                return;
            }
            // Not held in between: the bus may end.
            drop(shared);
            std::thread::sleep(FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE) / 2);
        }
    }

    /// Tells an outage once: the log, and the other sinks.
    fn tell(&self, error: &SinkError, shared: Option<&Shared>, batch: &[Arc<SessionEvent>]) {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(sink = self.counts.name, %error, cause, "session events can't be written");
        let of_itself = batch.iter().any(|event| event.kind == EventKind::SinkFailed);
        if let (Some(shared), Some(last), false) = (shared, batch.last(), of_itself) {
            let mut event = shared.own(EventKind::SinkFailed, last.at);
            event.detail = Some(self.counts.name);
            shared.send(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    fn event(bus: &Bus) -> SessionEvent {
        bus.event(EventKind::Created, &Arc::from("p"), 0)
    }

    #[test]
    fn a_hanging_listener_costs_its_own_events_and_nothing_else() {
        let bus = Bus::default();
        let (release, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        bus.listen(move |_| {
            let _ = gate.lock().unwrap().recv();
        });
        let mut other = bus.channel(2 * EVENT_QUEUE, EventKind::Created.bit()).0;
        for _ in 0..EVENT_QUEUE + 1_000 {
            bus.send(event(&bus));
        }
        let dropped = bus.dropped();
        assert!((1_000 - BATCH as u64 - 1..=1_000).contains(&dropped), "{dropped}");
        let heard = std::iter::from_fn(|| other.try_recv().ok()).count();
        assert_eq!(heard, EVENT_QUEUE + 1_000);
        drop(release);
    }

    #[test]
    fn a_panicking_listener_does_not_silence_the_others() {
        let bus = Bus::default();
        let (sender, heard) = channel();
        bus.listen(|_| panic!("listener"));
        bus.listen(move |event| {
            let _ = sender.send(event.kind);
        });
        bus.send(event(&bus));
        bus.send(event(&bus));
        for _ in 0..2 {
            assert_eq!(heard.recv_timeout(Duration::from_secs(5)).unwrap(), EventKind::Created);
        }
    }

    /// Fails as often as it is told to, then hands on what it was given.
    struct Flaky {
        failures: u32,
        given: Sender<Vec<(EventKind, u64)>>,
    }

    impl EventSink for Flaky {
        fn name(&self) -> &'static str {
            "flaky"
        }

        fn write(&mut self, events: &[Arc<SessionEvent>]) -> Result<(), SinkError> {
            let _ = self.given.send(events.iter().map(|event| (event.kind, event.sequence)).collect());
            if self.failures > 0 {
                self.failures -= 1;
                return Err(SinkError::unavailable("not now"));
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_batch_that_was_not_written_is_given_again_and_the_others_are_told() {
        let bus = Bus::default();
        let (given, batches) = channel();
        let (sender, heard) = channel();
        bus.add(Flaky { failures: 2, given });
        bus.listen(move |event| {
            let _ = sender.send(event.kind);
        });
        bus.send(event(&bus));
        assert!(bus.flush(Duration::from_secs(10)).await);
        let batches: Vec<_> = batches.try_iter().collect();
        assert_eq!(batches[..3], vec![vec![(EventKind::Created, 1)]; 3]);
        assert_eq!(batches[3], [(EventKind::SinkFailed, 2)]);
        // In either order: the sink may have failed and been told of before the event is in the listener's queue.
        let heard: Vec<_> = heard.try_iter().collect();
        let all = [EventKind::Created, EventKind::SinkFailed];
        assert!(heard.len() == 2 && all.iter().all(|kind| heard.contains(kind)), "{heard:?}");
        let [flaky, closure] = bus.sinks()[..] else { unreachable!("two sinks") };
        assert_eq!((flaky.name, flaky.failures, flaky.dropped), ("flaky", 2, 0));
        assert_eq!((closure.name, closure.failures, closure.dropped), ("closure", 0, 0));
    }

    #[tokio::test]
    async fn a_flush_waits_no_longer_than_it_may() {
        let bus = Bus::default();
        let (release, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        bus.listen(move |_| {
            let _ = gate.lock().unwrap().recv();
        });
        bus.send(event(&bus));
        assert!(!bus.flush(Duration::from_millis(50)).await);
        drop(release);
        assert!(bus.flush(Duration::from_secs(10)).await);
    }
}
