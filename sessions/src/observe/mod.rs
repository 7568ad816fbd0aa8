//! What operators see of a running engine beside events: metrics (feature `metrics`) and spans (feature `tracing`).
//!
//! Without its feature each of these functions is empty, and each of these types has no size.
//!
//! **Spans** have the target `sessions` and the level `DEBUG`: `session.resolve` (phases 1 to 4) with `session.detect`,
//! `session.validate` and `session.bind` in it, `session.mutate`, `session.commit` and `session.emit`. Their fields are
//! `policy` and, where it is known, `handle`. They are children of the span that the request is in, also where a commit goes
//! on by itself.

mod label;
#[cfg(feature = "metrics")]
mod meter;
#[cfg(not(feature = "metrics"))]
#[path = "off.rs"]
mod meter;
#[cfg(feature = "metrics")]
pub mod metric;
mod span;

#[cfg(not(feature = "tracing"))]
pub(crate) use self::span::NoSpan;
pub(crate) use self::{
    label::{Answered, NearRead, Operation, Phase, Resolved},
    meter::{Meter, StoreMeter, Timer},
    span::{enter, follow, handle, instrument, span},
};

/// Counts something that isn't an engine's.
macro_rules! count {
    ($name:ident($($argument:ident: $type:ty),*) $does:block) => {
        #[cfg(feature = "metrics")]
        pub(crate) fn $name($($argument: $type),*) $does

        #[cfg(not(feature = "metrics"))]
        pub(crate) fn $name($(_: $type),*) {}
    };
}

count!(events_dropped(sink: &'static str, count: u64) {
    metric::EVENTS_DROPPED.counter([sink.into()]).increment(count);
});

count!(sink_failed(sink: &'static str) {
    metric::SINK_FAILURES.counter([sink.into()]).increment(1);
});

count!(describe() {
    metric::describe();
});

count!(swept(store: &str, freed: Option<usize>) {
    let result = if freed.is_some() { "ok" } else { "failed" };
    metric::SWEEPS.counter([store.to_owned().into(), result.into()]).increment(1);
    metric::SWEPT.counter([store.to_owned().into()]).increment(freed.unwrap_or_default() as u64);
});

#[cfg(feature = "metrics")]
pub(crate) fn holds(store: &str, stats: crate::store::StoreStats) {
    #[expect(clippy::cast_precision_loss, reason = "no store holds 2^53 records")]
    let gauge = |count: u64| count as f64;
    let store = || store.to_owned().into();
    metric::STORE_SESSIONS.gauge([store()]).set(gauge(stats.sessions));
    metric::STORE_PRINCIPALS.gauge([store()]).set(gauge(stats.principals));
    metric::STORE_EVICTIONS.counter([store()]).absolute(stats.evicted_for_space);
}
