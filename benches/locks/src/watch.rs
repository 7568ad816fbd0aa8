//! Notes how long each lock is held, by what its thread is doing.
//!
//! What counts is the thread's processor time: that the kernel had other work meanwhile is no fault of the store's. The
//! time by the clock is noted too.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

/// How many of the longest holds are kept.
const KEPT: usize = 5;

/// How long one lock was held, the longer one in processor time first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hold {
    pub(crate) processor: Duration,
    pub(crate) clock: Duration,
}

/// The holds while one thing was done.
#[derive(Clone, Debug)]
pub(crate) struct Holds {
    pub(crate) what: &'static str,
    pub(crate) count: u64,
    /// Those of most processor time, the longest first.
    pub(crate) longest: Vec<Hold>,
    /// The longest by the clock.
    pub(crate) clock: Duration,
}

impl Holds {
    fn note(&mut self, hold: Hold) {
        self.clock = self.clock.max(hold.clock);
        if self.longest.len() < KEPT || self.longest.last().is_some_and(|least| *least < hold) {
            self.longest.push(hold);
            self.longest.sort_unstable_by(|one, other| other.cmp(one));
            self.longest.truncate(KEPT);
        }
    }
}

/// All holds of some threads, in the order in which the things were first done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Vec<Holds>);

impl Seen {
    fn of(&mut self, what: &'static str) -> usize {
        self.0.iter().position(|holds| holds.what == what).unwrap_or_else(|| {
            self.0.push(Holds { what, count: 0, longest: Vec::new(), clock: Duration::ZERO });
            self.0.len() - 1
        })
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for holds in other.0 {
            let index = self.of(holds.what);
            let own = &mut self.0[index];
            own.count += holds.count;
            own.clock = own.clock.max(holds.clock);
            holds.longest.into_iter().for_each(|hold| own.note(hold));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Holds> {
        self.0.iter()
    }
}

/// What this thread sees.
#[derive(Default)]
struct Own {
    seen: Seen,
    /// The place in `seen` of what is done now.
    now: usize,
    began: Option<(Duration, Instant)>,
}

thread_local! {
    static OWN: RefCell<Own> = RefCell::default();
}

/// Begins to watch all locks of this process. False if the library was built without watched locks.
pub(crate) fn begin() -> bool {
    #[cfg(sessions_measure)]
    sessions::__private::watch(told);
    cfg!(sessions_measure)
}

/// Says what this thread does from now on.
pub(crate) fn doing(what: &'static str) {
    OWN.with_borrow_mut(|own| own.now = own.seen.of(what));
}

/// What this thread has seen so far; it begins anew.
pub(crate) fn take() -> Seen {
    OWN.take().seen
}

/// How it looks when nothing is done under a lock: what the clocks cost, and what interrupts and the machine below this
/// one add to a thread's processor time.
pub(crate) fn nothing(times: u64) {
    doing("no lock: two looks at the clock");
    for _ in 0..times {
        told(true);
        told(false);
    }
}

fn told(taken: bool) {
    OWN.with_borrow_mut(|own| {
        if taken {
            let at = Instant::now();
            own.began = Some((processor_time(), at));
        } else if let Some((processor, at)) = own.began.take() {
            let hold = Hold { processor: processor_time().saturating_sub(processor), clock: at.elapsed() };
            if let Some(holds) = own.seen.0.get_mut(own.now) {
                holds.count += 1;
                holds.note(hold);
            }
        }
    });
}

/// User and system time of this thread so far.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_holds_are_kept_by_what_was_done() {
        doing("a");
        told(true);
        let began = processor_time();
        while processor_time().saturating_sub(began) < Duration::from_millis(3) {}
        told(false);
        for _ in 0..10 {
            told(true);
            told(false);
        }
        doing("b");
        told(true);
        told(false);
        let mut seen = take();
        seen.merge(seen.clone());
        let told: Vec<_> = seen.iter().map(|holds| (holds.what, holds.count, holds.longest.len())).collect();
        assert_eq!(told, [("a", 22, 5), ("b", 2, 2)]);
        let longest = &seen.iter().next().unwrap().longest;
        assert!(longest[1].processor >= Duration::from_millis(3) && longest[1] > longest[2], "{longest:?}");
        assert!(take().iter().next().is_none());
    }
}
