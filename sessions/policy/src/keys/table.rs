//! The table of keys: every key of a policy and of a store, with its kind, default and meaning.

use super::{Fallback, Key, Kind, Safer, Table};
use crate::policy::{
    Activity, Adapter, BehaviorOnLimit, CloseCodes, Codec, Csrf, Durability, ForwardedHeader, OnConflict,
    OnServerError, Pooler, Renew, SameSite, Scope, SocketActivity, SocketCredential, SocketRequire, WhenFull,
};

const fn policy(path: &'static str, kind: Kind, doc: &'static str) -> Key {
    row(Table::Policies, path, kind, doc)
}

const fn store(path: &'static str, kind: Kind, doc: &'static str) -> Key {
    row(Table::Stores, path, kind, doc)
}

const fn row(table: Table, path: &'static str, kind: Kind, doc: &'static str) -> Key {
    let fallback = Fallback::Unset;
    Key {
        path,
        table,
        kind,
        fallback,
        doc,
        inherited: true,
        secret: false,
        reserved: false,
        safer: Safer::Neither,
        citation: "",
    }
}

/// A name that a later version will give a meaning: known, so that it can be told from a slip.
const fn later(table: Table, path: &'static str, doc: &'static str) -> Key {
    let mut key = row(table, path, Kind::Text, doc);
    key.reserved = true;
    key
}

const DURATION: Kind = Kind::Duration { word: None };
/// A duration that a policy may switch off although what it extends sets it.
const DURATION_OR_OFF: Kind = Kind::Duration { word: Some("off") };

const fn choice(words: &'static [&'static str]) -> Kind {
    Kind::Choice { words, reserved: &[] }
}

const ALLOW: &str = "which lints are suppressed, why, by whom and until when; never by a variable";

pub(super) const POLICY_KEYS: &[Key] = &[
    policy(
        "extends",
        Kind::Name,
        "another policy, else a preset, whose keys hold where this one has none; its own name means the preset",
    )
    .never_inherited(),
    policy("ttl", DURATION, "how long a session lives").word("7days")
    .safer_if(Safer::Shorter)
    .asked_for_by("OWASP ASVS 5.0, 7.1.1 and 7.3.2; NIST SP 800-63B-4, 5.2"),
    policy("idle_timeout", DURATION_OR_OFF, "how long it lives without activity")
    .safer_if(Safer::Shorter)
    .asked_for_by("OWASP ASVS 5.0, 7.1.1 and 7.3.1; NIST SP 800-63B-4, 5.2"),
    policy(
        "absolute_timeout",
        DURATION_OR_OFF,
        "the end that no activity moves, counted from login or creation",
    )
    .safer_if(Safer::Shorter)
    .asked_for_by("OWASP ASVS 5.0, 7.1.1 and 7.3.2; NIST SP 800-63B-4, 5.2"),
    policy(
        "renew",
        choice(Renew::WORDS),
        "`fixed`: `ttl` counts from login or creation; `sliding`: activity renews it, up to `absolute_timeout`",
    )
    .word("fixed")
    .safer_if(Safer::Earlier(&["fixed", "sliding"]))
    .asked_for_by("OWASP ASVS 5.0, 7.3.2"),
    policy(
        "activity",
        choice(Activity::WORDS),
        "what counts as activity: `use`, every request that opens the session; `change`, only one that changes it",
    )
    .word("use")
    .safer_if(Safer::Earlier(&["change", "use"]))
    .asked_for_by("OWASP ASVS 5.0, 7.1.1 and 7.3.1; NIST SP 800-63B-4, 5.2"),
    policy("rotate_on_use", Kind::Bool, "whether each use changes the id").fallback_to(Fallback::Bool(false))
    .safer_if(Safer::True)
    .asked_for_by("OWASP Session Management Cheat Sheet, Renewal Timeout"),
    policy(
        "rotate_on_privilege_change",
        Kind::Bool,
        "a login, logout or step-up changes the id; always `true` (OWASP ASVS 5.0, 7.2.4)",
    )
    .fallback_to(Fallback::Bool(true))
    .safer_if(Safer::True)
    .asked_for_by("OWASP ASVS 5.0, 7.2.4; NIST SP 800-63B-4, 5.1"),
    policy("rotate_every", DURATION_OR_OFF, "how old an id gets before it changes")
    .safer_if(Safer::Shorter)
    .asked_for_by("OWASP Session Management Cheat Sheet, Renewal Timeout"),
    policy(
        "rotation_grace",
        DURATION,
        "how long the old id works on after a rotation by use or age; at most 120 s, less than `rotate_every`",
    )
    .word("30s")
    .safer_if(Safer::Shorter)
    .asked_for_by("OWASP ASVS 5.0, 7.2.4"),
    policy("touch_every", DURATION, "how far the stored last-seen time may lag behind").fallback_to(
        Fallback::Derived(
            "a tenth of the shortest lifetime that activity prolongs, at most 60 s",
        ),
    )
    .asked_for_by("OWASP ASVS 5.0, 7.3.1"),
    policy(
        "remember.ttl",
        DURATION_OR_OFF,
        "how long a session lives whose user asked to be remembered; at most 400 days (RFC 6265bis 5.5)",
    )
    .safer_if(Safer::ShorterOrNone)
    .asked_for_by("OWASP ASVS 5.0, 7.1.1 and 7.3.2; RFC 6265bis 5.5"),
    policy(
        "remember.idle_timeout",
        DURATION_OR_OFF,
        "how long such a session lives without activity; needs `remember.ttl`",
    )
    .safer_if(Safer::Shorter)
    .asked_for_by("OWASP ASVS 5.0, 7.1.1 and 7.3.1"),
    policy("fresh_for", DURATION, "how long after its login a session counts as fresh").word("5min")
    .safer_if(Safer::Shorter)
    .asked_for_by("OWASP ASVS 5.0, 7.5.1 and 7.5.3"),
    policy(
        "carry_over",
        Kind::List { word: Some("all") },
        "which keys of an anonymous session's data stay at login",
    )
    .word("all")
    .safer_if(Safer::Fewer)
    .asked_for_by("OWASP WSTG, WSTG-SESS-08"),
    policy(
        "csrf",
        choice(Csrf::WORDS),
        "`strict` also refuses unsafe requests with neither `Sec-Fetch-Site` nor `Origin`",
    )
    .word("standard")
    .safer_if(Safer::Earlier(&["strict", "standard"]))
    .asked_for_by("OWASP ASVS 5.0, 3.5.1; NIST SP 800-63B-4, 5.1"),
    policy(
        "trusted_origins",
        Kind::List { word: None },
        "other origins, as `https://host[:port]`, whose unsafe requests are accepted",
    )
    .fallback_to(Fallback::Empty)
    .safer_if(Safer::Fewer)
    .asked_for_by("OWASP ASVS 5.0, 3.5.1"),
    policy("fingerprint_binding", Kind::Bool, "whether a session is bound to the client's fingerprint")
        .fallback_to(Fallback::Bool(false))
    .safer_if(Safer::True)
    .asked_for_by("OWASP Session Management Cheat Sheet, Binding the Session ID to Other User Properties"),
    policy(
        "client_address",
        Kind::Bool,
        "whether a login notes the client's address, for the list of a person's devices; it is personal data",
    )
    .fallback_to(Fallback::Bool(false)),
    policy(
        "trusted_proxies",
        Kind::List { word: None },
        "the proxies, as addresses or networks like `10.0.0.0/8`, whose `forwarded_header` is believed",
    )
    .fallback_to(Fallback::Empty)
    .safer_if(Safer::Fewer)
    .asked_for_by("OWASP ASVS 5.0, 4.1.3"),
    policy(
        "forwarded_header",
        choice(ForwardedHeader::WORDS),
        "the field in which those proxies tell whom they speak for",
    )
    .word("x-forwarded-for"),
    policy(
        "scope",
        choice(Scope::WORDS),
        "what a session belongs to; `request` is never stored and never sent",
    )
    .word("user"),
    policy(
        "on_server_error",
        choice(OnServerError::WORDS),
        "what becomes of changes when the handler answers with a 5xx",
    )
    .word("drop"),
    policy(
        "on_conflict",
        choice(OnConflict::WORDS),
        "what becomes of a plain set of a key that another request changed meanwhile; `serial`: a session's requests take turns",
    )
    .word("last_write"),
    policy(
        "serial.wait",
        DURATION,
        "how long a request waits for its turn before it is refused with 423; at most 60 s; needs `on_conflict = \"serial\"`",
    )
    .word("10s"),
    policy(
        "serial.lease",
        DURATION,
        "how long a turn lasts at most, also if its process dies; 1 s to 5 min; needs `on_conflict = \"serial\"`",
    )
    .word("30s"),
    policy(
        "socket.origins",
        Kind::List { word: None },
        "the origins, as `https://host[:port]`, whose pages may open a socket; without any, the request's own host alone",
    )
    .fallback_to(Fallback::Empty)
    .safer_if(Safer::Fewer)
    .asked_for_by("OWASP ASVS 5.0, 4.4.2"),
    policy(
        "socket.require",
        choice(SocketRequire::WORDS),
        "what a session has to be, so that a socket may be opened on it; `session`: a visitor's will do too",
    )
    .word("authenticated")
    .safer_if(Safer::Earlier(&["authenticated", "session"]))
    .asked_for_by("OWASP ASVS 5.0, 4.4.3"),
    policy(
        "socket.credential",
        choice(SocketCredential::WORDS),
        "what proves the session of a socket: what the transport carries; the id as a subprotocol; or a ticket for one use",
    )
    .word("transport")
    .asked_for_by("OWASP ASVS 5.0, 4.4.3 and 4.4.4"),
    policy(
        "socket.activity",
        choice(SocketActivity::WORDS),
        "what of a socket counts as activity of its session: `message`, one from the client; `connected`, that it is open; \
         `none`, only what it writes",
    )
    .word("message")
    .safer_if(Safer::Earlier(&["none", "message", "connected"]))
    .asked_for_by("OWASP ASVS 5.0, 7.3.1"),
    policy(
        "socket.check_every",
        DURATION,
        "how often the sessions of open sockets are looked at, all of them at once; at most 60 s",
    )
    .fallback_to(Fallback::Derived(
        "a third of `idle_timeout`, at most 750 ms; at most 60 s where the store tells of endings by itself",
    ))
    .safer_if(Safer::Shorter)
    .asked_for_by("OWASP ASVS 5.0, 7.4.1"),
    policy(
        "socket.outage",
        DURATION,
        "how long a socket stays open while the store does not answer; 1 s to 30 s",
    )
    .word("10s")
    .safer_if(Safer::Shorter)
    .asked_for_by("OWASP ASVS 5.0, 7.4.1"),
    policy(
        "socket.max_per_session",
        Kind::Count { min: 1, max: 65_536, word: None },
        "how many sockets and streams of one session a process serves at once",
    )
    .fallback_to(Fallback::Count(16))
    .safer_if(Safer::Smaller)
    .asked_for_by("OWASP WebSocket Security Cheat Sheet"),
    policy(
        "socket.max_message",
        Kind::Size { min: 1 << 10, max: 16 << 20 },
        "the most bytes that a message of a client may have",
    )
    .word("64KiB")
    .safer_if(Safer::Smaller)
    .asked_for_by("OWASP WebSocket Security Cheat Sheet"),
    policy(
        "socket.close_codes",
        choice(CloseCodes::WORDS),
        "what closes a socket whose session is over: `one`, 4401 always; `by_reason`, 4403 for a change of privilege and \
         4408 where it was idle",
    )
    .word("one"),
    policy("max_size", Kind::Size { min: 1 << 10, max: 1 << 20 }, "the most bytes that a session may have")
        .word("64KiB")
    .safer_if(Safer::Smaller),
    policy(
        "max_keys",
        Kind::Count { min: 1, max: 65_536, word: None },
        "the most keys that a session may have",
    )
    .fallback_to(Fallback::Count(256))
    .safer_if(Safer::Smaller),
    policy(
        "near_cache",
        DURATION_OR_OFF,
        "how old a copy of a session may be that answers a read instead of the store, while this process hears of endings \
         elsewhere; 1 s to 30 s; where a word is lost, what has ended is served for that long; writes, guards of a recent login \
         and `guard::strict` always ask the store",
    )
    .safer_if(Safer::ShorterOrNone)
    .asked_for_by("OWASP ASVS 5.0, 7.4.1"),
    policy(
        "outage_grace",
        DURATION_OR_OFF,
        "how long reads of sessions that this process knows are served while the store does not answer; 1 s to 30 s; what is \
         written fails all the same",
    )
    .safer_if(Safer::ShorterOrNone)
    .asked_for_by("OWASP ASVS 5.0, 7.4.1"),
    policy("persistence.enabled", Kind::Bool, "whether sessions are stored; `false` makes the scope `request`")
        .fallback_to(Fallback::Bool(true)),
    policy("persistence.store_name", Kind::Name, "the store, a table under `stores`").word("main"),
    policy(
        "persistence.codec",
        choice(Codec::WORDS),
        "how values are written; each is read by its own codec, whatever this says; `messagepack` takes the feature \
         `messagepack` of the crate `sessions`",
    )
    .word("json"),
    later(Table::Policies, "persistence.write_through", "whether a cache writes through to its store"),
    later(Table::Policies, "persistence.compress", "whether records are compressed"),
    policy(
        "concurrency.max_sessions_per_principal",
        Kind::Count { min: 1, max: u32::MAX as u64, word: Some("unlimited") },
        "how many sessions of this policy a principal may have",
    )
    .word("unlimited")
    .safer_if(Safer::Smaller)
    .asked_for_by("OWASP ASVS 5.0, 7.1.2"),
    policy(
        "concurrency.behavior_on_limit",
        choice(BehaviorOnLimit::WORDS),
        "what a login beyond the limit does",
    )
    .word("evict_oldest")
    .asked_for_by("OWASP ASVS 5.0, 7.1.2"),
    policy(
        "transport.adapter",
        Kind::Choice { words: Adapter::WORDS, reserved: &["token"] },
        "how the id travels: `bearer` is `Authorization: Bearer`, `composite` what `transport.order` lists, and `custom` a \
         transport that the application binds",
    )
    .word("cookie"),
    policy(
        "transport.order",
        Kind::List { word: None },
        "`composite`: what may carry the id, two or more of `cookie`, `header`, `bearer`, `custom`; a request that names two \
         sessions is refused, and one that names none is answered by the first",
    )
    .safer_if(Safer::Fewer)
    .asked_for_by("OWASP Session Management Cheat Sheet, Used vs. Accepted Session ID Exchange Mechanisms"),
    policy("transport.cookie_name", Kind::Text, "the cookie's name; never inherited")
        .fallback_to(Fallback::Derived("`__Host-Http-` and the policy's name"))
        .never_inherited()
    .safer_if(Safer::Prefixed)
    .asked_for_by("OWASP ASVS 5.0, 3.3.1 and 3.3.3"),
    policy(
        "transport.cookie_httponly",
        Kind::Bool,
        "scripts can't read the cookie; always `true` (OWASP ASVS 5.0, 3.3.4)",
    )
    .fallback_to(Fallback::Bool(true))
    .safer_if(Safer::True)
    .asked_for_by("OWASP ASVS 5.0, 3.3.4; NIST SP 800-63B-4, 5.1.1"),
    policy("transport.cookie_secure", Kind::Bool, "whether the cookie is `Secure`")
        .fallback_to(Fallback::Bool(true))
    .safer_if(Safer::True)
    .asked_for_by("OWASP ASVS 5.0, 3.3.1; NIST SP 800-63B-4, 5.1.1"),
    policy("transport.cookie_samesite", choice(SameSite::WORDS), "the cookie's `SameSite`; `none` needs `Secure`")
        .word("lax")
    .safer_if(Safer::Earlier(&["strict", "lax", "none"]))
    .asked_for_by("OWASP ASVS 5.0, 3.3.2; NIST SP 800-63B-4, 5.1.1"),
    policy("transport.cookie_path", Kind::Text, "the cookie's `Path`").word("/")
    .asked_for_by("RFC 6265bis 8.5; NIST SP 800-63B-4, 5.1.1"),
    policy(
        "transport.cookie_domain",
        Kind::Text,
        "the cookie's `Domain`, which hands it to every host below; without it, only the host that set it",
    )
    .safer_if(Safer::Unset)
    .asked_for_by("OWASP ASVS 5.0, 3.3.3; RFC 6265bis 8.6"),
    policy(
        "transport.max_cookie_header",
        Kind::Size { min: 1 << 10, max: 1 << 20 },
        "the most bytes that a request's `Cookie` lines may have",
    )
    .word("16KiB")
    .safer_if(Safer::Smaller)
    .asked_for_by("OWASP ASVS 5.0, 4.2.5"),
    policy(
        "transport.max_cookie_pairs",
        Kind::Count { min: 1, max: 65_536, word: None },
        "the most pairs that a request's `Cookie` lines may have",
    )
    .fallback_to(Fallback::Count(128))
    .safer_if(Safer::Smaller)
    .asked_for_by("OWASP ASVS 5.0, 4.2.5"),
    policy(
        "transport.header_name",
        Kind::Text,
        "the header's name; with `bearer`, that of the response, which tells the client its id",
    )
    .word("X-Session-ID")
    .asked_for_by("OWASP ASVS 5.0, 4.1.3; RFC 9110 5.1"),
    policy("allow", Kind::Suppressions, ALLOW).fallback_to(Fallback::Empty)
    .asked_for_by("OWASP ASVS 5.0, 7.1.1"),
];

pub(super) const STORE_KEYS: &[Key] = &[
    store(
        "kind",
        Kind::Choice { words: &["memory", "file", "sqlite", "redis", "postgres", "custom"], reserved: &[] },
        "what keeps the sessions: `file` is for development, `sqlite`, `redis` and `postgres` need the feature of that name, \
         `custom` is a store that the application binds",
    )
    .fallback_to(Fallback::Text("memory")),
    store(
        "max_sessions",
        Kind::Count { min: 1, max: u32::MAX as u64, word: None },
        "`memory`: the most sessions that it holds",
    )
    .fallback_to(Fallback::Count(100_000)),
    store(
        "when_full",
        choice(WhenFull::WORDS),
        "`memory`: whether a full store makes room, anonymous sessions first, or refuses the newcomer",
    )
    .word("evict"),
    store(
        "directory",
        Kind::Text,
        "`file`: the folder that holds the sessions and nothing else, made where it is missing; a relative one begins at \
         the working directory",
    ),
    store(
        "url",
        Kind::Text,
        "`sqlite`: the database, as `sqlite://` and the path of its file, made where it is missing; a relative one begins \
         at the working directory. `redis`: the server, as `redis://HOST`, or `rediss://` with TLS; several hosts with commas \
         are a cluster, and `redis+sentinel://HOST,HOST/NAME` asks Sentinels. `postgres`: the database, as \
         `postgres://USER@HOST/DATABASE`, over TLS to another machine",
    )
    .secret(),
    store("key_prefix", Kind::Name, "`redis`: what its keys begin with; two applications on one server need two")
        .word("sessions"),
    store(
        "durability",
        choice(Durability::WORDS),
        "`redis`: when a write counts: once the `primary` has it, or once it is `replicated`, on one replica at least; \
         a write that no replica has in time is answered 503",
    )
    .word("primary"),
    store(
        "sentinel_username",
        Kind::Text,
        "`redis`: the user of the Sentinels' access control list, where they have one",
    ),
    store(
        "sentinel_password",
        Kind::Text,
        "`redis`: what the Sentinels' `requirepass` or user asks for; by a variable, never in the file; without it \
         Sentinels are asked as no one, and then as the user of the `url`",
    )
    .secret(),
    store(
        "client_certificate",
        Kind::Text,
        "`redis` and `postgres`, over TLS: the file of the certificate, in PEM, by which connections prove who they are; \
         read when the store is opened",
    ),
    store("client_key", Kind::Text, "`redis` and `postgres`, over TLS: the file of the certificate's key, in PEM")
        .secret(),
    store(
        "pooler",
        choice(Pooler::WORDS),
        "`postgres`: what is between a node and the server; `transaction` for one that lends connections by the transaction, \
         such as `PgBouncer`: endings on other nodes are looked for then, and `near_cache` has no effect",
    )
    .word("none"),
    store(
        "outbox",
        DURATION_OR_OFF,
        "`redis` and `postgres`: for how long events of what ends a session or changes its privileges are kept for consumers, \
         written together with the change; 1 min to 366 days, longer than any consumer is away",
    )
    .word("off")
    .asked_for_by("OWASP ASVS 5.0, 16.4.3"),
    store(
        "migrate_from",
        Kind::Name,
        "the store whose sessions move to this one: until `sessions migrate` is done, that one decides, and this one follows; \
         drop the key and the other store afterwards",
    ),
    store(
        "timeout",
        DURATION,
        "how long one request waits for it, all its calls together, and each call at most: then it is answered 503 with \
         `Retry-After`; what a request does meanwhile gives as much time back, so that streams may go on; at most 30 s",
    )
    .word("2s"),
    store(
        "encryption_keys",
        Kind::List { word: None },
        "keys that encrypt the values of sessions, each an id, a colon and 64 hexadecimal digits: the first encrypts, all \
         decrypt; by a variable, never in the file; takes the feature `encryption` of the crate `sessions`",
    )
    .secret()
    .asked_for_by("OWASP ASVS 5.0, 11.3.4 and 13.3.1"),
    store(
        "index_key",
        Kind::Text,
        "a key of 64 hexadecimal digits by which the store names principals, so that who reads the store can't tell whose \
         sessions are there; by a variable, never in the file; with another key every session is a stranger's, and all \
         are logged out",
    )
    .secret(),
    store("allow", Kind::Suppressions, ALLOW).fallback_to(Fallback::Empty),
];
