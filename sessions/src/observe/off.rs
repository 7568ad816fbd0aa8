//! What takes the place of `meter` in a build without metrics: nothing, of no size.

use std::sync::Arc;

use super::{Answered, NearRead, Operation, Phase, Resolved};
use crate::{event::EventKind, fault::Fault};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer;

impl Timer {
    pub(crate) const fn start() -> Self {
        Self
    }
}

#[derive(Debug)]
pub(crate) struct Meter;

#[expect(clippy::unused_self, reason = "its methods are those of the meter that counts")]
impl Meter {
    pub(crate) fn of(_: &Arc<str>) -> Self {
        Self
    }

    pub(crate) fn begin(&self) {}

    pub(crate) fn resolved(&self, _: Resolved) {}

    pub(crate) fn read_near(&self, _: NearRead) {}

    pub(crate) fn phase(&self, _: Phase, _: Timer) {}

    pub(crate) fn happened(&self, _: EventKind) {}

    pub(crate) const fn is_rejection(_: EventKind) -> bool {
        false
    }

    #[cfg(feature = "ws")]
    pub(crate) fn socket_opened(&self) {}

    #[cfg(feature = "ws")]
    pub(crate) fn socket_closed(&self, _: &'static str) {}

    pub(crate) fn rejected(&self, _: Option<Fault>) {}
}

#[derive(Clone, Debug)]
pub(crate) struct StoreMeter;

#[expect(clippy::unused_self, reason = "its methods are those of the meter that counts")]
impl StoreMeter {
    pub(crate) const fn unnamed() -> Self {
        Self
    }

    pub(crate) fn named(_: &str) -> Self {
        Self
    }

    pub(crate) fn is_named(&self) -> bool {
        true
    }

    pub(crate) fn answered(&self, _: Operation, _: Timer, _: impl Into<Answered>) {}
}
