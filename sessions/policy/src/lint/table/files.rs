//! Lints about policy files: what is written, what overrides it, what is suppressed.

use super::super::Severity::{Error, Info, Warning};
use super::super::{Judged, Lint};
use super::lint;

pub(super) const LINTS: &[Lint] = &[
    lint(
        "SL090",
        "secret-in-file",
        (Error, Warning),
        &["secret_in_file"],
        [
            "A key that stands in the policy file is in the repository, in every build of the program, which holds the \
             file, and with everyone who reads either.",
            "Set the variable that the message names from where the deployment keeps its secrets; take a new key, as \
             this one has been read.",
            "OWASP ASVS 5.0, 13.3.1",
        ],
    )
    .excusable(),
    lint(
        "SL092",
        "proxy-any",
        (Error, Warning),
        &["proxy_any", "proxy_network", "forwarded_by_no_one", "address_without_sessions"],
        [
            "A proxy tells whom it speaks for in a field that any client can write too. It is believed from the listed \
             proxies alone, so a list that holds everyone believes everyone, and a field that no listed proxy writes is \
             not read.",
            "List the addresses or networks of your proxies, such as `[\"10.0.0.0/8\"]`.",
            "OWASP ASVS 5.0, 4.1.3",
        ],
    )
    .warns_too(),
    lint(
        "SL093",
        "schema",
        (Error, Error),
        &[
            "syntax",
            "unknown_table",
            "unknown_key",
            "unknown_variable",
            "unknown_policy",
            "lost_policy",
            "profile_alone",
            "declared_twice",
            "stated_twice",
            "name",
            "shared_type",
            "wrong_kind",
            "unknown_word",
            "bare_number",
            "zero_duration",
            "negative_duration",
            "out_of_range",
            "later_version",
            "unknown_extends",
            "cyclic_extends",
            "unknown_store",
            "store_timeout",
            "store_migration",
            "store_place",
            "store_place_missing",
            "store_feature",
            "codec_feature",
            "encryption_feature",
            "encryption_keys",
            "index_key",
            "cookie_path",
        ],
        [
            "What isn't a table, key, name or value of a policy file is a mistake, and never ignored: a misspelt key \
             would leave its default in force. A duration and a size have a unit.",
            "Write what the message suggests; every key is in KEYS.md.",
            "",
        ],
    ),
    lint(
        "SL094",
        "env-weakens",
        (Error, Warning),
        &["env_weakens"],
        [
            "A variable that makes a policy fail a lint which it passes without the variable: what was reviewed is \
             not what would run. Shorter lifetimes, lower limits and another store never weaken a policy.",
            "Unset the variable, or change the file, where the change is reviewed.",
            "OWASP ASVS 5.0, 13.4.2",
        ],
    )
    .judged_by(Judged::AtStart),
    lint(
        "SL095",
        "dev-exposed",
        (Error, Error),
        &[],
        [
            "The development profile accepts what production refuses, so it opens sessions for this machine alone: the \
             server has to tell the peer (`sessions::Peer` among the request's extensions), which is a loopback address, \
             the request names no other host, and no proxy has forwarded it.",
            "Unset `SESSIONS_PROFILE`; or connect from the machine itself, to a server that tells the peer.",
            "OWASP ASVS 5.0, 13.4.2",
        ],
    )
    .judged_by(Judged::OnRequests),
    lint(
        "SL096",
        "bad-suppression",
        (Error, Error),
        &["bad_suppression", "expired_suppression", "unused_suppression"],
        [
            "A suppression names a lint that may be suppressed, and says why, who answers for it and until when. One \
             that has expired is an error of the command line, and a warning of the build and at start. One that suppresses nothing is a \
             warning, where neither a variable nor a profile may be why.",
            "Write `allow = [{ rule = \"SL010\", reason = \"…\", owner = \"…\", until = \"2027-01-31\" }]`.",
            "OWASP ASVS 5.0, 7.1.1",
        ],
    ),
    lint(
        "SL099",
        "ip-enforced",
        (Warning, Info),
        &["fingerprint_enforced"],
        [
            "A session that is bound to the client's fingerprint ends when the browser is updated, and a thief can \
             copy what the fingerprint is made of.",
            "Drop `fingerprint_binding`, or allow it where it was weighed.",
            "OWASP Session Management Cheat Sheet, Binding the Session ID to Other User Properties",
        ],
    ),
    lint(
        "SL101",
        "without-effect",
        (Error, Error),
        &[
            "cookie_key_without_cookie",
            "header_key_without_header",
            "order_without_composite",
            "limit_without_sessions",
            "behavior_without_limit",
            "serial_without_turns",
            "activity_without_lifetime",
            "touch_without_use",
            "ttl_past_the_end",
            "fresh_past_the_end",
            "remember_under_ttl",
            "remember_without_sessions",
            "remember_without_ttl",
            "rotation_twice",
            "rotation_past_the_end",
            "store_key_without_effect",
        ],
        [
            "A key that has no effect beside the others looks as if it protected something. A length that never comes to \
             its end, a behavior at a limit that isn't there, and an activity that nothing goes by, are warnings.",
            "Drop the key, or what takes its effect away.",
            "",
        ],
    )
    .warns_too(),
    lint(
        "SL102",
        "contradiction",
        (Error, Error),
        &["request_is_stored", "scope_needs_store"],
        [
            "Sessions of one request are never stored, all others are: two keys that say otherwise can't both hold.",
            "Drop one of the two keys.",
            "",
        ],
    ),
];
