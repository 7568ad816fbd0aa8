//! The carriers of one policy: its transport, or the several of a composite in their declared order. What none of them
//! says alone is decided here: whether they contradict each other, and which of them answers.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use sessions_policy::{Adapter, SessionPolicy};

use super::{BearerTransport, CookieTransport, HeaderTransport, Presented, Transport};
use crate::{fault::Fault, web::RequestHead};

/// The transports of one policy.
#[derive(Debug)]
pub(crate) struct Carriers {
    /// In their order; at most four, and none where the one that the application has to bind is missing.
    all: Box<[(Adapter, Arc<dyn Transport>)]>,
    /// The application's own.
    own: Option<Arc<dyn Transport>>,
}

/// Which carriers have to do with a request: a bit for each place in the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// Who presented something.
    asked: u8,
    /// Whom the handler chose for a client that presented nothing.
    chosen: u8,
}

impl Carried {
    /// Whether the request presented something, of whatever kind.
    pub(crate) fn has_asked(self) -> bool {
        self.asked != 0
    }

    fn answering(self) -> u8 {
        match self {
            Self { asked: 0, chosen: 0 } => 1,
            Self { asked: 0, chosen } => chosen,
            Self { asked, .. } => asked,
        }
    }
}

impl Carriers {
    /// The carriers that the policy names. A transport of the application's own takes the place of `custom`, and where
    /// the policy doesn't name that, the place of all.
    pub(crate) fn of(policy: &SessionPolicy, own: Option<Arc<dyn Transport>>) -> Self {
        let transport = policy.transport();
        let made = |adapter: &Adapter| -> Option<(Adapter, Arc<dyn Transport>)> {
            let carrier: Arc<dyn Transport> = match adapter {
                Adapter::Cookie => Arc::new(CookieTransport::new(transport)),
                Adapter::Header => Arc::new(HeaderTransport::new(transport)),
                Adapter::Bearer => Arc::new(BearerTransport::new(transport)),
                _ => Arc::clone(own.as_ref()?),
            };
            Some((*adapter, carrier))
        };
        let all: Option<Box<[_]>> = match &own {
            Some(own) if !transport.carries(Adapter::Custom) => {
                Some(Box::new([(Adapter::Custom, Arc::clone(own))]))
            }
            _ => transport.carriers().iter().map(made).collect(),
        };
        Self { all: all.unwrap_or_default(), own }
    }

    /// The same under another policy.
    pub(crate) fn under(&self, policy: &SessionPolicy) -> Self {
        Self::of(policy, self.own.clone())
    }

    /// Whether the policy names a transport of the application's own, and there is none.
    pub(crate) fn are_missing(&self) -> bool {
        self.all.is_empty()
    }

    /// What a request presents, and who presented it. Two carriers that don't present the same are contradictory:
    /// nothing is guessed. All are read, so that the order hides none.
    pub(crate) fn read(&self, head: RequestHead<'_>) -> (Presented, Carried) {
        let (mut found, mut carried) = (Presented::Nothing, Carried::default());
        for ((_, carrier), bit) in self.with_bits() {
            let next = carrier.read(head);
            if matches!(next, Presented::Nothing) {
                continue;
            }
            carried.asked |= bit;
            found = match (found, next) {
                (Presented::Nothing, next) => next,
                (Presented::Credential(one), Presented::Credential(other)) if one.is_same(&other) => {
                    Presented::Credential(one)
                }
                _ => Presented::Contradictory,
            };
        }
        (found, carried)
    }

    /// Whether any of them is sent by clients themselves.
    pub(crate) fn is_any_ambient(&self) -> bool {
        self.all.iter().any(|(_, carrier)| carrier.is_ambient())
    }

    /// Whether another site could have made the client send such a request: it came by what clients send by
    /// themselves, or it presented nothing, so that its answer may be such a credential.
    pub(crate) fn may_be_forged(&self, carried: Carried) -> bool {
        !carried.has_asked()
            || self.with_bits().any(|((_, carrier), bit)| carried.asked & bit != 0 && carrier.is_ambient())
    }

    /// Who answers: all that asked, as each keeps what it was told; else the chosen one; else the first.
    pub(crate) fn answering(&self, carried: Carried) -> impl Iterator<Item = &dyn Transport> {
        let answering = carried.answering();
        self.with_bits().filter(move |(_, bit)| answering & bit != 0).map(|((_, carrier), _)| &**carrier)
    }

    /// Lets this carrier answer where none asked; `None` if the policy doesn't name it.
    pub(crate) fn choose(&self, adapter: Adapter, carried: Carried) -> Option<Carried> {
        let (_, chosen) = self.with_bits().find(|((own, _), _)| *own == adapter)?;
        Some(Carried { chosen, ..carried })
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn Transport> {
        self.all.iter().map(|(_, carrier)| &**carrier)
    }

    /// The request's fields that decide about a response.
    pub(crate) fn vary(&self) -> impl Iterator<Item = HeaderName> {
        self.iter().map(Transport::vary)
    }

    /// What `WWW-Authenticate` says: of those that asked, else of all.
    pub(crate) fn challenges(&self, fault: Fault, carried: Carried) -> Vec<HeaderValue> {
        let has_asked = carried.has_asked();
        let concerned = self.with_bits().filter(|(_, bit)| !has_asked || carried.asked & bit != 0);
        let mut challenges: Vec<HeaderValue> = Vec::new();
        for challenge in concerned.filter_map(|((_, carrier), _)| carrier.challenge(fault, has_asked)) {
            if !challenges.contains(&challenge) {
                challenges.push(challenge);
            }
        }
        challenges
    }

    fn with_bits(&self) -> impl Iterator<Item = (&(Adapter, Arc<dyn Transport>), u8)> {
        self.all.iter().zip((0..u8::BITS).map(|place| 1_u8 << place))
    }
}
