//! What a page is made from: the settings in force, who looks at it, and where it is mounted.

use std::{fmt::Write as _, sync::Arc};

use axum::extract::{FromRequestParts, OriginalUri};
use http::request::Parts;

use super::{Shared, access::Operator};
use crate::{
    engine::SessionEngine,
    fault::{Fault, SessionError},
    principal::SessionPrincipal,
    registry::Settings,
};

/// One page's view of the registry.
pub(super) struct View {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Arc<Settings>,
    pub(super) operator: Operator,
    /// The path that the dashboard is mounted under.
    base: String,
}

impl FromRequestParts<Arc<Shared>> for View {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, SessionError> {
        let operator = Operator::from_request_parts(parts, shared).await?;
        let inner = parts.uri.path();
        let outer = parts.extensions.get::<OriginalUri>().map_or(inner, |original| original.path());
        let base = outer.strip_suffix(inner).unwrap_or(outer).trim_end_matches('/').to_owned();
        Ok(Self { shared: Arc::clone(shared), settings: shared.settings(), operator, base })
    }
}

impl View {
    /// The address of a page.
    pub(super) fn at(&self, path: &str) -> String {
        if path == "/" && !self.base.is_empty() { self.base.clone() } else { format!("{}{path}", self.base) }
    }

    /// The same with a query; what is empty is left out.
    pub(super) fn asking(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut address = self.at(path);
        let asked = query.iter().filter(|(_, value)| !value.is_empty());
        for (place, (name, value)) in asked.enumerate() {
            address.push(if place == 0 { '?' } else { '&' });
            address.push_str(name);
            address.push('=');
            encode(value, &mut address);
        }
        address
    }

    /// Where the sessions of a principal are.
    pub(super) fn sessions_of(&self, kind: &str, id: &str) -> String {
        self.asking("/sessions", &[("kind", kind), ("id", id)])
    }

    /// Where one session of a principal is.
    pub(super) fn session(&self, kind: &str, id: &str, handle: &str) -> String {
        self.asking("/session", &[("kind", kind), ("id", id), ("handle", handle)])
    }

    /// The engine that speaks for all policies.
    pub(super) fn engine(&self) -> Result<&SessionEngine, SessionError> {
        let none = || SessionError::new(Fault::Unusable, "the registry has no policy");
        Shared::engine(&self.settings).ok_or_else(none)
    }

    pub(super) fn may_revoke(&self) -> bool {
        !self.shared.is_read_only
    }
}

/// The principal that a form or an address names; `None` if it names none.
pub(super) fn principal(kind: &str, id: &str) -> Option<SessionPrincipal> {
    let kind = if kind.is_empty() { "user" } else { kind };
    (!id.is_empty()).then(|| SessionPrincipal::new(kind.to_owned(), id))
}

/// Writes a text as a part of a query (RFC 3986 2.1): all but unreserved bytes are escaped.
fn encode(text: &str, to: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            to.push(char::from(byte));
        } else {
            write!(to, "%{byte:02X}").expect("a string takes any text");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_out_of_a_query() {
        let mut address = String::new();
        encode("a&b=c d\"<>#é\n%", &mut address);
        assert_eq!(address, "a%26b%3Dc%20d%22%3C%3E%23%C3%A9%0A%25");
    }
}
