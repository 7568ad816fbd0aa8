//! Which assurance level of NIST SP 800-63B-4 asks for no shorter times than a session has. Times only: how a person
//! logged in, the policy doesn't know.

use std::time::Duration;

use crate::policy::{Renew, SessionPolicy};
use crate::value::duration_text;

const HOUR: Duration = Duration::from_secs(3600);

/// A level's longest times: until a person has to log in again, and without activity.
struct Level {
    name: &'static str,
    overall: Duration,
    idle: Option<Duration>,
    clause: &'static str,
}

/// The strictest first.
const LEVELS: &[Level] = &[
    Level {
        name: "AAL3",
        overall: HOUR.saturating_mul(12),
        idle: Some(Duration::from_secs(15 * 60)),
        clause: "2.3.3",
    },
    Level { name: "AAL2", overall: HOUR.saturating_mul(24), idle: Some(HOUR), clause: "2.2.3" },
    Level { name: "AAL1", overall: HOUR.saturating_mul(24 * 30), idle: None, clause: "2.1.3" },
];

/// How long a kind of session lives at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// Whatever happens; `None`: activity has no end.
    overall: Option<Duration>,
    /// Without activity; `None`: no longer than overall.
    idle: Option<Duration>,
}

impl Life {
    pub(super) fn ordinary(policy: &SessionPolicy) -> Self {
        let fixed = (policy.renew() == Renew::Fixed).then_some(policy.ttl());
        let overall = [fixed, policy.absolute_timeout()].into_iter().flatten().min();
        // Activity that renews `ttl` makes it a time without activity, too.
        let sliding = (policy.renew() == Renew::Sliding).then_some(policy.ttl());
        let idle = [policy.idle_timeout(), sliding].into_iter().flatten().min();
        Self { overall, idle }
    }

    /// Of a session whose user asked to be remembered: its own times alone.
    pub(super) fn remembered(policy: &SessionPolicy) -> Option<Self> {
        let remember = policy.remember()?;
        Some(Self { overall: Some(remember.ttl()), idle: remember.idle_timeout() })
    }

    fn level(self) -> Option<&'static Level> {
        let overall = self.overall?;
        let idle = self.idle.unwrap_or(overall).min(overall);
        LEVELS.iter().find(|level| overall <= level.overall && level.idle.is_none_or(|most| idle <= most))
    }

    /// The times, and what they are within, in words.
    pub(super) fn told(self) -> String {
        let overall = match self.overall {
            Some(overall) => format!("at most {}", duration_text(overall)),
            None => "for as long as it is used".to_owned(),
        };
        let idle = self.idle.map(|idle| format!(", {} without activity", duration_text(idle)));
        let within = match self.level() {
            Some(Level { name, overall, idle, clause }) => {
                let idle = idle.map(|idle| format!(", {} without activity", duration_text(idle)));
                let most = format!("{}{}", duration_text(*overall), idle.unwrap_or_default());
                format!("within the times of {name} ({most}; NIST SP 800-63B-4, {clause})")
            }
            None => "beyond the times of AAL1 (30days; NIST SP 800-63B-4, 2.1.3)".to_owned(),
        };
        format!("{overall}{}: {within}", idle.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(overall: Option<Duration>, idle: Option<Duration>) -> Option<&'static str> {
        Life { overall, idle }.level().map(|level| level.name)
    }

    #[test]
    fn each_boundary_belongs_to_the_stricter_level() {
        let minute = HOUR / 60;
        let second = Duration::from_secs(1);
        for (overall, idle, expected) in [
            (12 * HOUR, Some(15 * minute), Some("AAL3")),
            (12 * HOUR + second, Some(15 * minute), Some("AAL2")),
            (12 * HOUR, Some(15 * minute + second), Some("AAL2")),
            (24 * HOUR, Some(HOUR), Some("AAL2")),
            (24 * HOUR + second, Some(HOUR), Some("AAL1")),
            (24 * HOUR, Some(HOUR + second), Some("AAL1")),
            (720 * HOUR, None, Some("AAL1")),
            (720 * HOUR + second, None, None),
            (10 * minute, None, Some("AAL3")),
        ] {
            assert_eq!(level(Some(overall), idle), expected, "{overall:?} {idle:?}");
        }
        assert_eq!(level(None, Some(minute)), None, "a life without an end");
    }

    #[test]
    fn presets_are_placed() {
        assert!(Life::ordinary(&SessionPolicy::admin()).told().contains("within the times of AAL3"));
        assert!(Life::ordinary(&SessionPolicy::user_default()).told().contains("within the times of AAL1"));
        assert!(Life::ordinary(&SessionPolicy::mobile()).told().contains("beyond the times of AAL1"));
    }
}
