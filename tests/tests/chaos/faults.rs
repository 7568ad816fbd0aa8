//! What can be done to nodes, networks and stores, and the order in which it is.

use std::{fmt, thread, time::Duration};

use sessions_tests::{crash::Dice, proxy::Proxy};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A node is killed, and started again.
    NodeKilled,
    /// A node stands still.
    NodeFrozen,
    /// A slow network, which then goes silent with writes on their way, and delivers them after their deadline.
    Stalled,
    /// The network is slow.
    Slow,
    /// The network is silent: connections stay open and nothing passes.
    Silent,
    /// Questions pass, answers don't.
    AnswersLost,
    /// Connections are cut in the middle of an answer.
    Cut,
    /// Connections are cut, and refused.
    Refused,
    /// The store's server is killed, and started again on what it had written.
    StoreKilled,
    /// The store's server is stopped as operators do, and started again.
    StoreRestarted,
    /// The store's server stands still.
    StoreFrozen,
    /// A Redis server forgets its scripts.
    ScriptsFlushed,
    /// A Redis server has no memory left.
    OutOfMemory,
    /// The store's server takes no writes.
    ReadOnly,
    /// A PostgreSQL server ends its connections.
    ConnectionsEnded,
    /// A replica takes over as planned: nothing is lost.
    HandedOver,
    /// A primary is killed, and its replica takes over.
    PrimaryKilled,
    /// Slots move to another server, with their keys.
    SlotsMoved,
}

impl Fault {
    /// Whether it is one between nodes and servers.
    pub(crate) fn is_of_network(self) -> bool {
        matches!(
            self,
            Self::Stalled | Self::Slow | Self::Silent | Self::AnswersLost | Self::Cut | Self::Refused
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The faults of a setup, dealt so that each comes before any comes again.
#[derive(Debug)]
pub(crate) struct Deck {
    faults: Vec<Fault>,
    left: Vec<Fault>,
    was_asked: bool,
}

impl Deck {
    /// The first of the faults is dealt first. `only` names those that are dealt at all, with commas between.
    pub(crate) fn new(faults: &[Fault], only: Option<&str>) -> Self {
        let is_dealt =
            |fault: &&Fault| only.is_none_or(|only| only.split(',').any(|name| name == fault.to_string()));
        let faults: Vec<_> = faults.iter().filter(is_dealt).copied().collect();
        assert!(!faults.is_empty(), "this setup has no such fault: {only:?}");
        Self { left: faults.clone(), faults, was_asked: false }
    }

    pub(crate) fn deal(&mut self, dice: &mut Dice) -> Fault {
        if !std::mem::replace(&mut self.was_asked, true) {
            return self.left.remove(0);
        }
        if self.left.is_empty() {
            self.left.clone_from(&self.faults);
        }
        let which = dice.roll(self.left.len() as u64);
        self.left.swap_remove(usize::try_from(which).unwrap())
    }
}

/// A time between two, in milliseconds.
pub(crate) fn between(dice: &mut Dice, least: u64, most: u64) -> Duration {
    Duration::from_millis(least + dice.roll(most - least + 1))
}

/// Disturbs networks, if the fault is one of theirs, and lets them recover.
pub(crate) fn disturb(fault: Fault, proxies: &[&Proxy], dice: &mut Dice) {
    let each = |f: &dyn Fn(&Proxy)| proxies.iter().for_each(|proxy| f(proxy));
    let time = between(dice, 300, 900);
    match fault {
        Fault::Stalled => {
            // Half of the requests that come now have read, and their writes are on their way when nothing passes.
            each(&|proxy| proxy.delay_questions(Duration::from_millis(250)));
            thread::sleep(Duration::from_millis(700));
            each(&|proxy| proxy.silence(true));
            each(&|proxy| proxy.delay_questions(Duration::ZERO));
            thread::sleep(Duration::from_millis(1_900));
            each(&|proxy| proxy.silence(false));
        }
        Fault::Slow => {
            let delay = between(dice, 5, 300);
            each(&|proxy| proxy.delay(delay));
            thread::sleep(time);
            each(&|proxy| proxy.delay(Duration::ZERO));
        }
        Fault::Silent => {
            each(&|proxy| proxy.silence(true));
            thread::sleep(time * 2);
            each(&|proxy| proxy.silence(false));
        }
        Fault::AnswersLost => {
            each(&|proxy| proxy.swallow_answers(true));
            thread::sleep(time);
            each(&|proxy| proxy.swallow_answers(false));
        }
        Fault::Cut => {
            let bytes = 1 + dice.roll(20_000);
            each(&|proxy| proxy.cut_after(bytes));
            thread::sleep(time);
            each(&|proxy| proxy.cut_after(u64::MAX));
        }
        Fault::Refused => {
            each(&|proxy| proxy.refuse(true));
            each(&|proxy| proxy.cut());
            thread::sleep(time);
            each(&|proxy| proxy.refuse(false));
        }
        other => unreachable!("{other} is no network's"),
    }
}
