//! The table of metrics, for the `metrics` facade: names, kinds, units and labels. `docs/METRICS.md` is it as a page.
//!
//! Install a recorder before the registry is loaded: a metric that is first used without one goes nowhere for good.
//! Label values come from the configuration and from fixed tables, never from a request.

use metrics::{Counter, Gauge, Histogram, Label, SharedString, Unit};

/// What a metric measures with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A number that only grows.
    Counter,
    /// A number as it is now.
    Gauge,
    /// How values are spread.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Metric {
    /// Its name, in the form of OpenTelemetry. Prometheus has underscores for dots, and the unit at the end.
    pub name: &'static str,
    /// What it measures with.
    pub kind: Kind,
    /// The unit of its values; `None` for a number of things.
    pub unit: Option<&'static str>,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, in a sentence.
    pub about: &'static str,
}

impl Metric {
    const fn new(
        name: &'static str,
        kind: Kind,
        unit: Option<&'static str>,
        labels: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { name, kind, unit, labels, about }
    }

    fn unit(&self) -> Unit {
        if self.unit.is_some() { Unit::Seconds } else { Unit::Count }
    }

    fn labels<const N: usize>(&self, values: [SharedString; N]) -> Vec<Label> {
        debug_assert_eq!(self.labels.len(), N, "{}", self.name);
        self.labels.iter().zip(values).map(|(name, value)| Label::new(*name, value)).collect()
    }

    pub(crate) fn counter<const N: usize>(&self, values: [SharedString; N]) -> Counter {
        metrics::counter!(self.name, self.labels(values))
    }

    pub(crate) fn gauge<const N: usize>(&self, values: [SharedString; N]) -> Gauge {
        metrics::gauge!(self.name, self.labels(values))
    }

    pub(crate) fn histogram<const N: usize>(&self, values: [SharedString; N]) -> Histogram {
        metrics::histogram!(self.name, self.labels(values))
    }
}

macro_rules! table {
    ($($(#[doc = $doc:literal])+ $metric:ident = $name:literal, $kind:ident, $unit:expr, [$($label:literal),+];)*) => {
        $($(#[doc = $doc])+ pub const $metric: Metric =
            Metric::new($name, Kind::$kind, $unit, &[$($label),+], concat!($($doc),+).trim_ascii());)*

        /// Every metric.
        pub const ALL: &[Metric] = &[$($metric),*];
    };
}

table! {
    /// Sessions that requests asked for, by what was found: `stored`, `none`, `superseded`, `refused` or `failed`.
    REQUESTS = "sessions.requests", Counter, None, ["policy", "result"];
    /// Reads of a policy with `near_cache`: `hit` was answered by a copy, `miss` had none, `bypass` had to ask the store.
    NEAR_READS = "sessions.near.reads", Counter, None, ["policy", "result"];
    /// How long a phase took: `resolve` (phases 1 to 4) and `commit` (phase 6, where there is something to write).
    PHASE_DURATION = "sessions.phase.duration", Histogram, Some("s"), ["policy", "phase"];
    /// How long a call of a store took, and how often it was made.
    STORE_DURATION = "sessions.store.operation.duration", Histogram, Some("s"), ["store", "operation", "result"];
    /// Records that a store holds, expired ones that are not yet freed included.
    STORE_SESSIONS = "sessions.store.sessions", Gauge, None, ["store"];
    /// Principals with at least one record.
    STORE_PRINCIPALS = "sessions.store.principals", Gauge, None, ["store"];
    /// Records that were ended to keep a store within its bound.
    STORE_EVICTIONS = "sessions.store.evictions", Counter, None, ["store"];
    /// Sessions that logins evicted, because of the policy's limit.
    EVICTIONS = "sessions.evictions", Counter, None, ["policy"];
    /// Requests that were refused, by the code of the fault.
    REJECTIONS = "sessions.rejections", Counter, None, ["policy", "reason"];
    /// Sockets that are open in this process.
    SOCKETS = "sessions.sockets", Gauge, None, ["policy"];
    /// Sockets that were closed, by the reason that their events tell.
    SOCKETS_CLOSED = "sessions.sockets.closed", Counter, None, ["policy", "reason"];
    /// Events, by their stable name, whether or not anyone listens.
    EVENTS = "sessions.events", Counter, None, ["policy", "event"];
    /// Events that a sink did not get.
    EVENTS_DROPPED = "sessions.events.dropped", Counter, None, ["sink"];
    /// Batches of events that a sink could not write, each try counted.
    SINK_FAILURES = "sessions.sink.failures", Counter, None, ["sink"];
    /// Rounds in which a store was freed of what has expired: `ok` or `failed`.
    SWEEPS = "sessions.sweeps", Counter, None, ["store", "result"];
    /// Records that were freed because they had expired.
    SWEPT = "sessions.swept", Counter, None, ["store"];
}

/// Tells the recorder what each metric is about. Loading a registry does it.
pub fn describe() {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.unit(), metric.about),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.unit(), metric.about),
            Kind::Histogram => metrics::describe_histogram!(metric.name, metric.unit(), metric.about),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_of_one_form() {
        let mut names: Vec<_> = ALL.iter().map(|metric| metric.name).collect();
        let is_name = |name: &&str| {
            name.starts_with("sessions.")
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.')
        };
        assert!(names.iter().all(is_name));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|metric| metric.about.ends_with('.')));
    }
}
