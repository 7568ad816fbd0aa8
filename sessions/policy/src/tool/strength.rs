//! What a change of one value does: whether it protects less or more, by what the table of keys says is safer.

use std::cmp::Ordering;
use std::fmt;

use crate::keys::Safer;
use crate::value::Setting;

/// What a change of a value does to the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Strength {
    /// Neither can be said.
    Neutral,
    /// It protects more.
    Stronger,
    /// It protects less.
    Weaker,
}

impl Strength {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Stronger => "stronger",
            Self::Weaker => "weaker",
        }
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The prefixes that browsers check, the strictest first (RFC 6265bis 4.1.3, layered cookies 4.1.3).
const PREFIXES: &[&str] = &["__host-http-", "__host-", "__http-", "__secure-"];

impl Safer {
    /// What it means that the one value takes the place of the other; `None` is a key without a value.
    pub(crate) fn judge(self, before: Option<&Setting>, after: Option<&Setting>) -> Strength {
        if self == Self::Fewer {
            return of_lists(before, after);
        }
        let (Some(before), Some(after)) = (self.danger(before), self.danger(after)) else {
            return Strength::Neutral;
        };
        match after.cmp(&before) {
            Ordering::Less => Strength::Stronger,
            Ordering::Equal => Strength::Neutral,
            Ordering::Greater => Strength::Weaker,
        }
    }

    /// A number that grows with the danger; `None` where there is no such number.
    fn danger(self, value: Option<&Setting>) -> Option<u128> {
        let position = |words: &[&str], found: &dyn Fn(&str) -> bool| {
            words.iter().position(|word| found(word)).unwrap_or(words.len()) as u128
        };
        match (self, value) {
            (Self::Shorter | Self::ShorterOrNone, Some(Setting::Duration(time))) => Some(time.as_nanos()),
            (Self::ShorterOrNone, _) => Some(0),
            (Self::Smaller, Some(Setting::Count(number) | Setting::Size(number))) => {
                Some(u128::from(*number))
            }
            (Self::Shorter | Self::Smaller, _) => Some(u128::MAX),
            (Self::True, value) => Some(u128::from(value != Some(&Setting::Bool(true)))),
            (Self::Earlier(words), Some(Setting::Word(word))) => {
                Some(position(words, &|other| other == *word))
            }
            (Self::Unset, value) => Some(u128::from(value.is_some())),
            (Self::Prefixed, Some(Setting::Text(name))) => {
                let name = name.to_ascii_lowercase();
                Some(position(PREFIXES, &|prefix| name.starts_with(prefix)))
            }
            (Self::Neither | Self::Fewer | Self::Earlier(_) | Self::Prefixed, _) => None,
        }
    }
}

/// Lists are compared as sets: one that holds the other is the weaker one.
fn of_lists(before: Option<&Setting>, after: Option<&Setting>) -> Strength {
    let items = |value: Option<&Setting>| match value {
        Some(Setting::List(items)) => Some(items.clone()),
        Some(_) => None,
        None => Some(Vec::new()),
    };
    let holds = |all: &[String], some: &[String]| some.iter().all(|item| all.contains(item));
    match (items(before), items(after)) {
        (None, None) => Strength::Neutral,
        (Some(_), None) => Strength::Weaker,
        (None, Some(_)) => Strength::Stronger,
        (Some(before), Some(after)) => match (holds(&after, &before), holds(&before, &after)) {
            (true, false) => Strength::Weaker,
            (false, true) => Strength::Stronger,
            _ => Strength::Neutral,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::keys::{Kind, Table, policy_key};
    use crate::value::read_fallback;

    fn text(text: &str) -> Setting {
        Setting::Text(text.to_owned())
    }

    fn list(items: &[&str]) -> Setting {
        Setting::List(items.iter().map(|item| (*item).to_owned()).collect())
    }

    fn judge(key: &str, before: Option<&Setting>, after: Option<&Setting>) -> Strength {
        policy_key(key).unwrap().safer().judge(before, after)
    }

    #[test]
    fn each_direction_is_known() {
        let second = |seconds| Some(Setting::Duration(Duration::from_secs(seconds)));
        let cases = [
            ("ttl", second(1), second(2)),
            ("idle_timeout", second(1), None),
            ("idle_timeout", second(1), Some(Setting::Word("off"))),
            ("rotate_every", second(1), None),
            ("remember.ttl", None, second(1)),
            ("remember.ttl", Some(Setting::Word("off")), second(1)),
            ("renew", Some(Setting::Word("fixed")), Some(Setting::Word("sliding"))),
            ("csrf", Some(Setting::Word("strict")), Some(Setting::Word("standard"))),
            ("transport.cookie_samesite", Some(Setting::Word("lax")), Some(Setting::Word("none"))),
            ("transport.cookie_secure", Some(Setting::Bool(true)), Some(Setting::Bool(false))),
            ("transport.cookie_domain", None, Some(text("example.com"))),
            ("transport.cookie_name", Some(text("__Host-Http-shop")), Some(text("__Host-shop"))),
            ("transport.cookie_name", Some(text("__Secure-shop")), Some(text("shop"))),
            (
                "concurrency.max_sessions_per_principal",
                Some(Setting::Count(5)),
                Some(Setting::Word("unlimited")),
            ),
            ("max_size", Some(Setting::Size(1024)), Some(Setting::Size(2048))),
            ("trusted_origins", Some(list(&[])), Some(list(&["https://a.example"]))),
            ("trusted_proxies", Some(list(&["10.0.0.7"])), Some(list(&["10.0.0.7", "10.0.0.8"]))),
            ("carry_over", Some(list(&["cart"])), Some(Setting::Word("all"))),
        ];
        for (key, strong, weak) in cases {
            assert_eq!(judge(key, strong.as_ref(), weak.as_ref()), Strength::Weaker, "{key}");
            assert_eq!(judge(key, weak.as_ref(), strong.as_ref()), Strength::Stronger, "{key}");
        }
    }

    #[test]
    fn what_is_not_known_is_neutral() {
        assert_eq!(judge("carry_over", Some(&list(&["a"])), Some(&list(&["b"]))), Strength::Neutral);
        let stores = [text("main"), text("other")];
        assert_eq!(judge("persistence.store_name", Some(&stores[0]), Some(&stores[1])), Strength::Neutral);
    }

    #[test]
    fn each_order_has_every_word_of_its_key() {
        for key in Table::Policies.rows().iter().chain(Table::Stores.rows()) {
            let Safer::Earlier(order) = key.safer() else { continue };
            let Kind::Choice { words, .. } = key.kind() else { unreachable!("{} has words", key.path()) };
            let mut order = order.to_vec();
            let mut words = words.to_vec();
            order.sort_unstable();
            words.sort_unstable();
            assert_eq!(order, words, "{}", key.path());
        }
    }

    #[test]
    fn a_value_is_as_safe_as_itself() {
        for key in Table::Policies.rows().iter().chain(Table::Stores.rows()) {
            let value = read_fallback(key, key.fallback());
            assert_eq!(
                key.safer().judge(value.as_ref(), value.as_ref()),
                Strength::Neutral,
                "{}",
                key.path()
            );
        }
    }
}
