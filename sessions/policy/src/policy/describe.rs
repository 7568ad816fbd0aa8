//! A policy's settings as a Markdown table: what hovering its generated type shows.

use super::{
    Activity, Adapter, CarryOver, Codec, SessionPolicy, SocketActivity, SocketCredential, SocketRequire,
};
use crate::value::{duration_text, size_text};

/// The settings of `policy` as a Markdown table, one row a key, in the order of the table of keys. Keys
/// without effect under the chosen adapter or scope are left out.
///
/// ```
/// let text = sessions_policy::describe(&sessions_policy::SessionPolicy::user_default());
/// assert!(text.contains("| `idle_timeout` | 30min |"));
/// ```
pub fn describe(policy: &SessionPolicy) -> String {
    let mut text = String::from("| setting | value |\n|---|---|\n");
    let rows = lifetimes(policy).into_iter().chain(behaviour(policy)).chain(travel(policy));
    for (key, value) in rows.chain(sockets(policy)) {
        text.extend(["| `", key, "` | ", &value, " |\n"]);
    }
    text
}

type Row = (&'static str, String);

fn lifetimes(policy: &SessionPolicy) -> Vec<Row> {
    let mut rows = vec![("ttl", duration_text(policy.ttl))];
    let optional = [
        ("idle_timeout", policy.idle_timeout),
        ("absolute_timeout", policy.absolute_timeout),
        ("rotate_every", policy.rotate_every),
    ];
    rows.extend(optional.into_iter().filter_map(|(key, value)| Some((key, duration_text(value?)))));
    rows.push(("renew", policy.renew.to_string()));
    if policy.activity != Activity::Use {
        rows.push(("activity", policy.activity.to_string()));
    }
    if policy.rotate_on_use {
        rows.push(("rotate_on_use", "true".into()));
    }
    if policy.rotate_on_use || policy.rotate_every.is_some() {
        rows.push(("rotation_grace", duration_text(policy.rotation_grace)));
    }
    if let Some(interval) = policy.touch_every {
        rows.push(("touch_every", duration_text(interval)));
    }
    if let Some(remember) = policy.remember {
        rows.push(("remember.ttl", duration_text(remember.ttl)));
        if let Some(idle) = remember.idle_timeout {
            rows.push(("remember.idle_timeout", duration_text(idle)));
        }
    }
    rows.push(("fresh_for", duration_text(policy.fresh_for)));
    rows
}

fn behaviour(policy: &SessionPolicy) -> Vec<Row> {
    let mut rows = vec![("scope", policy.scope.to_string())];
    if let CarryOver::Keys(keys) = &policy.carry_over {
        rows.push(("carry_over", keys.join(", ")));
    }
    if policy.fingerprint_binding {
        rows.push(("fingerprint_binding", "true".into()));
    }
    if policy.client_address {
        rows.push(("client_address", "true".into()));
    }
    if !policy.trusted_proxies.is_empty() {
        let proxies: Vec<String> = policy.trusted_proxies.iter().map(ToString::to_string).collect();
        rows.push(("trusted_proxies", proxies.join(", ")));
        rows.push(("forwarded_header", policy.forwarded_header.to_string()));
    }
    rows.push(("on_server_error", policy.on_server_error.to_string()));
    rows.push(("on_conflict", policy.on_conflict.to_string()));
    if let Some(serial) = policy.serial {
        rows.push(("serial.wait", duration_text(serial.wait)));
        rows.push(("serial.lease", duration_text(serial.lease)));
    }
    let near = [("near_cache", policy.near_cache), ("outage_grace", policy.outage_grace)];
    rows.extend(near.into_iter().filter_map(|(key, time)| Some((key, duration_text(time?)))));
    rows.push(("max_size", size_text(policy.max_size as u64)));
    rows.push(("max_keys", policy.max_keys.to_string()));
    if !policy.is_persistent() {
        rows.push(("persistence.enabled", "false".into()));
        return rows;
    }
    rows.push(("persistence.store_name", policy.persistence.store_name.clone()));
    if policy.persistence.codec != Codec::Json {
        rows.push(("persistence.codec", policy.persistence.codec.to_string()));
    }
    let limit = policy.concurrency.max_sessions_per_principal;
    rows.push((
        "concurrency.max_sessions_per_principal",
        limit.map_or_else(|| "unlimited".into(), |most| most.to_string()),
    ));
    if limit.is_some() {
        rows.push(("concurrency.behavior_on_limit", policy.concurrency.behavior_on_limit.to_string()));
    }
    rows
}

fn travel(policy: &SessionPolicy) -> Vec<Row> {
    let transport = &policy.transport;
    let mut rows = vec![("transport.adapter", transport.adapter.to_string())];
    if transport.adapter == Adapter::Composite {
        rows.push(("transport.order", transport.order()));
    }
    if transport.carries(Adapter::Header) || transport.carries(Adapter::Bearer) {
        rows.push(("transport.header_name", transport.header_name.clone()));
    }
    if transport.carries(Adapter::Cookie) {
        rows.push(("transport.cookie_name", transport.cookie_name.clone()));
        rows.push(("transport.cookie_samesite", transport.cookie_samesite.to_string()));
        rows.push(("transport.cookie_secure", transport.cookie_secure.to_string()));
        rows.push(("transport.cookie_path", transport.cookie_path.clone()));
        if let Some(domain) = &transport.cookie_domain {
            rows.push(("transport.cookie_domain", domain.clone()));
        }
    }
    if transport.carries(Adapter::Cookie) || transport.carries(Adapter::Custom) {
        rows.push(("csrf", policy.csrf.to_string()));
        if !policy.trusted_origins.is_empty() {
            rows.push(("trusted_origins", policy.trusted_origins.join(", ")));
        }
    }
    rows
}

/// What is said about sockets, where it is not the default.
fn sockets(policy: &SessionPolicy) -> Vec<Row> {
    let socket = &policy.socket;
    let mut rows = Vec::new();
    if !socket.origins.is_empty() {
        rows.push(("socket.origins", socket.origins.join(", ")));
    }
    if socket.require != SocketRequire::Authenticated {
        rows.push(("socket.require", socket.require.to_string()));
    }
    if socket.credential != SocketCredential::Transport {
        rows.push(("socket.credential", socket.credential.to_string()));
    }
    if socket.activity != SocketActivity::Message {
        rows.push(("socket.activity", socket.activity.to_string()));
    }
    if let Some(every) = socket.check_every {
        rows.push(("socket.check_every", duration_text(every)));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_policy_shows_no_cookie() {
        let text = describe(&SessionPolicy::api_token());
        assert!(text.contains("| `transport.header_name` | X-Session-ID |"));
        assert!(!text.contains("cookie_"));
    }

    #[test]
    fn a_policy_of_one_request_shows_no_store() {
        let text = describe(&SessionPolicy::ephemeral());
        assert!(text.contains("| `persistence.enabled` | false |"));
        assert!(!text.contains("store_name"));
    }
}
