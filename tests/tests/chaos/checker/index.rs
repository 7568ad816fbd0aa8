//! A history sorted for the checks.

use std::collections::BTreeMap;

use sessions_tests::chaos::GRACE;

use crate::history::{Act, Event, History, Micros, Policy};

/// Events by what they are about, each in the order of their invocations.
pub(super) struct Index<'a> {
    pub(super) by_lineage: Vec<Vec<&'a Event>>,
    pub(super) by_id: BTreeMap<usize, Vec<&'a Event>>,
    /// The lineages of each user.
    pub(super) by_user: BTreeMap<&'a str, Vec<usize>>,
    /// The event that brought an id.
    pub(super) issued_by: BTreeMap<usize, &'a Event>,
}

impl<'a> Index<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        let mut events: Vec<_> = history.events.iter().collect();
        events.sort_by_key(|event| event.began);
        let mut by_lineage = vec![Vec::new(); history.lineages.len()];
        let mut by_id = BTreeMap::<_, Vec<_>>::new();
        let mut issued_by = BTreeMap::<usize, &Event>::new();
        for event in events {
            by_lineage[event.lineage].push(event);
            if let Some(id) = event.id {
                by_id.entry(id).or_default().push(event);
            }
            if let Some(id) = event.issued() {
                let first = issued_by.entry(id).or_insert(event);
                if event.ended < first.ended {
                    *first = event;
                }
            }
        }
        let mut by_user = BTreeMap::<_, Vec<_>>::new();
        for (number, lineage) in history.lineages.iter().enumerate() {
            if let Some(user) = &lineage.user {
                by_user.entry(user.as_str()).or_default().push(number);
            }
        }
        Self { by_lineage, by_id, by_user, issued_by }
    }

    /// The login of a lineage.
    pub(super) fn login(&self, lineage: usize) -> Option<&'a Event> {
        self.by_lineage[lineage].iter().find(|event| event.act == Act::Login).copied()
    }

    /// Since when an id must not open its session any more because another took its place, and what says so: at once
    /// after a rotation that was asked for; after one that time asked for, when its grace is over and its successor was
    /// used.
    pub(super) fn retired(&self, history: &History, id: usize) -> Option<(Micros, &'a Event)> {
        let events = self.by_id.get(&id)?;
        let rotated = events.iter().filter(|event| event.act == Act::Rotate && event.is_done());
        if let Some(rotation) = rotated.min_by_key(|event| event.ended) {
            return Some((rotation.ended, rotation));
        }
        let lineage = events.first()?.lineage;
        if history.lineages[lineage].policy != Policy::Turning {
            return None;
        }
        let issuing = events.iter().filter(|event| event.issued().is_some());
        let turned = issuing.clone().map(|event| event.ended).max()?;
        let of_successors = issuing.filter_map(|event| self.by_id.get(&event.issued()?)).flatten();
        let used = of_successors.filter(|event| event.is_done()).min_by_key(|event| event.ended)?;
        Some((used.ended.max(turned + grace()), used))
    }

    /// Whether a request that came with the id before this one may have been answered after its grace: it voids this one,
    /// as it would if the answer that brought it had been lost.
    pub(super) fn may_be_void(&self, id: usize, before: Micros) -> bool {
        let Some(issue) = self.issued_by.get(&id) else { return false };
        let Some(siblings) = issue.id.and_then(|parent| self.by_id.get(&parent)) else { return false };
        siblings.iter().any(|event| {
            let is_another = event.is_unknown() || event.issued().is_some_and(|other| other != id);
            is_another && event.began < before && event.ended >= issue.began + grace()
        })
    }
}

/// How long an id works on after time has changed it.
pub(super) fn grace() -> Micros {
    Micros::try_from(GRACE.as_micros()).unwrap_or(Micros::MAX)
}
