//! Where a value comes from: every layer that states it, from the lowest to the one that holds.

use std::fmt;

use crate::adapt::{adapt, derived_touch};
use crate::draft::{Draft, Drafts, Stated};
use crate::keys::{Key, Kind, Table};
use crate::origin::{Layer, Origin};
use crate::resolve::resolve;
use crate::source::{Merged, Sources};
use crate::suppress::Suppression;
use crate::value::{Setting, read_fallback};

/// What stands for a value that must not be printed.
pub(crate) const SECRET: &str = "…";

/// One layer's word on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    origin: Origin,
    layer: Layer,
    stated_by: Option<String>,
    value: String,
    holds: bool,
}

impl Provenance {
    /// Where it is written.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Which layer says it.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// The policy or store whose table says it: another one where `extends` hands it on; `None` for a preset and a
    /// default.
    pub fn stated_by(&self) -> Option<&str> {
        self.stated_by.as_deref()
    }

    /// The value as messages print it; a secret is `…`.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether this is the value that holds. All others are overridden.
    pub fn holds(&self) -> bool {
        self.holds
    }
}

/// The value, and in brackets where it is from.
impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.value, self.origin)?;
        match self.layer {
            Layer::Default | Layer::Preset | Layer::Variable => f.write_str(")"),
            Layer::Adapted => write!(f, ", {})", self.layer),
            _ => match &self.stated_by {
                Some(name) => write!(f, ", {} of `{name}`)", self.layer),
                None => write!(f, ", {})", self.layer),
            },
        }
    }
}

impl Sources {
    /// The names of all policies, in order of declaration.
    pub fn policy_names(&self) -> Vec<String> {
        let drafts = Layers::read(self);
        drafts.all().policies.iter().map(|draft| draft.name.clone()).collect()
    }

    /// The names of all stores; `main` is always there.
    pub fn store_names(&self) -> Vec<String> {
        let drafts = Layers::read(self);
        let mut names: Vec<String> = drafts.all().stores.iter().map(|draft| draft.name.clone()).collect();
        if !names.iter().any(|name| name == "main") {
            names.insert(0, "main".to_owned());
        }
        names
    }

    /// Every value that some layer has for `key`, a dotted path such as `transport.adapter`, of `policy`: from the
    /// default and the preset over what it extends to its own, the one that holds last. What is wrong elsewhere
    /// doesn't matter. `None` if there is no such policy or key.
    ///
    /// ```
    /// use sessions_policy::{SourceFile, Sources};
    ///
    /// let text = "[policies.shop]\nextends = \"user_default\"\nttl = \"2h\"\n";
    /// let file = SourceFile { name: "sessions.toml".into(), text: text.into() };
    /// let sources = Sources { file: Some(file), ..Sources::default() };
    /// let chain = sources.explain("shop", "ttl").ok_or("no such key")?;
    /// let values: Vec<String> = chain.iter().map(ToString::to_string).collect();
    /// assert_eq!(values, [
    ///     "7days (default)",
    ///     "7days (preset `user_default`)",
    ///     "2h (sessions.toml:3:7, file of `shop`)",
    /// ]);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn explain(&self, policy: &str, key: &str) -> Option<Vec<Provenance>> {
        let key = Table::Policies.key(key).filter(|key| !key.is_reserved())?;
        Layers::read(self).explain(policy, key)
    }

    /// The same for every key of a policy that is not reserved, in the order of the table: where a whole policy is shown.
    /// A key that nobody states and that has no default has no layers. `None` if there is no such policy.
    pub fn explain_all(&self, policy: &str) -> Option<Vec<(&'static Key, Vec<Provenance>)>> {
        let layers = Layers::read(self);
        let keys = Table::Policies.rows().iter().filter(|key| !key.is_reserved());
        keys.map(|key| Some((key, layers.explain(policy, key)?))).collect()
    }

    /// The same for a key of a store.
    pub fn explain_store(&self, store: &str, key: &str) -> Option<Vec<Provenance>> {
        let key = Table::Stores.key(key).filter(|key| !key.is_reserved())?;
        let layers = Layers::read(self);
        let draft = layers.all().stores.iter().find(|draft| draft.name == store);
        let is_there = store == "main" || draft.is_some();
        if key.kind() == Kind::Suppressions {
            return is_there.then(|| allowed(draft.map(|draft| draft.allow.as_slice()).unwrap_or_default()));
        }
        let fallback = read_fallback(key, key.fallback()).filter(|_| is_there);
        let default = fallback.map(|value| step(key, &value, Origin::Default, Layer::Default, None));
        let mut chain: Vec<Provenance> = default.into_iter().collect();
        chain.extend(layers.stated(Table::Stores, store, key));
        hold_last(&mut chain);
        is_there.then_some(chain)
    }
}

/// Suppressions add up: each holds.
fn allowed(suppressions: &[Suppression]) -> Vec<Provenance> {
    let steps = suppressions.iter().map(|suppression| Provenance {
        origin: suppression.origin().clone(),
        layer: if matches!(suppression.origin(), Origin::Code(..)) { Layer::Code } else { Layer::File },
        stated_by: suppression.of().split_once('.').map(|(_, name)| name.to_owned()),
        value: format!("{} until {}", suppression.lint().id(), suppression.until()),
        holds: true,
    });
    steps.collect()
}

fn hold_last(chain: &mut [Provenance]) {
    if let Some(last) = chain.last_mut() {
        last.holds = true;
    }
}

/// The value as text. Nothing is visible, too.
pub(crate) fn plain(value: &Setting) -> String {
    match value {
        Setting::List(items) if items.is_empty() => "[]".to_owned(),
        Setting::Text(text) if text.is_empty() => "\"\"".to_owned(),
        value => value.to_string(),
    }
}

fn step(key: &Key, value: &Setting, origin: Origin, layer: Layer, stated_by: Option<&str>) -> Provenance {
    let value = if key.is_secret() { SECRET.to_owned() } else { plain(value) };
    Provenance { origin, layer, stated_by: stated_by.map(str::to_owned), value, holds: false }
}

/// The drafts as each layer leaves them, the lowest first: what a layer overrides is seen in the one before.
struct Layers(Vec<(Layer, Drafts)>);

impl Layers {
    fn read(sources: &Sources) -> Self {
        let only_code = Sources { file: None, variables: Vec::new(), ..sources.clone() };
        let with_file = Sources { variables: Vec::new(), ..sources.clone() };
        let read = |sources: &Sources, profile| {
            let merged = Merged::read_with(sources, profile, &mut Vec::new());
            Drafts::read(&merged, &mut Vec::new())
        };
        Self(vec![
            (Layer::Code, read(&only_code, None)),
            (Layer::File, read(&with_file, None)),
            (Layer::Profile, read(&with_file, Some(sources.profile))),
            (Layer::Variable, read(sources, Some(sources.profile))),
        ])
    }

    fn all(&self) -> &Drafts {
        &self.0[self.0.len() - 1].1
    }

    fn explain(&self, policy: &str, key: &'static Key) -> Option<Vec<Provenance>> {
        let drafts = self.all();
        let draft = drafts.policy(policy)?;
        let mut resolved = resolve(draft, drafts, &mut Vec::new());
        if key.kind() == Kind::Suppressions {
            return Some(allowed(&resolved.allow));
        }
        let mut chain = Vec::new();
        let fallback = match key.path() {
            "transport.cookie_name" => Some(Setting::Text(format!("__Host-Http-{policy}"))),
            _ => read_fallback(key, key.fallback()),
        };
        chain.extend(fallback.map(|value| step(key, &value, Origin::Default, Layer::Default, None)));
        let (policies, preset) = extended(draft, drafts);
        if let Some((name, value)) = preset.and_then(|preset| Some((preset.name, preset.value(key)?))) {
            chain.push(step(key, &value, Origin::Preset(name), Layer::Preset, None));
        }
        for (distance, name) in policies.iter().enumerate().rev() {
            if distance == 0 || key.is_inherited() {
                chain.extend(self.stated(Table::Policies, name, key));
            }
        }
        let before = resolved.get(key.path()).map(|held| held.setting.clone());
        adapt(&mut resolved, &mut Vec::new());
        if let Some(held) = resolved.get(key.path()).filter(|held| Some(&held.setting) != before.as_ref()) {
            chain.push(step(key, &held.setting, held.origin.clone(), Layer::Adapted, None));
        }
        if key.path() == "touch_every" && chain.is_empty() {
            let derived = derived_touch(&resolved).map(Setting::Duration);
            chain.extend(derived.map(|value| step(key, &value, Origin::Default, Layer::Default, None)));
        }
        hold_last(&mut chain);
        Some(chain)
    }

    fn stated(&self, table: Table, name: &str, key: &Key) -> Vec<Provenance> {
        let of = |drafts: &Drafts, layer: Layer| -> Option<Provenance> {
            let drafts = match table {
                Table::Policies => &drafts.policies,
                Table::Stores => &drafts.stores,
            };
            let draft = drafts.iter().find(|draft| draft.name == name)?;
            let stated = draft.stated.get(key.path()).filter(|stated| stated.layer == layer)?;
            Some(step(key, &stated.setting, stated.origin.clone(), layer, Some(name)))
        };
        self.0.iter().filter_map(|(layer, drafts)| of(drafts, *layer)).collect()
    }
}

/// The policies along `extends`, the policy itself first, and the preset at the end.
fn extended<'a>(
    draft: &'a Draft,
    drafts: &'a Drafts,
) -> (Vec<&'a str>, Option<&'static crate::preset::Preset>) {
    let mut names = vec![draft.name.as_str()];
    let mut current = draft;
    while let Some(Stated { setting: Setting::Text(target), .. }) = current.stated.get("extends") {
        match drafts.policy(target).filter(|next| next.name != current.name) {
            Some(next) if names.contains(&next.name.as_str()) => return (names, None),
            Some(next) => {
                names.push(&next.name);
                current = next;
            }
            None => return (names, crate::preset::preset(target)),
        }
    }
    (names, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_explained() {
        let url = Table::Stores.key("url").unwrap();
        assert!(url.is_secret());
        let secret = Setting::Text("redis://:hunter2@host".to_owned());
        let step = step(url, &secret, Origin::Default, Layer::File, Some("main"));
        assert!(!format!("{step} {step:?}").contains("hunter2"));
    }
}
