//! The clock of a server, as far as the answers of one connection tell it: when a deadline of ours has passed over there.

use std::time::{Duration, Instant};

use crate::store::Millis;

/// An instant of a server, in microseconds since the year 2000.
pub(super) type Micros = i64;

/// How long an answer is good for: two clocks drift apart by less than a few milliseconds meanwhile.
const WINDOW: Duration = Duration::from_secs(10);

/// What is known of a server's clock. An answer that left the server at an instant of its clock came here later, so the
/// server was at least that far ahead of us: the largest such difference is the best one, and errs on the early side.
#[derive(Debug)]
pub(super) struct ServerClock {
    origin: Instant,
    began: Instant,
    /// Of the window that runs, and of the one before.
    ahead: [Option<i64>; 2],
}

impl ServerClock {
    pub(super) fn new(now: Instant) -> Self {
        Self { origin: now, began: now, ahead: [None; 2] }
    }

    /// Notes what the server's clock showed between these two instants.
    pub(super) fn note(&mut self, sent: Instant, received: Instant, showed: Micros) {
        let (least, most) = (showed - self.micros(received), showed - self.micros(sent));
        if received.saturating_duration_since(self.began) > WINDOW {
            self.ahead = [None, self.ahead[0]];
            self.began = received;
        }
        // A clock that was set back: what was learnt before is wrong.
        if self.ahead().is_some_and(|ahead| ahead > most) {
            self.ahead = [None; 2];
        }
        self.ahead[0] = self.ahead[0].max(Some(least));
    }

    /// The last instant of the server's clock at which something may be applied that has so long left at an instant of
    /// ours. A deadline is a millisecond, and lasts until that is over.
    pub(super) fn until(&self, called: Instant, left: Millis) -> Micros {
        let left = i64::try_from(left.min(YEAR)).unwrap_or(0) * 1_000 + 999;
        self.ahead().map_or(i64::MAX / 2, |ahead| ahead + self.micros(called) + left)
    }

    fn ahead(&self) -> Option<i64> {
        self.ahead[0].max(self.ahead[1])
    }

    /// Microseconds since the origin, negative before it.
    fn micros(&self, at: Instant) -> i64 {
        let whole = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4);
        match at.checked_duration_since(self.origin) {
            Some(since) => whole(since),
            None => -whole(self.origin.saturating_duration_since(at)),
        }
    }
}

const YEAR: Millis = 366 * 24 * 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: i64 = 1_000;

    fn at(origin: Instant, millis: u64) -> Instant {
        origin + Duration::from_millis(millis)
    }

    #[test]
    fn a_deadline_is_never_later_there_than_here() {
        let origin = Instant::now();
        let mut clock = ServerClock::new(origin);
        // The server is 500 s ahead; the answer takes 3 ms to come back, then 1 ms.
        let ahead = 500_000 * MILLI;
        clock.note(at(origin, 10), at(origin, 14), ahead + 11 * MILLI);
        assert_eq!(clock.until(at(origin, 20), 0), ahead + 17 * MILLI + 999);
        clock.note(at(origin, 20), at(origin, 22), ahead + 21 * MILLI);
        assert_eq!(clock.until(at(origin, 20), 100), ahead + 119 * MILLI + 999);
        // A slower answer makes it no worse.
        clock.note(at(origin, 30), at(origin, 90), ahead + 31 * MILLI);
        assert_eq!(clock.until(at(origin, 20), 100), ahead + 119 * MILLI + 999);
    }

    #[test]
    fn a_clock_that_was_set_back_is_believed_at_once() {
        let origin = Instant::now();
        let mut clock = ServerClock::new(origin);
        clock.note(origin, origin, 1_000_000 * MILLI);
        clock.note(at(origin, 5), at(origin, 5), 900_000 * MILLI);
        assert_eq!(clock.until(at(origin, 5), 0), 900_000 * MILLI + 999);
    }

    #[test]
    fn what_was_learnt_long_ago_is_forgotten() {
        let origin = Instant::now();
        let mut clock = ServerClock::new(origin);
        clock.note(origin, origin, 1_000 * MILLI);
        for second in [11_000, 22_000] {
            // It has drifted by a little, and the answers take a while.
            let now = at(origin, second);
            clock.note(now, at(origin, second + 4), i64::try_from(second).unwrap() * MILLI + 1_000 * MILLI);
        }
        assert_eq!(clock.until(at(origin, 22_000), 0), 22_996 * MILLI + 999);
    }

    #[test]
    fn a_deadline_that_never_comes_is_far_away() {
        let clock = ServerClock::new(Instant::now());
        assert!(clock.until(Instant::now(), u64::MAX) > 0);
    }
}
