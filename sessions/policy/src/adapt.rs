//! Values that give way: where a later layer or a closer policy states a bound, what was stated below it adapts
//! instead of contradicting. What neither beats is left as it is, for the rules to refuse.

use std::time::Duration;

use crate::configuration::Note;
use crate::keys::policy_key;
use crate::resolve::{ADAPTER, Held, ORDER, Resolved};
use crate::value::{Setting, read_fallback};

/// Keys that only a policy with a cookie has a use for.
const OF_COOKIES: &[&str] = &[
    "transport.cookie_name",
    "transport.cookie_httponly",
    "transport.cookie_secure",
    "transport.cookie_samesite",
    "transport.cookie_path",
    "transport.cookie_domain",
    "transport.max_cookie_header",
    "transport.max_cookie_pairs",
];
/// Keys for what a client keeps and sends by itself: a cookie, or what a transport of the application's own may be.
const OF_THE_AMBIENT: &[&str] = &["remember.ttl", "remember.idle_timeout", "csrf", "trusted_origins"];
/// Keys that only a policy whose id stands in a header of the response has a use for.
const OF_HEADERS: &[&str] = &["transport.header_name"];
/// Keys that only stored sessions have a use for.
pub(crate) const OF_STORED: &[&str] = &["concurrency.max_sessions_per_principal"];
/// Keys that only requests which take turns have a use for.
pub(crate) const OF_TURNS: &[&str] = &["serial.wait", "serial.lease"];
/// Keys that only sessions of a person or device have a use for.
pub(crate) const OF_THE_REMEMBERED: &[&str] = &["remember.ttl", "remember.idle_timeout"];

/// Keys that have a use only where every request counts as activity.
pub(crate) const OF_USE: &[&str] = &["touch_every"];

/// How often a record is touched at least, where activity prolongs a life.
const LONGEST_TOUCH: Duration = Duration::from_secs(60);

/// Lets every beaten value adapt. The order matters: what adapts first is a bound for what follows.
pub(crate) fn adapt(policy: &mut Resolved, notes: &mut Vec<Note>) {
    scope(policy, notes);
    adapter(policy, notes);
    if !policy.is("on_conflict", "serial") {
        reset_beaten(policy, notes, "on_conflict", OF_TURNS);
    }
    if policy.is("activity", "change") {
        reset_beaten(policy, notes, "activity", OF_USE);
    }
    rotation(policy, notes);
    shorten(policy, notes, "idle_timeout", "ttl", whole);
    shorten(policy, notes, "idle_timeout", "absolute_timeout", whole);
    shorten(policy, notes, "remember.idle_timeout", "remember.ttl", whole);
    for bound in touch_bounds(policy) {
        shorten_below(policy, notes, "touch_every", bound, tenth);
    }
    if let Some(end) = fixed_end(policy) {
        shorten(policy, notes, "rotate_every", end, whole);
    }
    shorten(policy, notes, "rotate_every", "absolute_timeout", whole);
    shorten_below(policy, notes, "rotation_grace", "rotate_every", half);
}

/// The lifetimes that use prolongs, which a touch must never miss: none where only a change counts as activity.
pub(crate) fn touch_bounds(policy: &Resolved) -> Vec<&'static str> {
    if policy.is("activity", "change") { Vec::new() } else { activity_bounds(policy) }
}

/// The lifetimes that activity prolongs.
pub(crate) fn activity_bounds(policy: &Resolved) -> Vec<&'static str> {
    let sliding = policy.is("renew", "sliding").then_some("ttl");
    let bounds = [Some("idle_timeout"), Some("remember.idle_timeout"), sliding].into_iter().flatten();
    bounds.filter(|key| policy.duration(key).is_some()).collect()
}

/// The key of the end that no activity moves, besides `absolute_timeout`.
pub(crate) fn fixed_end(policy: &Resolved) -> Option<&'static str> {
    policy.is("renew", "fixed").then_some("ttl")
}

/// The touch interval where nobody states one.
pub(crate) fn derived_touch(policy: &Resolved) -> Option<Duration> {
    let shortest = touch_bounds(policy).into_iter().filter_map(|key| policy.duration(key)).min()?;
    Some(tenth(shortest).min(LONGEST_TOUCH))
}

fn whole(bound: Duration) -> Duration {
    bound
}

fn half(bound: Duration) -> Duration {
    bound / 2
}

fn tenth(bound: Duration) -> Duration {
    bound / 10
}

/// `scope = request` and `persistence.enabled = false` say the same: what beats the other decides both.
fn scope(policy: &mut Resolved, notes: &mut Vec<Note>) {
    let (request, enabled) = (policy.is("scope", "request"), policy.truth("persistence.enabled"));
    if request && enabled && policy.beats("scope", "persistence.enabled") {
        replace(policy, notes, "persistence.enabled", "scope", Setting::Bool(false));
    } else if !request && !enabled && policy.beats("persistence.enabled", "scope") {
        replace(policy, notes, "scope", "persistence.enabled", Setting::Word("request"));
    } else if !request && !enabled && policy.beats("scope", "persistence.enabled") {
        replace(policy, notes, "persistence.enabled", "scope", Setting::Bool(true));
    }
    if policy.is("scope", "request") {
        reset_beaten(policy, notes, "scope", OF_STORED);
    }
    if policy.is("scope", "request") || policy.is("scope", "connection") {
        reset_beaten(policy, notes, "scope", OF_THE_REMEMBERED);
    }
}

fn adapter(policy: &mut Resolved, notes: &mut Vec<Note>) {
    if !policy.is(ADAPTER, "composite") {
        reset_beaten(policy, notes, ADAPTER, &[ORDER]);
    }
    let without_use = without_use(|carrier| policy.carries(carrier));
    reset_beaten(policy, notes, ADAPTER, &without_use);
    if policy.is(ADAPTER, "composite") {
        reset_beaten(policy, notes, ORDER, &without_use);
    }
}

/// The keys that have no effect beside what carries the id.
pub(crate) fn without_use(carries: impl Fn(&str) -> bool) -> Vec<&'static str> {
    without_cookie(&carries).chain(without_header(&carries)).collect()
}

/// Those of them that a cookie would have a use for.
pub(crate) fn without_cookie(carries: impl Fn(&str) -> bool) -> impl Iterator<Item = &'static str> {
    let cookie = if carries("cookie") { &[] } else { OF_COOKIES };
    let ambient = if carries("cookie") || carries("custom") { &[] } else { OF_THE_AMBIENT };
    cookie.iter().chain(ambient).copied()
}

/// Those of them that a header would have a use for.
pub(crate) fn without_header(carries: impl Fn(&str) -> bool) -> impl Iterator<Item = &'static str> {
    let header = if carries("header") || carries("bearer") { &[] } else { OF_HEADERS };
    header.iter().copied()
}

fn rotation(policy: &mut Resolved, notes: &mut Vec<Note>) {
    if !policy.truth("rotate_on_use") || policy.duration("rotate_every").is_none() {
        return;
    }
    if policy.beats("rotate_every", "rotate_on_use") {
        replace(policy, notes, "rotate_on_use", "rotate_every", Setting::Bool(false));
    } else if policy.beats("rotate_on_use", "rotate_every") {
        replace(policy, notes, "rotate_every", "rotate_on_use", Setting::Word("off"));
    }
}

/// A lifetime that may reach its bound but not exceed it.
fn shorten(
    policy: &mut Resolved,
    notes: &mut Vec<Note>,
    key: &'static str,
    bound: &'static str,
    fit: fn(Duration) -> Duration,
) {
    if let (Some(value), Some(limit)) = (policy.duration(key), policy.duration(bound))
        && value > limit
        && policy.beats(bound, key)
    {
        replace(policy, notes, key, bound, Setting::Duration(fit(limit)));
    }
}

/// A lifetime that must stay below its bound.
fn shorten_below(
    policy: &mut Resolved,
    notes: &mut Vec<Note>,
    key: &'static str,
    bound: &'static str,
    fit: fn(Duration) -> Duration,
) {
    if let (Some(value), Some(limit)) = (policy.duration(key), policy.duration(bound))
        && value >= limit
        && policy.beats(bound, key)
    {
        replace(policy, notes, key, bound, Setting::Duration(fit(limit)));
    }
}

/// Replaces the value of `key` because of `cause`, whose rank it takes: it now says what the cause says.
fn replace(
    policy: &mut Resolved,
    notes: &mut Vec<Note>,
    key: &'static str,
    cause: &'static str,
    setting: Setting,
) {
    let Some(because) = policy.get(cause).cloned() else { return };
    if let Some(beaten) = policy.get(key).filter(|held| held.is_stated()) {
        let message = format!(
            "`{}` ({}) gives way to {} and is {setting}",
            policy.full(key),
            beaten.setting,
            policy.cite(cause)
        );
        notes.push(Note { origin: beaten.origin.clone(), key: policy.full(key), message });
    }
    policy.values.insert(key, Held { setting, ..because });
}

/// Gives those of `keys` that `cause` beats their defaults back: under `cause` they have no effect.
fn reset_beaten(policy: &mut Resolved, notes: &mut Vec<Note>, cause: &'static str, keys: &[&'static str]) {
    for key in keys {
        if !policy.beats(cause, key) {
            continue;
        }
        let Some(beaten) = policy.values.remove(key) else { continue };
        if beaten.is_stated() {
            let message = format!("`{}` has no effect under {}", policy.full(key), policy.cite(cause));
            notes.push(Note { origin: beaten.origin, key: policy.full(key), message });
        }
        let default = match *key {
            "transport.cookie_name" => Some(Setting::Text(format!("__Host-Http-{}", policy.name))),
            _ => policy_key(key).and_then(|row| read_fallback(row, row.fallback())),
        };
        if let Some(setting) = default {
            policy.values.insert(key, Held::by_default(setting));
        }
    }
}
