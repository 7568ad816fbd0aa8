//! What a change is to leave in the outbox, given to the store together with it.

#[cfg(test)]
use crate::token::SessionId;

/// Events that are written if a change is made, and with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// Those of the change itself, as JSON.
    pub(crate) events: Vec<String>,
    /// One more for each session that ends by it.
    pub(crate) each: Option<Each>,
}

/// An event of a session that only the store can name: what is before, between and behind the two places of its handle.
#[cfg_attr(
    not(any(feature = "postgres", feature = "redis")),
    allow(dead_code, reason = "only stores with an outbox read it")
)]
#[derive(Clone, Debug)]
pub(crate) struct Each(pub(crate) [String; 3]);

impl Each {
    /// The handle that an event is made with which is to be taken apart.
    pub(crate) const PLACE: &str = "AAAAAAAAAAAAAAAAAAAAAA";

    /// Takes apart an event of the handle [`PLACE`](Self::PLACE), whose id ends in it too.
    pub(crate) fn of(json: &str) -> Option<Self> {
        // Neither is found in a value: a quotation mark has a backslash in front of it there.
        let in_id = format!("{}\",\"event\":\"", Self::PLACE);
        let in_handle = format!("\"handle\":\"{}\"", Self::PLACE);
        let (before, rest) = json.split_at_checked(json.find(&in_id)?)?;
        let rest = rest.strip_prefix(Self::PLACE)?;
        let (between, behind) = rest.split_at_checked(rest.find(&in_handle)? + "\"handle\":\"".len())?;
        let behind = behind.strip_prefix(Self::PLACE)?;
        Some(Self([before, between, behind].map(str::to_owned)))
    }

    /// The event of one session.
    #[cfg(test)]
    fn event(&self, id: SessionId) -> String {
        let [before, between, behind] = &self.0;
        let handle = id.handle();
        format!("{before}{handle}{between}{handle}{behind}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_taken_apart_around_its_handle_whatever_else_it_says() {
        let json = r#"{"id":"run-o1.AAAAAAAAAAAAAAAAAAAAAA","event":"session_revoked","node":"\"handle\":\"AAAAAAAAAAAAAAAAAAAAAA\"","handle":"AAAAAAAAAAAAAAAAAAAAAA","principal":{"id":"AAAAAAAAAAAAAAAAAAAAAA"}}"#;
        let each = Each::of(json).unwrap();
        assert_eq!(each.event(SessionId::new(3, [0; 16])), json);
        let event = each.event(SessionId::new(3, [1; 16]));
        assert_eq!(event.matches("AQEBAQEBAQEBAQEBAQEBAQ").count(), 2);
        assert!(event.contains(r#"run-o1.AQEBAQEBAQEBAQEBAQEBAQ","event"#), "{event}");
        assert!(Each::of("{}").is_none());
    }
}
