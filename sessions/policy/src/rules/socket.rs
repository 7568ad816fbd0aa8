//! Rules about sockets that live as long as their session.

use std::time::Duration;

use super::{Finding, Rule, value};
use crate::problem::Weight;
use crate::resolve::{ADAPTER, ORDER, Resolved};

const CHECK: &str = "socket.check_every";
const OUTAGE: &str = "socket.outage";
/// An ended session's socket is closed within this time.
const PROMPT: Duration = Duration::from_secs(1);
/// The longest time between two looks.
const LONGEST_CHECK: Duration = Duration::from_secs(60);
/// A shorter outage is a hiccup: one slow answer would close every socket.
const SHORTEST_OUTAGE: Duration = Duration::from_secs(1);
/// The longest time for which a socket may be served without a word of the store.
const LONGEST_OUTAGE: Duration = Duration::from_secs(30);

pub(super) const RULES: &[Rule] = &[
    Rule { name: "socket_check_range", keys: &[CHECK], check: socket_check_range },
    Rule { name: "socket_check_seldom", keys: &[CHECK], check: socket_check_seldom },
    Rule { name: "socket_outage_range", keys: &[OUTAGE], check: socket_outage_range },
    Rule {
        name: "socket_subprotocol_of_cookie",
        keys: &["socket.credential", ADAPTER, ORDER],
        check: socket_subprotocol_of_cookie,
    },
    Rule {
        name: "socket_keeps_alive",
        keys: &["socket.activity", "idle_timeout"],
        check: socket_keeps_alive,
    },
];

fn socket_check_range(policy: &Resolved) -> Vec<Finding> {
    if policy.duration(CHECK).is_none_or(|every| every <= LONGEST_CHECK) {
        return Vec::new();
    }
    let help = "write at most `\"1s\"`, or drop it: a socket would outlive its session for that long";
    vec![
        Finding::at(CHECK, format!("{} is longer than 60s", value(policy, CHECK)), help)
            .weighing(Weight::Refused),
    ]
}

fn socket_check_seldom(policy: &Resolved) -> Vec<Finding> {
    if policy.duration(CHECK).is_none_or(|every| every <= PROMPT || every > LONGEST_CHECK) {
        return Vec::new();
    }
    let help = "write at most `\"1s\"`, or drop it: what another process ends would be served for that long";
    vec![Finding::at(CHECK, format!("{} is longer than 1s", value(policy, CHECK)), help)]
}

fn socket_outage_range(policy: &Resolved) -> Vec<Finding> {
    let Some(outage) = policy.duration(OUTAGE) else { return Vec::new() };
    let (than, help) = if outage < SHORTEST_OUTAGE {
        ("shorter than 1s", "write at least `\"1s\"`: one slow answer would close every socket")
    } else if outage > LONGEST_OUTAGE {
        ("longer than 30s", "write at most `\"30s\"`: no one knows meanwhile whether the session has ended")
    } else {
        return Vec::new();
    };
    vec![Finding::at(OUTAGE, format!("{} is {than}", value(policy, OUTAGE)), help).weighing(Weight::Refused)]
}

fn socket_subprotocol_of_cookie(policy: &Resolved) -> Vec<Finding> {
    let key = "socket.credential";
    if !policy.is(key, "subprotocol") || !policy.carries("cookie") {
        return Vec::new();
    }
    let reason = format!(
        "{} asks a script for what {} hides from it",
        value(policy, key),
        policy.cite(if policy.is(ADAPTER, "composite") { ORDER } else { ADAPTER })
    );
    let help = "drop it: the browser sends the cookie; for a page of another site, write `\"ticket\"`";
    vec![Finding::at(key, reason, help)]
}

fn socket_keeps_alive(policy: &Resolved) -> Vec<Finding> {
    let key = "socket.activity";
    if !policy.is(key, "connected") || policy.duration("idle_timeout").is_none() {
        return Vec::new();
    }
    let reason = format!(
        "{} keeps a session alive that no one uses, past {}",
        value(policy, key),
        policy.cite("idle_timeout")
    );
    let help = "write `\"message\"`: an open tab is no sign that someone is there";
    vec![Finding::at(key, reason, help)]
}
