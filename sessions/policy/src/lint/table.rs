//! The table of lints: one row each, in the order of the ids.

use super::Severity::{Error, Info, Silent, Warning};
use super::{Judged, Lint, Severity, Suppressible};

const fn lint(
    id: &'static str,
    name: &'static str,
    (production, development): (Severity, Severity),
    rules: &'static [&'static str],
    [doc, fix, citation]: [&'static str; 3],
) -> Lint {
    let suppression = match production {
        Error => Suppressible::No,
        _ => Suppressible::Yes,
    };
    let judged = Judged::Everywhere;
    Lint { id, name, rules, production, development, suppression, judged, doc, fix, citation }
}

impl Lint {
    const fn excusable(mut self) -> Self {
        self.suppression = Suppressible::Yes;
        self
    }

    const fn warns_too(mut self) -> Self {
        self.suppression = Suppressible::Warnings;
        self
    }

    const fn judged_by(mut self, judged: Judged) -> Self {
        self.judged = judged;
        self
    }
}

pub(super) const LINTS: &[Lint] = &[
    lint(
        "SL001",
        "secure-missing",
        (Error, Warning),
        &["cookie_insecure"],
        [
            "`cookie_secure = false` lets the browser send the id in clear, where anyone on the way can read it.",
            "Drop `cookie_secure`. Browsers accept secure cookies from loopback addresses without TLS.",
            "OWASP ASVS 5.0, 3.3.1; NIST SP 800-63B-4, 5.1.1",
        ],
    ),
    lint(
        "SL002",
        "httponly-missing",
        (Error, Error),
        &["cookie_httponly_off"],
        [
            "`cookie_httponly = false` hands the id to every script of the page, the injected ones included.",
            "Drop `cookie_httponly`. What a script has to know, a route can tell it.",
            "OWASP ASVS 5.0, 3.3.4; NIST SP 800-63B-4, 5.1.1",
        ],
    ),
    lint(
        "SL003",
        "prefix-missing",
        (Error, Info),
        &["cookie_prefix_missing"],
        [
            "A cookie without the prefix `__Host-` or `__Host-Http-` can be set by a sibling host or over HTTP; one \
             with a `Domain` has `__Secure-` at least. Browsers enforce what a prefix says.",
            "Drop `cookie_name` for the default, or begin it with `__Host-Http-`.",
            "OWASP ASVS 5.0, 3.3.1 and 3.3.3",
        ],
    )
    .excusable(),
    lint(
        "SL004",
        "prefix-broken",
        (Error, Error),
        &["cookie_prefix"],
        [
            "Browsers refuse a cookie whose attributes break what its prefix promises: `__Host-` allows no `Domain` \
             and no `Path` but `/`, and each prefix asks for `Secure`.",
            "Drop the attribute, or choose a name without the prefix.",
            "RFC 6265bis 4.1.3",
        ],
    ),
    lint(
        "SL005",
        "prefix-case",
        (Error, Error),
        &["cookie_prefix_spelling"],
        [
            "Browsers compare prefixes without regard to case, servers mostly don't: a name that only looks as if it \
             had a prefix is refused, or protects nothing.",
            "Write the prefix exactly, or a name that doesn't resemble one.",
            "RFC 6265bis 5.4",
        ],
    ),
    lint(
        "SL006",
        "name-grammar",
        (Error, Error),
        &["cookie_name"],
        [
            "A cookie's name is a token, isn't empty and doesn't begin with `$`.",
            "Write letters, digits, `-` and `_`.",
            "RFC 6265bis 4.1.1",
        ],
    ),
    lint(
        "SL007",
        "name-collision",
        (Error, Error),
        &["shared_cookie_name", "shared_header_name"],
        [
            "Two policies whose cookies or headers have the same name, also in other letters, overwrite each other's \
             ids.",
            "Give each policy a name of its own.",
            "OWASP Session Management Cheat Sheet, Multiple Cookies",
        ],
    ),
    lint(
        "SL008",
        "name-fingerprint",
        (Warning, Silent),
        &["cookie_name_fingerprint"],
        [
            "A name such as `PHPSESSID` or `connect.sid` tells an attacker which software to try, and here tells a lie.",
            "Drop `cookie_name`, or choose one that says nothing.",
            "OWASP Session Management Cheat Sheet, Session ID Name Fingerprinting",
        ],
    ),
    lint(
        "SL010",
        "samesite-none",
        (Error, Warning),
        &["samesite_none"],
        [
            "`cookie_samesite = \"none\"` sends the cookie with the requests of every other site.",
            "Write `\"lax\"` or `\"strict\"`. A page that has to work inside another site's frame may allow it.",
            "OWASP Session Management Cheat Sheet, SameSite; NIST SP 800-63B-4, 5.1.1",
        ],
    )
    .excusable(),
    lint(
        "SL011",
        "samesite-none-insecure",
        (Error, Error),
        &["samesite_none_insecure"],
        [
            "Browsers refuse a cookie with `SameSite=None` that isn't `Secure`.",
            "Drop `cookie_secure`.",
            "RFC 6265bis 5.7",
        ],
    ),
    lint(
        "SL013",
        "domain-set",
        (Error, Warning),
        &["cookie_domain_set"],
        [
            "With a `Domain` the cookie goes to every host below it: the weakest of them can read the id.",
            "Drop `cookie_domain`: then only the host that set the cookie gets it.",
            "OWASP ASVS 5.0, 3.3.3; RFC 6265bis 8.6",
        ],
    )
    .excusable(),
    lint(
        "SL014",
        "domain-invalid",
        (Error, Error),
        &["cookie_domain"],
        [
            "A `Domain` is a name of at least two labels, without a leading dot, and no address.",
            "Write a name such as `example.com`, or drop the key.",
            "RFC 6265bis 4.1.2.3",
        ],
    ),
    lint(
        "SL015",
        "path-narrow",
        (Warning, Warning),
        &["cookie_path_narrow"],
        [
            "A `Path` protects nothing: a page elsewhere on the host can read the cookie through a frame. It only \
             makes the cookie missing where it is needed.",
            "Drop `cookie_path`. What has to be kept apart needs a host of its own.",
            "RFC 6265bis 8.5",
        ],
    ),
    lint(
        "SL016",
        "cookie-size",
        (Error, Error),
        &["cookie_too_long", "cookie_path_too_long", "cookie_name_long"],
        [
            "Browsers drop a cookie whose name and value have more than 4096 bytes, and an attribute of more than \
             1024. Above 512 bytes it is a warning: the cookie travels with every request.",
            "Write a shorter name or path.",
            "OWASP ASVS 5.0, 3.3.5; RFC 6265bis 5.6",
        ],
    )
    .warns_too(),
    lint(
        "SL017",
        "age-cap",
        (Error, Error),
        &["remember_over_cookie"],
        [
            "Browsers keep no cookie longer than 400 days, so `remember.ttl` can't promise more.",
            "Write at most `\"400days\"`.",
            "RFC 6265bis 5.5",
        ],
    ),
    lint(
        "SL030",
        "idle-missing",
        (Error, Warning),
        &["idle_missing"],
        [
            "Without `idle_timeout` a session that was left open stays open. It isn't asked for where sessions last \
             for a request, or for one hour at most.",
            "Write `idle_timeout`, such as `\"30min\"`.",
            "OWASP ASVS 5.0, 7.3.1",
        ],
    ),
    lint(
        "SL031",
        "absolute-missing",
        (Error, Warning),
        &["absolute_missing"],
        [
            "With `renew = \"sliding\"` and no `absolute_timeout`, a session that is used has no end, and neither has \
             a stolen one.",
            "Write `absolute_timeout`, such as `\"12h\"`, or `renew = \"fixed\"`.",
            "OWASP ASVS 5.0, 7.3.2",
        ],
    ),
    lint(
        "SL032",
        "idle-gt-absolute",
        (Error, Error),
        &["idle_over_ttl", "idle_over_absolute", "remember_idle_over_ttl"],
        [
            "An idle timeout that is longer than the session's life never has an effect.",
            "Lower the idle timeout, or raise the lifetime.",
            "OWASP Session Management Cheat Sheet, Session Expiration",
        ],
    ),
    lint(
        "SL035",
        "idle-range",
        (Warning, Silent),
        &["idle_long"],
        [
            "Thirty minutes are the upper end of what is recommended for an idle timeout. Devices (`scope = \
             \"device\"`), which their owners lock, are left out.",
            "Lower `idle_timeout`; who wants to be remembered longer can ask for it by `remember`.",
            "OWASP Session Management Cheat Sheet, Session Expiration",
        ],
    ),
    lint(
        "SL036",
        "touch-interval",
        (Error, Error),
        &["touch_over_idle", "touch_coarse"],
        [
            "A `touch_every` that reaches the lifetime that activity prolongs ends sessions which are in use. Above a \
             quarter of it, it is a warning: sessions end up to that much too early.",
            "Lower `touch_every`, or drop it: the default is a tenth, at most one minute.",
            "OWASP ASVS 5.0, 7.3.1",
        ],
    )
    .warns_too(),
    lint(
        "SL037",
        "no-rotation",
        (Warning, Silent),
        &["no_rotation"],
        [
            "A session that activity keeps alive for more than eight hours keeps one id for as long, unless it is \
             changed by age. A preset's own lifetime isn't complained about.",
            "Write `rotate_every`, such as `\"1h\"`.",
            "OWASP Session Management Cheat Sheet, Renewal Timeout",
        ],
    ),
    lint(
        "SL038",
        "grace",
        (Error, Error),
        &["grace_too_long", "grace_over_rotation", "grace_long"],
        [
            "While the grace lasts, the id before works too: a stolen one as well. It has to be shorter than \
             `rotate_every` and at most 120 s. Above 30 s it is a warning.",
            "Drop `rotation_grace`: the default is 30 s.",
            "OWASP ASVS 5.0, 7.2.4",
        ],
    )
    .warns_too(),
    lint(
        "SL039",
        "remember-no-reuse",
        (Error, Warning),
        &["remember_without_rotation"],
        [
            "An id that works for more than 30 days and never changes can't be found out when it was copied: reuse is \
             detected only where ids change.",
            "Write `rotate_every`, such as `\"1day\"`, or a `remember.ttl` of at most 30 days.",
            "OWASP ASVS 5.0, 10.4.5",
        ],
    ),
    lint(
        "SL040",
        "rotate-off",
        (Error, Error),
        &["privilege_rotation_off"],
        [
            "An id that survives a login lets whoever planted it come in with the user (session fixation).",
            "Drop `rotate_on_privilege_change`.",
            "OWASP ASVS 5.0, 7.2.4",
        ],
    ),
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
            "The development profile accepts what production refuses, so requests that come from another machine are \
             refused under it.",
            "Unset `SESSIONS_PROFILE`, or connect from the machine itself.",
            "OWASP ASVS 5.0, 13.4.2",
        ],
    )
    .judged_by(Judged::OnRequests),
    lint(
        "SL096",
        "bad-suppression",
        (Error, Error),
        &["bad_suppression", "expired_suppression"],
        [
            "A suppression names a lint that may be suppressed, and says why, who answers for it and until when. One \
             that has expired is an error of the command line, and a warning of the build and at start.",
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
            "limit_without_sessions",
            "remember_without_sessions",
            "remember_without_ttl",
            "rotation_twice",
            "rotation_past_the_end",
            "store_key_without_effect",
        ],
        [
            "A key that has no effect beside the others looks as if it protected something.",
            "Drop the key, or what takes its effect away.",
            "",
        ],
    ),
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
