//! What the clients of a round did and what they were told, as the checker reads it.

use sessions_tests::chaos::Answer;

/// Since the beginning of the run, on one monotonic clock.
pub(crate) type Micros = u64;

/// The policy of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Policy {
    /// A login beyond the limit ends the oldest session.
    Web,
    /// A login beyond the limit is refused.
    Strict,
    /// Time changes the id.
    Turning,
}

impl Policy {
    /// What its routes begin with.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Strict => "strict",
            Self::Turning => "turning",
        }
    }
}

/// A session from its login on, whatever its ids; or a visitor's from its first write on.
#[derive(Clone, Debug)]
pub(crate) struct Lineage {
    pub(crate) policy: Policy,
    /// Whose it is; a visitor has none.
    pub(crate) user: Option<String>,
    /// The visitor's whose data the login carries over.
    pub(crate) from: Option<usize>,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Login,
    See,
    /// The same with an id that time took out of use, on purpose.
    Reuse,
    /// The whole counter, when nobody updates it any more.
    Whole,
    Mine,
    /// Adds this number to the counter. No two updates have the same.
    Update(u64),
    /// Sets a key. One client at a time writes it, each time to more.
    Set(String, u64),
    Rotate,
    Logout,
    RevokeAll,
    RevokeOthers,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was acknowledged. `issued` is the id that the client has to send from now on, if it is told one.
    Done { answer: Answer, issued: Option<usize> },
    /// It was refused with this status: it was certainly not applied.
    Refused(u16),
    /// It was answered 503: it may have been applied, until then.
    Unavailable,
    /// Nothing came back: it may have been applied, or be on its way yet.
    Lost,
    /// An answer that no one may get.
    Wrong(String),
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Which of the nodes was asked.
    pub(crate) node: usize,
    pub(crate) act: Act,
    pub(crate) lineage: usize,
    /// The id that it presented.
    pub(crate) id: Option<usize>,
    pub(crate) began: Micros,
    pub(crate) ended: Micros,
    pub(crate) outcome: Outcome,
}

impl Event {
    /// What it was answered, if it was acknowledged.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        match &self.outcome {
            Outcome::Done { answer, .. } => Some(answer),
            _ => None,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.answer().is_some()
    }

    /// Whether it may have been applied although no one was told.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.outcome, Outcome::Unavailable | Outcome::Lost)
    }

    /// The id that it brought, if that is another than it presented.
    pub(crate) fn issued(&self) -> Option<usize> {
        match self.outcome {
            Outcome::Done { issued, .. } => issued.filter(|issued| Some(*issued) != self.id),
            _ => None,
        }
    }

    /// Whether it only reads: a server that does not know yet that it was replaced may answer it from before.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.act, Act::See | Act::Whole | Act::Mine)
    }
}

/// A time in which a store that replicates asynchronously promises less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// A primary was killed, and its replica takes over: what it acknowledged just before may be lost.
    MayLose,
    /// Another takes over as planned: the one before may answer reads until it has noticed.
    MayBeStale,
}

/// From when to when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) promise: Promise,
    pub(crate) from: Micros,
    pub(crate) to: Micros,
}

/// A round.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) lineages: Vec<Lineage>,
    pub(crate) events: Vec<Event>,
    pub(crate) windows: Vec<Window>,
}
