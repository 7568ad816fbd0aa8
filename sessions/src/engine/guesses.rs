//! Counts ids that open nothing, so that someone who guesses is told of once, and not a thousand times.

use std::sync::{Mutex, PoisonError};

use super::SessionEngine;
use crate::{event::EventKind, store::Millis};

/// How many ids that no one was given are a guess in one minute.
const MANY: u64 = 100;
const WINDOW: Millis = 60_000;

/// The ids of one policy that opened nothing, by minutes.
#[derive(Debug, Default)]
pub(super) struct Guesses(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    since: Millis,
    count: u64,
    /// Of these, how many no event has told.
    untold: u64,
}

impl Guesses {
    /// Counts one more: what there is to tell, the first time in a minute in which there are many. What came after that is
    /// told with the next.
    pub(super) fn one_more(&self, now: Millis) -> Option<u64> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(counted.since) >= WINDOW {
            let untold = if counted.count >= MANY { counted.untold } else { 0 };
            *counted = Counted { since: now, count: 0, untold };
        }
        counted.count += 1;
        counted.untold += 1;
        (counted.count == MANY).then(|| std::mem::take(&mut counted.untold))
    }
}

impl SessionEngine {
    /// Counts an id that opened nothing, and tells when there are many of them.
    pub(super) fn tell_guesses(&self) {
        if let Some(count) = self.shared.guesses.one_more(self.shared.time.now()) {
            self.event(EventKind::Guessing, |event| event.count = count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_in_a_minute_are_told_once_and_few_never() {
        let guesses = Guesses::default();
        let in_minute = |minute: Millis, count: u64| -> Vec<u64> {
            (0..count).filter_map(|_| guesses.one_more(minute * WINDOW)).collect()
        };
        assert_eq!(in_minute(1, 99), [0; 0]);
        assert_eq!(in_minute(2, 1_000), [100]);
        assert_eq!(in_minute(3, 100), [1_000], "with what came after the first was told");
        assert_eq!(in_minute(4, 99), [0; 0]);
        assert_eq!(in_minute(5, 100), [100]);
    }
}
