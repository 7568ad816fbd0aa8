//! What time it is: one clock an engine, injected, that never steps back.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::store::{Millis, Stamp};

/// Tells the time to an engine.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Milliseconds since the Unix epoch. May step back: what reads it through an engine never sees that.
    fn now(&self) -> Millis;
}

/// The system's clock, carried on by the monotonic clock so that a step back revives nothing.
///
/// A step forward is followed within a second; after a step back time goes on from where it was, at its usual pace,
/// until the wall clock has caught up.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
    /// Wall clock minus monotonic clock, in milliseconds. Only grows.
    offset: AtomicU64,
    /// The monotonic millisecond of the last look at the wall clock.
    looked: AtomicU64,
}

impl SystemClock {
    /// A clock that starts now.
    pub fn new() -> Self {
        Self { start: Instant::now(), offset: AtomicU64::new(wall()), looked: AtomicU64::new(0) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let elapsed = millis(self.start.elapsed());
        if elapsed >= self.looked.load(Ordering::Relaxed).saturating_add(1_000) {
            self.looked.store(elapsed, Ordering::Relaxed);
            self.offset.fetch_max(wall().saturating_sub(elapsed), Ordering::Relaxed);
        }
        self.offset.load(Ordering::Relaxed).saturating_add(elapsed)
    }
}

fn wall() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// A duration in whole milliseconds, saturating.
pub(crate) fn millis(duration: std::time::Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// An engine's view of its clock: never steps back, and gives strictly increasing stamps.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    clock: Arc<dyn Clock>,
    reached: Arc<AtomicU64>,
}

/// The last stamp given in this process: engines that share a store share the order of their stamps.
static STAMP: AtomicU64 = AtomicU64::new(0);

impl Time {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, reached: Arc::new(AtomicU64::new(0)) }
    }

    /// The time now, at least what it was before.
    pub(crate) fn now(&self) -> Millis {
        let now = self.clock.now();
        let reached = self.reached.load(Ordering::Relaxed);
        if now <= reached {
            return reached;
        }
        self.reached.fetch_max(now, Ordering::Relaxed).max(now)
    }

    /// A stamp that no other call got: see [`Stamp`].
    pub(crate) fn stamp(&self) -> Stamp {
        let floor = self.now() << 16;
        let next = |last: Stamp| Some(last.saturating_add(1).max(floor));
        match STAMP.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
            Ok(last) | Err(last) => last.saturating_add(1).max(floor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(AtomicU64);

    impl Clock for Fixed {
        fn now(&self) -> Millis {
            self.0.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn time_never_steps_back() {
        let clock = Arc::new(Fixed(AtomicU64::new(5_000)));
        let time = Time::new(clock.clone());
        assert_eq!(time.now(), 5_000);
        clock.0.store(4_000, Ordering::SeqCst);
        assert_eq!(time.now(), 5_000);
        clock.0.store(6_000, Ordering::SeqCst);
        assert_eq!(time.now(), 6_000);
    }

    #[test]
    fn stamps_increase_within_one_millisecond_and_over_engines() {
        let (one, two) =
            (Time::new(Arc::new(Fixed(AtomicU64::new(7)))), Time::new(Arc::new(Fixed(AtomicU64::new(7)))));
        let stamps: Vec<_> = (0..100).flat_map(|_| [one.stamp(), two.stamp()]).collect();
        assert!(stamps.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(stamps.iter().all(|stamp| stamp >> 16 >= 7));
    }

    #[test]
    fn the_system_clock_is_about_right() {
        let clock = SystemClock::new();
        assert!(clock.now().abs_diff(wall()) < 1_000);
    }
}
