//! The presets: policies that are ready to use and to extend. Each passes every rule.

use crate::builder::SessionPolicyBuilder;
use crate::keys::{Fallback, Key};
use crate::policy::SessionPolicy;
use crate::value::{Setting, read_fallback};

/// A preset: what it states over the defaults.
#[derive(Debug)]
pub(crate) struct Preset {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    /// Dotted paths and values.
    pub(crate) entries: &'static [(&'static str, Fallback)],
}

impl Preset {
    /// What it states for `key`.
    pub(crate) fn value(&self, key: &Key) -> Option<Setting> {
        let (_, value) = self.entries.iter().find(|(path, _)| *path == key.path())?;
        read_fallback(key, *value)
    }
}

pub(crate) const PRESETS: &[Preset] = &[
    Preset {
        name: "user_default",
        doc: "people on the web",
        entries: &[
            ("ttl", Fallback::Text("7days")),
            ("idle_timeout", Fallback::Text("30min")),
            ("concurrency.max_sessions_per_principal", Fallback::Count(5)),
            ("concurrency.behavior_on_limit", Fallback::Text("evict_oldest")),
            ("transport.adapter", Fallback::Text("cookie")),
            ("transport.cookie_samesite", Fallback::Text("lax")),
        ],
    },
    Preset {
        name: "api_token",
        doc: "programs that send a header",
        entries: &[
            ("ttl", Fallback::Text("1h")),
            ("transport.adapter", Fallback::Text("header")),
            ("concurrency.max_sessions_per_principal", Fallback::Text("unlimited")),
        ],
    },
    Preset {
        name: "ephemeral",
        doc: "state of one request, never stored and never sent",
        entries: &[("scope", Fallback::Text("request")), ("persistence.enabled", Fallback::Bool(false))],
    },
    Preset {
        name: "admin",
        doc: "people with power: short, strict, one at a time",
        entries: &[
            ("ttl", Fallback::Text("8h")),
            ("renew", Fallback::Text("sliding")),
            ("idle_timeout", Fallback::Text("15min")),
            ("absolute_timeout", Fallback::Text("12h")),
            ("concurrency.max_sessions_per_principal", Fallback::Count(1)),
            ("concurrency.behavior_on_limit", Fallback::Text("reject")),
            ("transport.cookie_samesite", Fallback::Text("strict")),
        ],
    },
    Preset {
        name: "mobile",
        doc: "apps on a person's phone",
        entries: &[
            ("ttl", Fallback::Text("90days")),
            ("idle_timeout", Fallback::Text("30days")),
            ("scope", Fallback::Text("device")),
            ("concurrency.max_sessions_per_principal", Fallback::Count(3)),
            ("concurrency.behavior_on_limit", Fallback::Text("evict_oldest")),
        ],
    },
    Preset {
        name: "device",
        doc: "devices that stay signed in",
        entries: &[
            ("ttl", Fallback::Text("90days")),
            ("idle_timeout", Fallback::Text("30days")),
            ("scope", Fallback::Text("device")),
            ("concurrency.max_sessions_per_principal", Fallback::Count(10)),
            ("concurrency.behavior_on_limit", Fallback::Text("evict_oldest")),
        ],
    },
];

/// The preset of that name.
pub(crate) fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// Every preset's name, in quotes.
pub(crate) fn preset_names() -> String {
    PRESETS.iter().map(|preset| format!("`{}`", preset.name)).collect::<Vec<_>>().join(", ")
}

impl SessionPolicy {
    /// The preset for people on the web: 7 days, idle 30 min, at most 5 sessions, a cookie.
    pub fn user_default() -> Self {
        built(Self::for_web_users())
    }

    /// The preset for programs: 1 h, a header, no limit.
    pub fn api_token() -> Self {
        built(Self::for_api_tokens())
    }

    /// The preset for state of one request: never stored, never sent.
    pub fn ephemeral() -> Self {
        built(Self::for_single_requests())
    }

    /// The preset for people with power: 8 h sliding, idle 15 min, 12 h at most, one session, `SameSite=Strict`.
    pub fn admin() -> Self {
        built(Self::for_admin_users())
    }

    /// The preset for apps on a phone: 90 days, idle 30 days, at most 3 sessions.
    pub fn mobile() -> Self {
        built(Self::for_mobile_users())
    }

    /// The preset for devices that stay signed in: 90 days, idle 30 days, at most 10 sessions.
    pub fn device() -> Self {
        built(Self::for_devices())
    }
}

fn built(preset: SessionPolicyBuilder) -> SessionPolicy {
    preset.build().expect("each preset passes every rule, as a test proves")
}
