//! What engines and stores count and time. Each series is asked for once and then kept: a request looks nothing up.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Instant,
};

use metrics::{Counter, Histogram};

use super::{Answered, NearRead, Operation, Phase, Resolved, metric};
use crate::{event::EventKind, fault::Fault};

/// When something began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer(Instant);

impl Timer {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }
}

/// The series of one policy.
pub(crate) struct Meter {
    policy: Arc<str>,
    requests: [OnceLock<Counter>; Resolved::ALL.len()],
    near: [OnceLock<Counter>; NearRead::ALL.len()],
    phases: [OnceLock<Histogram>; Phase::ALL.len()],
    events: [OnceLock<Counter>; EventKind::ALL.len()],
}

impl Meter {
    pub(crate) fn of(policy: &Arc<str>) -> Self {
        Self {
            policy: Arc::clone(policy),
            requests: Default::default(),
            near: Default::default(),
            phases: Default::default(),
            events: [const { OnceLock::new() }; EventKind::ALL.len()],
        }
    }

    /// Begins the series that are worth an alarm, so that their first rise is seen as one.
    pub(crate) fn begin(&self) {
        metric::EVICTIONS.counter([self.policy()]).increment(0);
        for fault in [Fault::Required, Fault::Forbidden, Fault::CrossSite, Fault::ConcurrencyViolation] {
            metric::REJECTIONS.counter([self.policy(), fault.code().into()]).increment(0);
        }
    }

    fn policy(&self) -> metrics::SharedString {
        Arc::clone(&self.policy).into()
    }

    pub(crate) fn resolved(&self, resolved: Resolved) {
        let new = || metric::REQUESTS.counter([self.policy(), resolved.name().into()]);
        self.requests[resolved as usize].get_or_init(new).increment(1);
    }

    pub(crate) fn read_near(&self, read: NearRead) {
        let new = || metric::NEAR_READS.counter([self.policy(), read.name().into()]);
        self.near[read as usize].get_or_init(new).increment(1);
    }

    pub(crate) fn phase(&self, phase: Phase, timer: Timer) {
        let new = || metric::PHASE_DURATION.histogram([self.policy(), phase.name().into()]);
        self.phases[phase as usize].get_or_init(new).record(timer.0.elapsed());
    }

    pub(crate) fn happened(&self, kind: EventKind) {
        let new = || metric::EVENTS.counter([self.policy(), kind.name().into()]);
        self.events[kind as usize].get_or_init(new).increment(1);
        if kind == EventKind::Evicted {
            metric::EVICTIONS.counter([self.policy()]).increment(1);
        }
    }

    /// Whether an event of this kind is a refusal, whose fault is counted.
    pub(crate) const fn is_rejection(kind: EventKind) -> bool {
        matches!(
            kind,
            EventKind::Refused
                | EventKind::CrossSite
                | EventKind::LimitReached
                | EventKind::Locked
                | EventKind::NotWritten
        )
    }

    #[cfg(feature = "ws")]
    pub(crate) fn socket_opened(&self) {
        metric::SOCKETS.gauge([self.policy()]).increment(1.0);
    }

    #[cfg(feature = "ws")]
    pub(crate) fn socket_closed(&self, reason: &'static str) {
        metric::SOCKETS.gauge([self.policy()]).decrement(1.0);
        metric::SOCKETS_CLOSED.counter([self.policy(), reason.into()]).increment(1);
    }

    pub(crate) fn rejected(&self, fault: Option<Fault>) {
        if let Some(fault) = fault {
            metric::REJECTIONS.counter([self.policy(), fault.code().into()]).increment(1);
        }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// The series of one store; of a store that has no name, nothing is told.
#[derive(Clone, Debug)]
pub(crate) struct StoreMeter(Option<Arc<StoreSeries>>);

#[derive(Debug)]
struct StoreSeries {
    store: String,
    calls: [[OnceLock<Series>; Answered::ALL.len()]; Operation::ALL.len()],
}

struct Series(Histogram);

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Series")
    }
}

impl StoreMeter {
    pub(crate) const fn unnamed() -> Self {
        Self(None)
    }

    pub(crate) fn named(store: &str) -> Self {
        let calls = [const { [const { OnceLock::new() }; Answered::ALL.len()] }; Operation::ALL.len()];
        Self(Some(Arc::new(StoreSeries { store: store.to_owned(), calls })))
    }

    pub(crate) fn is_named(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn answered(&self, operation: Operation, timer: Timer, answer: impl Into<Answered>) {
        let Some(series) = &self.0 else { return };
        let answered = answer.into();
        let new = || {
            let values = [series.store.clone().into(), operation.name().into(), answered.name().into()];
            Series(metric::STORE_DURATION.histogram(values))
        };
        let call = series.calls[operation as usize][answered as usize].get_or_init(new);
        call.0.record(timer.0.elapsed());
    }
}
