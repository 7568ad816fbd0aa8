//! What the server's clock says, as far as its answers tell: for deadlines, which the server judges.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// For how long the best answer is relied on.
const WINDOW: Duration = Duration::from_secs(30);

/// The clock of one server, learnt from the times in its answers.
///
/// An answer that came at an instant was given before it, so the server's clock shows at least the time in it by then. Of
/// the answers of the last while the one that says most is taken. The bound is never too high while that clock runs
/// evenly, so a deadline that is translated with it is never too late; it is too early by the time that the best of the
/// answers took to come.
#[derive(Debug)]
pub(super) struct Clock(Mutex<Bounds>);

#[derive(Clone, Copy, Debug)]
struct Bounds {
    base: Instant,
    since: Instant,
    /// The server's microseconds at `base`, at least.
    current: i64,
    before: i64,
}

impl Clock {
    /// The clock after its first answer.
    pub(super) fn new(server_micros: i64, received: Instant) -> Self {
        Self(Mutex::new(Bounds {
            base: received,
            since: received,
            current: server_micros,
            before: server_micros,
        }))
    }

    /// Learns from an answer.
    pub(super) fn note(&self, server_micros: i64, received: Instant) {
        let mut bounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at_base = server_micros.saturating_sub(between(bounds.base, received));
        if received.saturating_duration_since(bounds.since) > WINDOW {
            bounds.before = bounds.current;
            bounds.current = at_base;
            bounds.since = received;
        }
        bounds.current = bounds.current.max(at_base);
    }

    /// Forgets what it has learnt, for an answer that shows it to be wrong.
    pub(super) fn set(&self, server_micros: i64, received: Instant) {
        let mut bounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *bounds = Bounds { base: received, since: received, current: server_micros, before: server_micros };
    }

    /// The server's microseconds at an instant, at least.
    pub(super) fn at(&self, instant: Instant) -> i64 {
        let bounds = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bounds.current.max(bounds.before).saturating_add(between(bounds.base, instant))
    }
}

/// Microseconds from one instant to another, which may be earlier.
fn between(from: Instant, to: Instant) -> i64 {
    let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    match to.checked_duration_since(from) {
        Some(span) => micros(span),
        None => -micros(from.saturating_duration_since(to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_the_best_of_the_answers_and_ages() {
        let base = Instant::now();
        let after = |millis| base + Duration::from_millis(millis);
        let clock = Clock::new(1_000_000, base);
        // An answer that took long says less, one that was quick says more.
        clock.note(1_005_000, after(10));
        assert_eq!(clock.at(base), 1_000_000);
        clock.note(1_012_000, after(10));
        assert_eq!(clock.at(after(20)), 1_022_000);
        assert_eq!(clock.at(after(0)), 1_002_000);
        // What is older than two windows counts no more.
        clock.note(40_000_000, after(40_000));
        clock.note(80_000_000, after(80_000));
        assert_eq!(clock.at(after(80_000)), 80_000_000);
        clock.set(5, after(90_000));
        assert_eq!(clock.at(after(90_000)), 5);
    }
}
