//! Lints about sessions: how many, what they take over, who may ask for them, where they are kept.

use super::super::Severity::{Error, Info, Silent, Warning};
use super::super::{Judged, Lint};
use super::lint;

pub(super) const LINTS: &[Lint] = &[
    lint(
        "SL041",
        "limit-unstated",
        (Error, Warning),
        &["limit_unstated", "limit_off"],
        [
            "How many sessions a person may have at once is a decision that has to be made and written down. For \
             policies without a cookie, and in development, it is a warning. `\"unlimited\"` can be allowed.",
            "Write `concurrency = { max_sessions_per_principal = 5, behavior_on_limit = \"evict_oldest\" }`.",
            "OWASP ASVS 5.0, 7.1.2",
        ],
    )
    .excusable(),
    lint(
        "SL042",
        "turns",
        (Error, Error),
        &["serial_wait_too_long", "serial_lease_range"],
        [
            "With `on_conflict = \"serial\"` a request waits for its turn, and a turn lasts for a lease at most. A wait of \
             more than 60 s outlasts the clients; a lease of less than 1 s runs out while the store answers, and one of \
             more than 5 min keeps people out for as long after a crash.",
            "Drop the key: the defaults are 10 s and 30 s.",
            "",
        ],
    ),
    lint(
        "SL045",
        "carry-over",
        (Error, Error),
        &["carry_over", "carry_over_all"],
        [
            "What an anonymous session holds may have been put there by someone else; a login should take over what \
             it needs. A pattern is refused. `carry_over = \"all\"` is a warning where it is written.",
            "Write a list of keys, such as `[\"cart\"]`.",
            "OWASP WSTG, WSTG-SESS-08",
        ],
    )
    .warns_too(),
    lint(
        "SL051",
        "origin-list",
        (Error, Warning),
        &["trusted_origin", "trusted_origin_in_clear"],
        [
            "A trusted origin is one whole origin. Patterns, `null` and paths are refused in every profile. An \
             `http://` origin off loopback is refused in production: whoever is on the way can speak for it.",
            "Write each as `https://host` or `https://host:port`.",
            "OWASP ASVS 5.0, 3.5.1",
        ],
    ),
    lint(
        "SL054",
        "socket-origin",
        (Error, Warning),
        &["socket_origin", "socket_origin_in_clear"],
        [
            "Browsers let any page open a socket to any host and send the cookie along: the origin alone tells them \
             apart. Patterns, `null` and paths are refused in every profile, an `http://` origin off loopback in production.",
            "Write each as `https://host` or `https://host:port`; for pages of the same host drop the key.",
            "OWASP ASVS 5.0, 4.4.2; CVE-2023-40025 (Argo CD)",
        ],
    ),
    lint(
        "SL055",
        "socket-close",
        (Error, Warning),
        &["socket_check_range", "socket_check_seldom", "socket_outage_range"],
        [
            "A socket is closed when its session ends. What another process has ended is found by looking, so a look \
             more seldom than once a second serves people who have logged out. While the store does not answer, no one \
             knows: a socket is closed after 30 s at most.",
            "Drop `check_every`; its default is prompt, and one look is for all sockets. Write `outage` from 1 s to 30 s.",
            "OWASP ASVS 5.0, 7.4.1",
        ],
    )
    .excusable(),
    lint(
        "SL056",
        "multi-channel",
        (Error, Error),
        &["socket_subprotocol_of_cookie", "order_missing", "order_item"],
        [
            "An id travels through the channels that the policy declares, and through no other: one, or with `adapter = \
             \"composite\"` those of `order`. A cookie is hidden from scripts, so a socket that asks a script for the id \
             would have to be told it in another way.",
            "Drop `socket.credential`, or write `\"ticket\"`; name two or more carriers in `order`, each once.",
            "OWASP Session Management Cheat Sheet, Used vs. Accepted Session ID Exchange Mechanisms",
        ],
    ),
    lint(
        "SL057",
        "header-name",
        (Error, Error),
        &["header_name", "header_name_taken"],
        [
            "A session's header has a token as its name, and one that means nothing else: proxies change, join and \
             drop the fields that they know.",
            "Write a name of your own, such as `X-Session-ID`.",
            "OWASP ASVS 5.0, 4.1.3; RFC 9110 5.1",
        ],
    ),
    lint(
        "SL059",
        "socket-idle",
        (Warning, Silent),
        &["socket_keeps_alive"],
        [
            "With `socket.activity = \"connected\"` a tab that was left open keeps its session alive, and `idle_timeout` \
             never ends it.",
            "Write `socket.activity = \"message\"`, and send one when the person does something.",
            "OWASP ASVS 5.0, 7.3.1",
        ],
    ),
    lint(
        "SL070",
        "store-memory",
        (Warning, Silent),
        &["store_memory"],
        [
            "A store in the memory of the process ends all sessions at a restart, and nodes share none. It is judged \
             at start, as the environment decides where sessions are kept.",
            "Bind a store that outlives the process, or allow this one.",
            "OWASP Session Management Cheat Sheet, Session Repository",
        ],
    )
    .judged_by(Judged::AtStart),
    lint(
        "SL071",
        "store-plain-link",
        (Warning, Silent),
        &["store_plain_link"],
        [
            "Records cross the network as they are, and whoever can reach a server without a password can end, change or \
             make every session. An address of this machine is no network. It is judged at start, as the environment \
             decides where sessions are kept.",
            "Write `rediss://` with a user and a password; or allow it, where something else encrypts the link and decides \
             who may use it.",
            "OWASP ASVS 5.0, 12.3.1 and 13.2.1",
        ],
    )
    .judged_by(Judged::AtStart),
    lint(
        "SL072",
        "redis-evicts",
        (Warning, Warning),
        &[],
        [
            "A Redis server whose `maxmemory-policy` is not `noeviction` drops sessions without a word when its memory is \
             full: people are logged out, and limits are counted wrongly. The server is asked when the store is opened.",
            "Say `CONFIG SET maxmemory-policy noeviction` to the server, and write it in its configuration file.",
            "",
        ],
    )
    .judged_by(Judged::OnOpening)
    .unexcused(),
    lint(
        "SL075",
        "payload-cap",
        (Error, Warning),
        &["payload_large"],
        [
            "Each request reads the whole session. Above 64 KiB, a visitor can make the store and the process carry \
             more than a session needs.",
            "Lower `max_size`, and keep large data under a key of your own elsewhere.",
            "CVE-2016-4423 (Symfony)",
        ],
    ),
    lint(
        "SL076",
        "near-cache",
        (Error, Warning),
        &["near_cache_range", "near_cache_long", "outage_grace_range", "outage_grace_rotates", "near_without_effect"],
        [
            "With `near_cache` a process answers reads from copies, and with `outage_grace` also while its store does not \
             answer. What ends a session elsewhere is told at once, but a word can be lost: then the session is served until \
             the copy is too old.",
            "Write `near_cache` from 1 s to 5 s, and `outage_grace` to 30 s at most; neither where requests take turns, nor \
             a grace where each use changes the id.",
            "OWASP ASVS 5.0, 7.4.1",
        ],
    )
    .excusable(),
    lint(
        "SL077",
        "near-pointless",
        (Error, Silent),
        &["near_pointless"],
        [
            "A store in the process or the machine is as near as a copy, and a pooler that lends connections by the \
             transaction lets no process hear of endings, so no copy could be used. It is judged at start, as the \
             environment decides where sessions are kept.",
            "Drop the key, or write it under `[production]`, beside the store that it is for.",
            "",
        ],
    )
    .excusable()
    .judged_by(Judged::AtStart),
    lint(
        "SL078",
        "store-file",
        (Error, Silent),
        &["store_file"],
        [
            "The `file` store is for development: it keeps each session in a file of its own, for one process, and \
             every change waits for the disk.",
            "Write `kind = \"sqlite\"` with a `url`, also under `[production.stores.NAME]` alone; or run with \
             `SESSIONS_PROFILE=development`.",
            "OWASP ASVS 5.0, 13.4.2",
        ],
    ),
    lint(
        "SL079",
        "store-replication",
        (Info, Silent),
        &["store_replication"],
        [
            "A Redis server answers before it has replicated: a failover can undo what it answered in the last moments, a \
             logout or a revocation among them. docs/REDIS.md says how to make that rare. It is judged at start, as the \
             environment decides where sessions are kept.",
            "Keep the sessions of a policy that may never lose a revocation in a store that answers when they are on the \
             disk, such as `kind = \"sqlite\"`.",
            "",
        ],
    )
    .judged_by(Judged::AtStart),
    lint(
        "SL080",
        "store-in-clear",
        (Error, Warning),
        &["store_in_clear"],
        [
            "Whoever is on the way to the store reads the records of all sessions and the password of its user, and can \
             write what they like.",
            "Drop `sslmode=disable`; give the server a certificate, and name its authority by `sslrootcert` if the system \
             does not know it.",
            "OWASP ASVS 5.0, 12.3.1",
        ],
    )
    .excusable(),
];
