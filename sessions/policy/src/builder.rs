//! The fluent builder: a policy written as calls. It makes a declaration like any other, which takes the one
//! path through `resolve` and the rules.

use std::borrow::Cow;
use std::time::Duration;

use crate::configuration::Configuration;
use crate::origin::Location;
use crate::policy::{
    Activity, Adapter, BehaviorOnLimit, Codec, ForwardedHeader, OnConflict, Renew, SameSite, Scope,
    SessionPolicy, SocketActivity, SocketCredential,
};
use crate::problems::Problems;
use crate::source::{Declaration, Entry, Literal, Sources};
use crate::value::duration_text;

impl SessionPolicy {
    /// A builder that begins with the preset [`user_default`](Self::user_default).
    #[track_caller]
    pub fn for_web_users() -> SessionPolicyBuilder {
        SessionPolicyBuilder::extending("user_default")
    }

    /// A builder that begins with the preset [`api_token`](Self::api_token).
    #[track_caller]
    pub fn for_api_tokens() -> SessionPolicyBuilder {
        SessionPolicyBuilder::extending("api_token")
    }

    /// A builder that begins with the preset [`ephemeral`](Self::ephemeral).
    #[track_caller]
    pub fn for_single_requests() -> SessionPolicyBuilder {
        SessionPolicyBuilder::extending("ephemeral")
    }

    /// A builder that begins with the preset [`admin`](Self::admin).
    #[track_caller]
    pub fn for_admin_users() -> SessionPolicyBuilder {
        SessionPolicyBuilder::extending("admin")
    }

    /// A builder that begins with the preset [`mobile`](Self::mobile).
    #[track_caller]
    pub fn for_mobile_users() -> SessionPolicyBuilder {
        SessionPolicyBuilder::extending("mobile")
    }

    /// A builder that begins with the preset [`device`](Self::device).
    #[track_caller]
    pub fn for_devices() -> SessionPolicyBuilder {
        SessionPolicyBuilder::extending("device")
    }

    /// A builder that begins with the plain defaults.
    #[track_caller]
    pub fn named(name: impl Into<String>) -> SessionPolicyBuilder {
        SessionPolicyBuilder {
            name: name.into(),
            location: Location::caller(),
            extends: None,
            entries: Vec::new(),
        }
    }
}

/// A policy in the making. A later call overrides an earlier one of the same key.
///
/// ```
/// use std::time::Duration;
/// use sessions_policy::{BehaviorOnLimit, SessionPolicy};
///
/// let policy = SessionPolicy::for_web_users()
///     .named("backoffice")
///     .lasting(Duration::from_secs(8 * 3600))
///     .max_concurrent(1, BehaviorOnLimit::Reject)
///     .build()?;
/// assert_eq!(policy.concurrency().max_sessions_per_principal(), Some(1));
/// # Ok::<(), sessions_policy::Problems>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct SessionPolicyBuilder {
    name: String,
    location: Location,
    extends: Option<&'static str>,
    entries: Vec<Entry>,
}

impl SessionPolicyBuilder {
    #[track_caller]
    fn extending(preset: &'static str) -> Self {
        Self {
            name: preset.to_owned(),
            location: Location::caller(),
            extends: Some(preset),
            entries: Vec::new(),
        }
    }

    /// The policy's name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets any key by its dotted path, as configuration would write it.
    #[track_caller]
    pub fn set(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Literal>) -> Self {
        let key = key.into();
        self.entries.retain(|entry| entry.key != key);
        self.entries.push(Entry { key, value: value.into(), location: Location::caller() });
        self
    }

    #[track_caller]
    fn duration(self, key: &'static str, value: Duration) -> Self {
        self.set(key, duration_text(value))
    }

    /// How long a session lives (`ttl`).
    #[track_caller]
    pub fn lasting(self, ttl: Duration) -> Self {
        self.duration("ttl", ttl)
    }

    /// How long it lives without activity.
    #[track_caller]
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.duration("idle_timeout", timeout)
    }

    /// It lives on without activity.
    #[track_caller]
    pub fn no_idle_timeout(self) -> Self {
        self.set("idle_timeout", "off")
    }

    /// The end that no activity moves.
    #[track_caller]
    pub fn absolute_timeout(self, timeout: Duration) -> Self {
        self.duration("absolute_timeout", timeout)
    }

    /// Activity renews `ttl`.
    #[track_caller]
    pub fn sliding(self) -> Self {
        self.set("renew", Renew::Sliding.as_str())
    }

    /// Only a request that changes the session counts as activity.
    #[track_caller]
    pub fn active_by_change(self) -> Self {
        self.set("activity", Activity::Change.as_str())
    }

    /// Each use changes the id.
    #[track_caller]
    pub fn rotating_on_use(self) -> Self {
        self.set("rotate_on_use", true)
    }

    /// An id changes at this age; the old one still works for `grace`.
    #[track_caller]
    pub fn rotating_every(self, age: Duration, grace: Duration) -> Self {
        self.duration("rotate_every", age).duration("rotation_grace", grace)
    }

    /// How far the stored last-seen time may lag behind.
    #[track_caller]
    pub fn touching_every(self, interval: Duration) -> Self {
        self.duration("touch_every", interval)
    }

    /// The lifetimes of a session whose user asked to be remembered.
    #[track_caller]
    pub fn remember(self, ttl: Duration, idle_timeout: Option<Duration>) -> Self {
        let builder = self.duration("remember.ttl", ttl);
        match idle_timeout {
            Some(idle) => builder.duration("remember.idle_timeout", idle),
            None => builder.set("remember.idle_timeout", "off"),
        }
    }

    /// How long after its login a session counts as fresh.
    #[track_caller]
    pub fn fresh_for(self, time: Duration) -> Self {
        self.duration("fresh_for", time)
    }

    /// The only keys of an anonymous session's data that stay at login.
    #[track_caller]
    pub fn carrying_over<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        self.set("carry_over", texts(keys))
    }

    /// Unsafe requests with no sign of where they come from are refused.
    #[track_caller]
    pub fn strict_csrf(self) -> Self {
        self.set("csrf", "strict")
    }

    /// Other origins whose unsafe requests are accepted, as `https://host[:port]`.
    #[track_caller]
    pub fn trusting_origins<O: Into<String>>(self, origins: impl IntoIterator<Item = O>) -> Self {
        self.set("trusted_origins", texts(origins))
    }

    /// A session is bound to the client's fingerprint.
    #[track_caller]
    pub fn with_fingerprint_binding(self) -> Self {
        self.set("fingerprint_binding", true)
    }

    /// A login notes the client's address, for the list of a person's devices. It is personal data.
    #[track_caller]
    pub fn noting_client_address(self) -> Self {
        self.set("client_address", true)
    }

    /// The proxies, as addresses or networks like `10.0.0.0/8`, whose [`forwarded_by`](Self::forwarded_by) is believed.
    #[track_caller]
    pub fn trusting_proxies<N: Into<String>>(self, networks: impl IntoIterator<Item = N>) -> Self {
        self.set("trusted_proxies", texts(networks))
    }

    /// The field in which those proxies tell whom they speak for.
    #[track_caller]
    pub fn forwarded_by(self, header: ForwardedHeader) -> Self {
        self.set("forwarded_header", header.as_str())
    }

    /// What a session belongs to.
    #[track_caller]
    pub fn scoped_to(self, scope: Scope) -> Self {
        self.set("scope", scope.as_str())
    }

    /// How many sessions a principal may have, and what a login beyond that does.
    #[track_caller]
    pub fn max_concurrent(self, most: u32, behavior: BehaviorOnLimit) -> Self {
        self.set("concurrency.max_sessions_per_principal", most)
            .set("concurrency.behavior_on_limit", behavior.as_str())
    }

    /// A principal may have any number of sessions.
    #[track_caller]
    pub fn unlimited_concurrent(self) -> Self {
        self.set("concurrency.max_sessions_per_principal", "unlimited")
    }

    /// Requests of one session take turns: one waits at most `wait`, and a turn lasts at most `lease`.
    #[track_caller]
    pub fn one_request_at_a_time(self, wait: Duration, lease: Duration) -> Self {
        self.set("on_conflict", OnConflict::Serial.as_str())
            .duration("serial.wait", wait)
            .duration("serial.lease", lease)
    }

    /// The origins whose pages may open a socket, as `https://host[:port]`, instead of the request's own host.
    #[track_caller]
    pub fn sockets_from<O: Into<String>>(self, origins: impl IntoIterator<Item = O>) -> Self {
        self.set("socket.origins", texts(origins))
    }

    /// Reads may be answered by copies that are at most so old; 1 s to 30 s.
    #[track_caller]
    pub fn near_cache(self, bound: Duration) -> Self {
        self.duration("near_cache", bound)
    }

    /// Reads of known sessions are served for so long while the store does not answer; 1 s to 30 s.
    #[track_caller]
    pub fn outage_grace(self, grace: Duration) -> Self {
        self.duration("outage_grace", grace)
    }

    /// How long a socket stays open while the store does not answer; 1 s to 30 s.
    #[track_caller]
    pub fn socket_outage(self, outage: Duration) -> Self {
        self.duration("socket.outage", outage)
    }

    /// What of a socket counts as activity of its session.
    #[track_caller]
    pub fn socket_activity(self, activity: SocketActivity) -> Self {
        self.set("socket.activity", activity.as_str())
    }

    /// How the page that opens a socket proves its session.
    #[track_caller]
    pub fn socket_credential(self, credential: SocketCredential) -> Self {
        self.set("socket.credential", credential.as_str())
    }

    /// The store that keeps the sessions.
    #[track_caller]
    pub fn stored_in(self, store: impl Into<String>) -> Self {
        self.set("persistence.store_name", store.into())
    }

    /// How values are written; `messagepack` takes the feature of that name of the crate `sessions`.
    #[track_caller]
    pub fn encoded_as(self, codec: Codec) -> Self {
        self.set("persistence.codec", codec.as_str())
    }

    /// Sessions last for one request and are never stored.
    #[track_caller]
    pub fn not_stored(self) -> Self {
        self.set("persistence.enabled", false).set("scope", Scope::Request.as_str())
    }

    /// The id travels in a cookie of the default name.
    #[track_caller]
    pub fn via_cookie(self) -> Self {
        self.set("transport.adapter", Adapter::Cookie.as_str())
    }

    /// The id travels in this header.
    #[track_caller]
    pub fn via_header(self, name: impl Into<String>) -> Self {
        self.set("transport.adapter", Adapter::Header.as_str()).set("transport.header_name", name.into())
    }

    /// The id travels in `Authorization: Bearer` (RFC 6750); responses tell it in this header.
    #[track_caller]
    pub fn via_bearer(self, answered_in: impl Into<String>) -> Self {
        self.set("transport.adapter", Adapter::Bearer.as_str())
            .set("transport.header_name", answered_in.into())
    }

    /// The id travels by one of these; a request that presents none is answered by the first.
    #[track_caller]
    pub fn via_one_of(self, carriers: impl IntoIterator<Item = Adapter>) -> Self {
        let order = carriers.into_iter().map(Adapter::as_str);
        self.set("transport.adapter", Adapter::Composite.as_str()).set("transport.order", texts(order))
    }

    /// The id travels as a transport of the application's own says.
    #[track_caller]
    pub fn via_own_transport(self) -> Self {
        self.set("transport.adapter", Adapter::Custom.as_str())
    }

    /// The cookie's name.
    #[track_caller]
    pub fn cookie_name(self, name: impl Into<String>) -> Self {
        self.set("transport.cookie_name", name.into())
    }

    /// The cookie's `SameSite` attribute.
    #[track_caller]
    pub fn cookie_samesite(self, same_site: SameSite) -> Self {
        self.set("transport.cookie_samesite", same_site.as_str())
    }

    /// The cookie's `Path` attribute.
    #[track_caller]
    pub fn cookie_path(self, path: impl Into<String>) -> Self {
        self.set("transport.cookie_path", path.into())
    }

    /// The cookie's `Domain` attribute.
    #[track_caller]
    pub fn cookie_domain(self, domain: impl Into<String>) -> Self {
        self.set("transport.cookie_domain", domain.into())
    }

    /// Suppresses what a lint finds, such as `SL010`: why, who answers for it, and until which day (`2027-01-31`).
    #[track_caller]
    pub fn allowing(mut self, lint: &str, reason: &str, owner: &str, until: &str) -> Self {
        let fields = [("rule", lint), ("reason", reason), ("owner", owner), ("until", until)];
        let fields: Vec<(String, String)> =
            fields.into_iter().map(|(field, text)| (field.to_owned(), text.to_owned())).collect();
        let earlier = self.entries.iter_mut().find(|entry| entry.key == "allow");
        if let Some(Entry { value: Literal::Entries(entries), .. }) = earlier {
            entries.push(fields);
            return self;
        }
        self.set("allow", Literal::Entries(vec![fields]))
    }

    /// The policy, checked by every rule but that its store exists, which only a whole configuration can tell.
    ///
    /// # Errors
    /// Every problem at once, each with the place of the call that caused it.
    pub fn build(self) -> Result<SessionPolicy, Problems> {
        let name = self.name.clone();
        let sources = Sources { declarations: vec![self.into_declaration()], ..Sources::default() };
        let configuration = sources.check_detached()?;
        Ok(declared(configuration, &name))
    }

    /// The declaration that this builder stands for, to be checked with others in [`Sources`].
    pub fn into_declaration(self) -> Declaration {
        let extends = self.extends.map(|preset| Entry {
            key: Cow::Borrowed("extends"),
            value: Literal::text(preset),
            location: self.location.clone(),
        });
        let stated = self.entries.iter().any(|entry| entry.key == "extends");
        let entries = extends.filter(|_| !stated).into_iter().chain(self.entries).collect();
        Declaration { name: Cow::Owned(self.name), location: self.location, entries }
    }
}

fn declared(configuration: Configuration, name: &str) -> SessionPolicy {
    let mut policies = configuration.policies.into_iter();
    policies.find(|policy| policy.name() == name).expect("a checked configuration has what was declared")
}

fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(Into::into).collect()
}
