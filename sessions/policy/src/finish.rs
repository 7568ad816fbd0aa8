//! The last step: a policy that passed every rule becomes a [`SessionPolicy`].

use std::time::Duration;

use crate::adapt::derived_touch;
use crate::policy::{
    Activity, Adapter, BehaviorOnLimit, CarryOver, CloseCodes, Codec, ConcurrencyPolicy, Csrf,
    ForwardedHeader, Network, OnConflict, OnServerError, PersistencePolicy, RememberPolicy, Renew, SameSite,
    Scope, SerialPolicy, SessionPolicy, SocketActivity, SocketCredential, SocketPolicy, SocketRequire,
    TransportPolicy,
};
use crate::resolve::{ORDER, Resolved};
use crate::rules::normal_origin;

/// The policy that `resolved` describes.
pub(crate) fn finish(resolved: &Resolved) -> SessionPolicy {
    let idle_timeout = resolved.duration("idle_timeout");
    let remember = resolved.duration("remember.ttl").map(|ttl| {
        let idle_timeout = resolved.duration("remember.idle_timeout");
        RememberPolicy { ttl, idle_timeout }
    });
    let on_conflict = word(resolved, "on_conflict", OnConflict::from_word);
    let serial = (on_conflict == OnConflict::Serial).then(|| SerialPolicy {
        wait: duration(resolved, "serial.wait"),
        lease: duration(resolved, "serial.lease"),
    });
    SessionPolicy {
        name: resolved.name.clone(),
        ttl: duration(resolved, "ttl"),
        idle_timeout,
        absolute_timeout: resolved.duration("absolute_timeout"),
        renew: word(resolved, "renew", Renew::from_word),
        activity: word(resolved, "activity", Activity::from_word),
        rotate_on_use: resolved.truth("rotate_on_use"),
        rotate_every: resolved.duration("rotate_every"),
        rotation_grace: duration(resolved, "rotation_grace"),
        touch_every: resolved.duration("touch_every").or_else(|| derived_touch(resolved)),
        remember,
        fresh_for: duration(resolved, "fresh_for"),
        carry_over: match resolved.list("carry_over") {
            Some(keys) => CarryOver::Keys(keys.to_vec()),
            None => CarryOver::All,
        },
        csrf: word(resolved, "csrf", Csrf::from_word),
        trusted_origins: origins(resolved, "trusted_origins"),
        fingerprint_binding: resolved.truth("fingerprint_binding"),
        client_address: resolved.truth("client_address"),
        trusted_proxies: networks(resolved, "trusted_proxies"),
        forwarded_header: word(resolved, "forwarded_header", ForwardedHeader::from_word),
        scope: word(resolved, "scope", Scope::from_word),
        on_server_error: word(resolved, "on_server_error", OnServerError::from_word),
        on_conflict,
        serial,
        socket: socket(resolved),
        near_cache: resolved.duration("near_cache"),
        outage_grace: resolved.duration("outage_grace"),
        max_size: number(resolved, "max_size"),
        max_keys: number(resolved, "max_keys"),
        persistence: PersistencePolicy {
            enabled: resolved.truth("persistence.enabled"),
            store_name: text(resolved, "persistence.store_name"),
            codec: word(resolved, "persistence.codec", Codec::from_word),
        },
        concurrency: concurrency(resolved),
        transport: transport(resolved),
    }
}

fn concurrency(resolved: &Resolved) -> ConcurrencyPolicy {
    let limit = resolved.number("concurrency.max_sessions_per_principal");
    ConcurrencyPolicy {
        max_sessions_per_principal: limit.map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
        behavior_on_limit: word(resolved, "concurrency.behavior_on_limit", BehaviorOnLimit::from_word),
    }
}

fn transport(resolved: &Resolved) -> TransportPolicy {
    let adapter = word(resolved, "transport.adapter", Adapter::from_word);
    TransportPolicy {
        adapter,
        carriers: match adapter {
            Adapter::Composite => carriers(resolved),
            alone => vec![alone],
        },
        cookie_name: text(resolved, "transport.cookie_name"),
        cookie_httponly: resolved.truth("transport.cookie_httponly"),
        cookie_secure: resolved.truth("transport.cookie_secure"),
        cookie_samesite: word(resolved, "transport.cookie_samesite", SameSite::from_word),
        cookie_path: text(resolved, "transport.cookie_path"),
        cookie_domain: resolved.text("transport.cookie_domain").map(str::to_ascii_lowercase),
        max_cookie_header: number(resolved, "transport.max_cookie_header"),
        max_cookie_pairs: number(resolved, "transport.max_cookie_pairs"),
        header_name: text(resolved, "transport.header_name"),
    }
}

fn carriers(resolved: &Resolved) -> Vec<Adapter> {
    let order = resolved.list(ORDER).unwrap_or_default();
    order.iter().filter_map(|carrier| Adapter::from_word(carrier)).collect()
}

fn socket(resolved: &Resolved) -> SocketPolicy {
    SocketPolicy {
        origins: origins(resolved, "socket.origins"),
        credential: word(resolved, "socket.credential", SocketCredential::from_word),
        require: word(resolved, "socket.require", SocketRequire::from_word),
        activity: word(resolved, "socket.activity", SocketActivity::from_word),
        check_every: resolved.duration("socket.check_every"),
        outage: duration(resolved, "socket.outage"),
        max_per_session: number(resolved, "socket.max_per_session"),
        max_message: number(resolved, "socket.max_message"),
        close_codes: word(resolved, "socket.close_codes", CloseCodes::from_word),
    }
}

fn networks(resolved: &Resolved, key: &str) -> Vec<Network> {
    let written = resolved.list(key).unwrap_or_default();
    written.iter().filter_map(|network| network.parse().ok()).collect()
}

fn origins(resolved: &Resolved, key: &str) -> Vec<String> {
    let written = resolved.list(key).unwrap_or_default();
    let mut origins: Vec<String> = Vec::new();
    for origin in written.iter().filter_map(|origin| normal_origin(origin).ok()) {
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    origins
}

const DEFAULTED: &str = "the table of keys has a default of this kind, as a test proves";

fn duration(resolved: &Resolved, key: &str) -> Duration {
    resolved.duration(key).expect(DEFAULTED)
}

fn word<T>(resolved: &Resolved, key: &str, of: fn(&str) -> Option<T>) -> T {
    resolved.word(key).and_then(of).expect(DEFAULTED)
}

fn text(resolved: &Resolved, key: &str) -> String {
    resolved.text(key).expect(DEFAULTED).to_owned()
}

fn number(resolved: &Resolved, key: &str) -> usize {
    let number = resolved.number(key).expect(DEFAULTED);
    usize::try_from(number).unwrap_or(usize::MAX)
}
