//! Who a session belongs to once someone has logged in.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::Value;

/// An authenticated party: a kind, an id, its roles and attributes.
///
/// Kind and id name it: `user:7` and `service:7` are two. Roles are what guards ask for; attributes are what handlers
/// show. Both are kept in the session, so they are as old as the login: change them by authenticating again.
///
/// ```
/// use sessions::SessionPrincipal;
///
/// let ada = SessionPrincipal::user("u1").with("name", "Ada").role("customer");
/// assert_eq!(ada.kind(), "user");
/// assert_eq!(ada.get_attribute("name").and_then(|name| name.as_str()), Some("Ada"));
/// assert!(ada.has_role("customer"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SessionPrincipal {
    kind: Cow<'static, str>,
    id: String,
    roles: Vec<String>,
    attributes: BTreeMap<String, Value>,
}

impl SessionPrincipal {
    /// A person.
    pub fn user(id: impl Into<String>) -> Self {
        Self::new("user", id)
    }

    /// A program.
    pub fn service(id: impl Into<String>) -> Self {
        Self::new("service", id)
    }

    /// A machine that a person or a service owns.
    pub fn device(id: impl Into<String>) -> Self {
        Self::new("device", id)
    }

    /// A party of a kind of your own.
    pub fn new(kind: impl Into<Cow<'static, str>>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into(), roles: Vec::new(), attributes: BTreeMap::new() }
    }

    /// Adds an attribute, replacing one of the same name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// Adds a role.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        let role = role.into();
        if let Err(place) = self.roles.binary_search(&role) {
            self.roles.insert(place, role);
        }
        self
    }

    /// Adds several roles.
    #[must_use]
    pub fn roles<R: Into<String>>(self, roles: impl IntoIterator<Item = R>) -> Self {
        roles.into_iter().fold(self, Self::role)
    }

    /// The kind: `user`, `service`, `device` or one of your own.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The id, unique within its kind.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// One attribute.
    pub fn get_attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// All attributes, by name.
    pub fn attributes(&self) -> &BTreeMap<String, Value> {
        &self.attributes
    }

    /// Whether it has a role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.binary_search_by(|own| own.as_str().cmp(role)).is_ok()
    }

    /// Its roles, sorted.
    pub fn role_names(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(String::as_str)
    }

    /// Whether both are the same party, whatever their roles and attributes.
    pub fn is_same_party(&self, other: &Self) -> bool {
        self.kind == other.kind && self.id == other.id
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + self.kind.len() + self.id.len());
        crate::record::wire::put_text(&mut bytes, &self.kind);
        crate::record::wire::put_text(&mut bytes, &self.id);
        crate::record::wire::put_length(&mut bytes, self.roles.len());
        for role in &self.roles {
            crate::record::wire::put_text(&mut bytes, role);
        }
        if !self.attributes.is_empty() {
            serde_json::to_writer(&mut bytes, &self.attributes)
                .expect("a map of JSON values with text keys is always written, and a Vec takes every byte");
        }
        bytes
    }

    /// Kind and id of an encoded principal, without reading the rest.
    pub(crate) fn name_of(bytes: &[u8]) -> Option<(&str, &str)> {
        let mut wire = crate::record::wire::Reader::new(bytes);
        Some((wire.text()?, wire.text()?))
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut wire = crate::record::wire::Reader::new(bytes);
        let kind = match wire.text()? {
            "user" => Cow::Borrowed("user"),
            "service" => Cow::Borrowed("service"),
            "device" => Cow::Borrowed("device"),
            other => Cow::Owned(other.to_owned()),
        };
        let id = wire.text()?.to_owned();
        let count = wire.length()?;
        let mut roles = Vec::new();
        for _ in 0..count {
            roles.push(wire.text()?.to_owned());
        }
        let rest = wire.rest();
        let attributes = if rest.is_empty() { BTreeMap::new() } else { serde_json::from_slice(rest).ok()? };
        Some(Self { kind, id, roles, attributes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_round_trips() {
        for principal in [
            SessionPrincipal::user("u1"),
            SessionPrincipal::service("billing").role("b").role("a").role("b"),
            SessionPrincipal::new("robot", "ü")
                .with("n", 7)
                .with("deep", serde_json::json!({"a": [1, null]})),
        ] {
            assert_eq!(SessionPrincipal::decode(&principal.encode()), Some(principal));
        }
    }

    #[test]
    fn cut_bytes_are_refused() {
        let bytes = SessionPrincipal::user("u1").role("admin").with("a", 1).encode();
        for cut in 0..bytes.len() - 7 {
            assert!(SessionPrincipal::decode(&bytes[..cut]).is_none(), "{cut}");
        }
    }
}
