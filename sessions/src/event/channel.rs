//! Events for a task: a bounded channel that no request waits for.

use std::{
    fmt,
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
};

use tokio::sync::mpsc;

use super::{
    Bus, EventKind, SessionEvent,
    bus::{Counts, Shared},
};

/// Events as they happen, from when it was made: see [`Registry::subscribe`](crate::Registry::subscribe).
///
/// It keeps as many as it was made for. What comes while it is full is dropped, and the next that it gives is an
/// [`EventKind::EventsDropped`] that counts them. Dropping it is all that it takes to stop listening.
pub struct EventReceiver {
    receiver: mpsc::Receiver<Arc<SessionEvent>>,
    counts: Arc<Counts>,
    shared: Weak<Shared>,
    /// What was received and has to wait until a loss is told.
    next: Option<Arc<SessionEvent>>,
}

impl fmt::Debug for EventReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventReceiver").field("waiting", &self.receiver.len()).finish_non_exhaustive()
    }
}

impl EventReceiver {
    pub(crate) fn new(bus: &Bus, capacity: usize, wants: impl Fn(EventKind) -> bool) -> Self {
        let kinds = EventKind::ALL.iter().filter(|kind| wants(**kind)).map(|kind| kind.bit()).sum();
        let (receiver, counts, shared) = bus.channel(capacity, kinds);
        Self { receiver, counts, shared, next: None }
    }

    /// The next event; `None` once the registry is gone and everything has been received.
    ///
    /// # Cancel safety
    /// No event is lost if the future is dropped.
    pub async fn recv(&mut self) -> Option<Arc<SessionEvent>> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// The same for a stream that is written by hand.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Arc<SessionEvent>>> {
        if let Some(next) = self.next.take() {
            return Poll::Ready(Some(next));
        }
        let Some(event) = ready!(self.receiver.poll_recv(cx)) else { return Poll::Ready(None) };
        let dropped = self.shared.upgrade().and_then(|shared| shared.dropped(&self.counts, event.at));
        Poll::Ready(Some(match dropped {
            Some(dropped) => {
                self.next = Some(event);
                dropped
            }
            None => event,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn send(bus: &Bus, kind: EventKind) {
        if bus.is_heard(kind) {
            bus.send(bus.event(kind, &Arc::from("p"), 0));
        }
    }

    #[tokio::test]
    async fn a_full_channel_drops_and_tells_how_many() {
        let bus = Bus::default();
        let mut events = EventReceiver::new(&bus, 2, |kind| kind == EventKind::Created);
        for _ in 0..5 {
            send(&bus, EventKind::Created);
            send(&bus, EventKind::Loaded);
        }
        drop(bus.clone());
        let mut got = Vec::new();
        for _ in 0..3 {
            let event = tokio::time::timeout(Duration::from_secs(5), events.recv()).await;
            let event = event.expect("one is there").unwrap();
            got.push((event.kind, event.count));
        }
        assert_eq!(got, [(EventKind::EventsDropped, 3), (EventKind::Created, 1), (EventKind::Created, 1)]);
        assert_eq!(bus.dropped(), 3);
        drop(bus);
        assert!(events.recv().await.is_none());
    }

    #[test]
    fn a_receiver_that_is_gone_is_not_heard_any_more() {
        let bus = Bus::default();
        let events = EventReceiver::new(&bus, 2, |_| true);
        assert!(bus.is_heard(EventKind::Created));
        drop(events);
        send(&bus, EventKind::Created);
        assert!(!bus.has_sinks() && bus.sinks().is_empty());
    }
}
