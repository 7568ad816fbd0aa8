//! From what was written to what holds: the keys of the policies and the preset that a policy extends, then the
//! defaults. Not whether it makes sense together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::draft::{Draft, Drafts, Stated};
use crate::keys::{Table, policy_key};
use crate::origin::{Layer, Origin};
use crate::preset::{PRESETS, Preset, preset, preset_names};
use crate::problem::Problem;
use crate::suggest::nearest;
use crate::suppress::Suppression;
use crate::value::{Setting, read_fallback};

/// How the id travels.
pub(crate) const ADAPTER: &str = "transport.adapter";
/// What a composite is made of.
pub(crate) const ORDER: &str = "transport.order";

/// A value that holds, with what decides when two contradict.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) setting: Setting,
    pub(crate) origin: Origin,
    pub(crate) layer: Layer,
    /// Steps along `extends`: 0 is the policy's own.
    pub(crate) distance: usize,
    /// Where each item of a list stands, if that is known.
    pub(crate) items: Vec<Origin>,
}

impl Held {
    /// A value that nobody wrote.
    pub(crate) fn by_default(setting: Setting) -> Self {
        let (origin, layer) = (Origin::Default, Layer::Default);
        Self { setting, origin, layer, distance: usize::MAX, items: Vec::new() }
    }

    /// Whether this one was stated by a later layer or a closer policy, so that the other has to adapt.
    pub(crate) fn beats(&self, other: &Self) -> bool {
        self.layer > other.layer || self.distance < other.distance
    }

    /// Whether a person wrote it, and neither a preset nor the table of keys.
    pub(crate) fn is_stated(&self) -> bool {
        self.layer > Layer::Preset
    }
}

/// A policy whose values are all there, before the rules.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) values: BTreeMap<&'static str, Held>,
    pub(crate) broken: BTreeSet<&'static str>,
    /// Whether what it extends could not be found: values that it doesn't state itself may be others.
    pub(crate) incomplete: bool,
    /// What it and the policies that it extends suppress.
    pub(crate) allow: Vec<Suppression>,
}

impl Resolved {
    pub(crate) fn get(&self, key: &str) -> Option<&Held> {
        self.values.get(key)
    }

    /// The duration of `key`; `None` where it is unset or off.
    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        match self.get(key)?.setting {
            Setting::Duration(duration) => Some(duration),
            _ => None,
        }
    }

    pub(crate) fn word(&self, key: &str) -> Option<&'static str> {
        match self.get(key)?.setting {
            Setting::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn is(&self, key: &str, word: &str) -> bool {
        self.word(key) == Some(word)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match &self.get(key)?.setting {
            Setting::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn truth(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Held { setting: Setting::Bool(true), .. }))
    }

    /// The number or the size in bytes of `key`.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        match self.get(key)?.setting {
            Setting::Count(number) | Setting::Size(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn list(&self, key: &str) -> Option<&[String]> {
        match &self.get(key)?.setting {
            Setting::List(items) => Some(items),
            _ => None,
        }
    }

    /// Whether `carrier` may carry the id: it is the adapter, or one of a composite's. Where the order is missing, as a
    /// rule tells, it might be any.
    pub(crate) fn carries(&self, carrier: &str) -> bool {
        if !self.is(ADAPTER, "composite") {
            return self.is(ADAPTER, carrier);
        }
        let order = self.list(ORDER).unwrap_or_default();
        order.is_empty() || order.iter().any(|item| item == carrier)
    }

    pub(crate) fn is_stated(&self, key: &str) -> bool {
        self.get(key).is_some_and(Held::is_stated)
    }

    /// Whether `key` was stated by a later layer or a closer policy than `other`.
    pub(crate) fn beats(&self, key: &str, other: &str) -> bool {
        match (self.get(key), self.get(other)) {
            (Some(key), Some(other)) => key.beats(other),
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// Whether a person wrote both keys, neither over the other.
    pub(crate) fn are_of_one_rank(&self, key: &str, other: &str) -> bool {
        let are_stated = self.is_stated(key) && self.is_stated(other);
        are_stated && !self.beats(key, other) && !self.beats(other, key)
    }

    /// Whether rules may judge these keys: each was read, and none could be another's that wasn't found.
    pub(crate) fn can_judge(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| {
            // What is found before the gap holds, whatever lies behind it; what isn't handed on can't come from there.
            let is_known = self.get(key).is_some_and(Held::is_stated)
                || policy_key(key).is_some_and(|row| !row.is_inherited());
            !self.broken.contains(key) && (is_known || !self.incomplete)
        })
    }

    /// The key as a problem names it.
    pub(crate) fn full(&self, key: &str) -> String {
        format!("policies.{}.{key}", self.name)
    }

    /// Where the value of `key` was written, else where the policy was.
    pub(crate) fn origin_of(&self, key: &str) -> Origin {
        match self.get(key) {
            Some(held) if held.is_stated() => held.origin.clone(),
            _ => self.origin.clone(),
        }
    }

    /// A problem at the value of `key`: "`policies.NAME.KEY`", then `reason`.
    pub(crate) fn problem(&self, key: &str, rule: &'static str, reason: &str) -> Problem {
        let full = self.full(key);
        let message = format!("`{full}` {reason}");
        Problem::new(self.origin_of(key), full, rule, message)
    }

    /// Another key for the middle of a sentence: its name, value, and where that is from, if nobody wrote it.
    pub(crate) fn cite(&self, key: &str) -> String {
        match self.get(key) {
            None => format!("`{key}`"),
            Some(held) => match held.origin {
                Origin::Default => format!("`{key}` ({}, the default)", held.setting),
                Origin::Preset(name) => format!("`{key}` ({}, from the preset `{name}`)", held.setting),
                _ => format!("`{key}` ({})", held.setting),
            },
        }
    }
}

/// Resolves one policy among all.
pub(crate) fn resolve(draft: &Draft, drafts: &Drafts, problems: &mut Vec<Problem>) -> Resolved {
    let mut resolved = Resolved {
        name: draft.name.clone(),
        origin: draft.origin.clone(),
        values: BTreeMap::new(),
        broken: BTreeSet::new(),
        incomplete: false,
        allow: Vec::new(),
    };
    let mut distance = 0;
    let mut chain = vec![draft.name.as_str()];
    let mut current = draft;
    loop {
        take(&mut resolved, current, distance);
        let Some(Stated { setting: Setting::Text(target), origin, .. }) = current.stated.get("extends")
        else {
            // What it extends was refused: it may have stated anything.
            resolved.incomplete |= current.broken.contains("extends");
            break;
        };
        distance += 1;
        let next = drafts.extensible(target).filter(|next| next.name != current.name);
        if let Some(next) = next {
            if chain.contains(&next.name.as_str()) {
                resolved.incomplete = true;
                // One circle is one mistake: the policy of it that is declared first tells it.
                let first = drafts.policies.iter().find(|other| chain.contains(&other.name.as_str()));
                if next.name == draft.name && first.is_some_and(|first| first.name == draft.name) {
                    problems.push(cycle(draft, &chain));
                }
                break;
            }
            chain.push(&next.name);
            current = next;
        } else if let Some(preset) = preset(target) {
            take_preset(&mut resolved, preset, distance);
            break;
        } else {
            resolved.incomplete = true;
            if distance == 1 {
                problems.push(unknown(draft, target, origin, drafts));
            }
            break;
        }
    }
    take_defaults(&mut resolved);
    resolved
}

fn take(resolved: &mut Resolved, draft: &Draft, distance: usize) {
    resolved.allow.extend(draft.allow.iter().cloned());
    let handed_on = |key: &str| distance == 0 || policy_key(key).is_some_and(crate::keys::Key::is_inherited);
    for (key, stated) in draft.stated.iter().filter(|(key, _)| handed_on(key)) {
        if resolved.broken.contains(key) {
            continue;
        }
        resolved.values.entry(key).or_insert_with(|| Held {
            setting: stated.setting.clone(),
            origin: stated.origin.clone(),
            layer: stated.layer,
            distance,
            items: stated.items.clone(),
        });
    }
    let broken = draft.broken.iter().filter(|key| handed_on(key) && !resolved.values.contains_key(*key));
    resolved.broken.extend(broken.copied().collect::<Vec<_>>());
}

fn take_preset(resolved: &mut Resolved, preset: &Preset, distance: usize) {
    for (path, fallback) in preset.entries {
        let Some(key) = policy_key(path) else { continue };
        let Some(setting) = read_fallback(key, *fallback) else { continue };
        let origin = Origin::Preset(preset.name);
        let held = || Held { setting, origin, layer: Layer::Preset, distance, items: Vec::new() };
        resolved.values.entry(key.path()).or_insert_with(held);
    }
}

fn take_defaults(resolved: &mut Resolved) {
    for key in Table::Policies.rows() {
        let setting = match key.path() {
            "transport.cookie_name" => Some(Setting::Text(format!("__Host-Http-{}", resolved.name))),
            _ => read_fallback(key, key.fallback()),
        };
        let Some(setting) = setting else { continue };
        resolved.values.entry(key.path()).or_insert_with(|| Held::by_default(setting));
    }
}

fn extends_problem(draft: &Draft, origin: &Origin, rule: &'static str, reason: &str) -> Problem {
    let full = format!("policies.{}.extends", draft.name);
    let message = format!("`{full}` {reason}");
    Problem::new(origin.clone(), full, rule, message)
}

fn cycle(draft: &Draft, chain: &[&str]) -> Problem {
    let origin = draft.stated.get("extends").map_or(&draft.origin, |stated| &stated.origin);
    let round = format!("goes round in a circle: {} → {}", chain.join(" → "), draft.name);
    extends_problem(draft, origin, "cyclic_extends", &round)
        .with_help("let one of them extend a preset, or nothing")
}

fn unknown(draft: &Draft, target: &str, origin: &Origin, drafts: &Drafts) -> Problem {
    let presets = PRESETS.iter().map(|preset| preset.name);
    let names: Vec<&str> = drafts
        .policies
        .iter()
        .map(|other| other.name.as_str())
        .filter(|name| *name != draft.name)
        .chain(presets)
        .collect();
    let reason = format!("(\"{target}\") is neither another policy nor a preset");
    let problem = extends_problem(draft, origin, "unknown_extends", &reason);
    if let Some(near) = nearest(target, &names) {
        return problem.with_suggestion(Some(near));
    }
    problem.with_help(format!("the presets are {}", preset_names()))
}
