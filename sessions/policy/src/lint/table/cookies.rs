//! Lints about cookies: what their names and attributes promise.

use super::super::Lint;
use super::super::Severity::{Error, Info, Silent, Warning};
use super::lint;

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
];
