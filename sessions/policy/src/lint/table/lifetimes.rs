//! Lints about time: how long a session and its id live.

use super::super::Lint;
use super::super::Severity::{Error, Silent, Warning};
use super::lint;

pub(super) const LINTS: &[Lint] = &[
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
];
