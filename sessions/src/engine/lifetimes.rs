//! When a session ends: one place for ttl, idle, absolute and remembered lifetimes, judged from the record.

use sessions_policy::{Activity, Renew, SessionPolicy};

use crate::{clock::millis, record::Record, store::Millis};

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Expired,
    Absolute,
    Idle,
}

/// A policy's lifetimes in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    ttl: Millis,
    idle: Option<Millis>,
    absolute: Option<Millis>,
    remembered_ttl: Option<Millis>,
    remembered_idle: Option<Millis>,
    sliding: bool,
    touch: Option<Millis>,
    /// Only a change counts as activity.
    by_change: bool,
}

impl Lifetimes {
    pub(crate) fn of(policy: &SessionPolicy) -> Self {
        let remember = policy.remember();
        Self {
            ttl: millis(policy.ttl()),
            idle: policy.idle_timeout().map(millis),
            absolute: policy.absolute_timeout().map(millis),
            remembered_ttl: remember.map(|remember| millis(remember.ttl())),
            remembered_idle: remember.and_then(|remember| remember.idle_timeout()).map(millis),
            sliding: policy.renew() == Renew::Sliding,
            touch: policy.touch_every().map(millis),
            by_change: policy.activity() == Activity::Change,
        }
    }

    fn ttl(&self, remembered: bool) -> Millis {
        self.remembered_ttl.filter(|_| remembered).unwrap_or(self.ttl)
    }

    /// A remembered session idles by its own timeout only: that is what remembering means.
    fn idle(&self, remembered: bool) -> Option<Millis> {
        if remembered && self.remembered_ttl.is_some() { self.remembered_idle } else { self.idle }
    }

    /// The absolute end holds for every session but a remembered one, whose ttl is its end.
    fn absolute(&self, remembered: bool) -> Option<Millis> {
        if remembered && self.remembered_ttl.is_some() { None } else { self.absolute }
    }

    fn is_sliding(&self, remembered: bool) -> bool {
        self.sliding && !(remembered && self.remembered_ttl.is_some())
    }

    /// The end that a session is promised when it starts: later changes of the policy can only shorten it.
    pub(crate) fn deadline(&self, started: Millis, remembered: bool) -> Option<Millis> {
        let absolute = self.absolute(remembered).map(|absolute| started.saturating_add(absolute));
        if self.is_sliding(remembered) {
            return absolute;
        }
        let end = started.saturating_add(self.ttl(remembered));
        Some(absolute.map_or(end, |absolute| absolute.min(end)))
    }

    /// When the session ends if it stays in use.
    pub(crate) fn end(&self, record: &Record) -> Millis {
        let remembered = record.remembered;
        let policy = if self.is_sliding(remembered) {
            let renewed = record.last_seen.saturating_add(self.ttl(remembered));
            self.absolute(remembered)
                .map_or(renewed, |absolute| renewed.min(record.started.saturating_add(absolute)))
        } else {
            self.deadline(record.started, remembered).unwrap_or(Millis::MAX)
        };
        record.deadline.map_or(policy, |promised| promised.min(policy))
    }

    /// When the session ends if nothing uses it any more.
    pub(crate) fn expires(&self, record: &Record) -> Millis {
        let end = self.end(record);
        self.idle(record.remembered).map_or(end, |idle| end.min(record.last_seen.saturating_add(idle)))
    }

    /// Whether the session is over, and why. A clock behind the last use counts as that instant.
    pub(crate) fn over(&self, record: &Record, now: Millis) -> Option<Over> {
        let now = record.no_earlier(now);
        if now < self.expires(record) {
            return None;
        }
        if now < self.end(record) {
            return Some(Over::Idle);
        }
        let absolute =
            self.absolute(record.remembered).map(|absolute| record.started.saturating_add(absolute));
        Some(if absolute.is_some_and(|absolute| now >= absolute) { Over::Absolute } else { Over::Expired })
    }

    /// Whether a use at `now` has to be noted: seldom enough to be cheap, and the error only ever shortens idle.
    pub(crate) fn touch_is_due(&self, record: &Record, now: Millis) -> bool {
        if self.by_change || !self.is_prolonged_by_use(record.remembered) {
            return false;
        }
        let span = self.idle(record.remembered).unwrap_or_else(|| self.ttl(record.remembered));
        let every = self.touch.filter(|_| !record.remembered).unwrap_or_else(|| (span / 10).min(60_000));
        now.saturating_sub(record.last_seen) >= every
    }

    fn is_prolonged_by_use(&self, remembered: bool) -> bool {
        self.idle(remembered).is_some() || self.is_sliding(remembered)
    }

    /// When the session was last active after a write, which is the request's own change or only what time asked for. Where
    /// its end would move, a write moves it no more often than a use: a store then has no index to change.
    pub(crate) fn seen(&self, record: &Record, now: Millis, changes: bool) -> Millis {
        let moves = if self.by_change {
            changes
        } else {
            !self.is_prolonged_by_use(record.remembered) || self.touch_is_due(record, now)
        };
        if moves { record.no_earlier(now) } else { record.last_seen }
    }

    pub(crate) fn is_renewed_by_use(&self, record: &Record) -> bool {
        self.is_sliding(record.remembered)
    }
}
