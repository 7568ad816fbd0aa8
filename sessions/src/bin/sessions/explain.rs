//! `sessions explain`: the value of each key, and the chain of layers that it comes from.

use serde::Serialize;
use sessions_policy::{
    Key, Layer, Origin, Profile, Provenance, Sources, Table, policy_keys, store_keys, suggest,
};

use crate::arguments::{Explain, Format};
use crate::input::Input;
use crate::json::{Place, document};
use crate::outcome::{Failure, Report};
use crate::paint;

/// A key with every layer's word on it, the lowest first.
struct Explained {
    key: &'static Key,
    chain: Vec<Provenance>,
}

/// What is explained.
struct Subject {
    table: Table,
    name: String,
    profile: Profile,
}

pub(crate) fn run(arguments: &Explain) -> Result<Report, Failure> {
    let mut input =
        Input::read(arguments.file.as_deref(), &arguments.environment)?.knowing(&arguments.in_rust);
    let profile = input.one_profile();
    let sources = input.sources(profile);
    let subject = subject(&arguments.policy, &sources, profile)?;
    let keys = keys(&subject, arguments.key.as_deref())?;
    let explained: Vec<Explained> = keys.into_iter().map(|key| explained(key, &subject, &sources)).collect();
    if input.is_refused(profile) {
        input.notes.push("a start would refuse this configuration; `sessions check` says why".to_owned());
    }
    let text = match (arguments.output.format, explained.as_slice()) {
        (Format::Json, _) => as_json(&input, &subject, &explained),
        (Format::Text, [one]) if arguments.key.as_deref() == Some(one.key.path()) => {
            chain(&input, &subject, one)
        }
        (Format::Text, all) => table(&input, &subject, all),
    };
    Ok(Report { notes: input.notes, ..Report::fine(text) })
}

/// The policy or store that `text` names: `shop`, `policies.shop`, `stores.main`.
fn subject(text: &str, sources: &Sources, profile: Profile) -> Result<Subject, Failure> {
    let (table, name, names) = match (text.strip_prefix("stores."), text.strip_prefix("policies.")) {
        (Some(name), _) => (Table::Stores, name, sources.store_names()),
        (None, name) => (Table::Policies, name.unwrap_or(text), sources.policy_names()),
    };
    if names.iter().any(|known| known == name) {
        return Ok(Subject { table, name: name.to_owned(), profile });
    }
    let what = if table == Table::Stores { "store" } else { "policy" };
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let help = match suggest(name, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("the file declares no {what}"),
        None => {
            format!("there are {}; `--in-rust` names one that is declared in Rust", known.join(", "))
        }
    };
    Err(Failure::Senseless(format!("there is no {what} `{name}`\n  = help: {help}")))
}

/// The keys that are asked for: one, those of a table, or all.
fn keys(subject: &Subject, asked: Option<&str>) -> Result<Vec<&'static Key>, Failure> {
    let of_the_table: Vec<&'static Key> = match subject.table {
        Table::Stores => store_keys().filter(|key| !key.is_reserved()).collect(),
        _ => policy_keys().filter(|key| !key.is_reserved()).collect(),
    };
    let Some(asked) = asked else { return Ok(of_the_table) };
    let is_asked = |key: &&&Key| {
        key.path().strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let keys: Vec<&'static Key> = of_the_table.iter().filter(is_asked).copied().collect();
    if !keys.is_empty() {
        return Ok(keys);
    }
    let paths: Vec<&str> = of_the_table.iter().map(|key| key.path()).collect();
    let near = suggest(asked, &paths).map(|near| format!("\n  = help: did you mean `{near}`?"));
    Err(Failure::Senseless(format!("there is no key `{asked}`{}", near.unwrap_or_default())))
}

fn explained(key: &'static Key, subject: &Subject, sources: &Sources) -> Explained {
    let chain = match subject.table {
        Table::Stores => sources.explain_store(&subject.name, key.path()),
        _ => sources.explain(&subject.name, key.path()),
    };
    Explained { key, chain: chain.unwrap_or_default() }
}

impl Explained {
    /// What holds. Suppressions add up, so there may be several.
    fn value(&self) -> Option<String> {
        let holding: Vec<&str> =
            self.chain.iter().filter(|step| step.holds()).map(Provenance::value).collect();
        (!holding.is_empty()).then(|| holding.join(", "))
    }

    fn from(&self, name: &str) -> String {
        self.chain.last().map(|step| origin(step, name)).unwrap_or_default()
    }
}

/// Where a value of `name` is from, and which layer that is.
fn origin(step: &Provenance, name: &str) -> String {
    let other = step.stated_by().filter(|other| *other != name);
    let of = other.map(|other| format!(" of `{other}`")).unwrap_or_default();
    match (step.layer(), step.origin()) {
        (Layer::Default, _) => "default".to_owned(),
        (Layer::Preset, origin) => origin.to_string(),
        (Layer::Variable, Origin::Variable(name)) => format!("{name} (variable)"),
        (layer, origin) => format!("{origin} ({layer}{of})"),
    }
}

fn heading(input: &Input, subject: &Subject, key: Option<&Key>) -> String {
    let key = key.map(|key| format!(".{}", key.path())).unwrap_or_default();
    let name = format!("{}.{}{key}", subject.table.as_str(), subject.name);
    format!("{} as {}, from {}\n\n", paint::painted(paint::STRONG, &name), subject.profile, input.told())
}

fn width<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or_default()
}

fn table(input: &Input, subject: &Subject, explained: &[Explained]) -> String {
    let mut text = heading(input, subject, None);
    let values: Vec<String> =
        explained.iter().map(|one| one.value().unwrap_or_else(|| "not set".to_owned())).collect();
    let keys = width(explained.iter().map(|one| one.key.path()));
    let wide = width(values.iter().map(String::as_str));
    for (one, value) in explained.iter().zip(&values) {
        let is_written = one.chain.last().is_some_and(|step| step.layer() > Layer::Preset);
        let style = if is_written { paint::STRONG } else { paint::FAINT };
        let line = format!(
            "  {:keys$}  {}  {}",
            one.key.path(),
            paint::padded(style, value, wide),
            one.from(&subject.name)
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn chain(input: &Input, subject: &Subject, one: &Explained) -> String {
    let mut text = heading(input, subject, Some(one.key));
    let wide = width(one.chain.iter().map(Provenance::value));
    let origins: Vec<String> = one.chain.iter().map(|step| origin(step, &subject.name)).collect();
    let from = width(origins.iter().map(String::as_str));
    for (step, origin) in one.chain.iter().zip(&origins) {
        let (style, word) =
            if step.holds() { (paint::STRONG, "holds") } else { (paint::FAINT, "overridden") };
        let value = paint::padded(style, step.value(), wide);
        line!(text, "  {value}  {origin:from$}  {}", paint::painted(style, word));
    }
    if one.chain.is_empty() {
        text.push_str("  not set\n");
    }
    line!(text, "\n{}", one.key.doc());
    line!(text, "variable: {}", one.key.variable(&subject.name));
    text
}

#[derive(Serialize)]
struct Document<'a> {
    file: &'a str,
    variables: Vec<&'a str>,
    profile: &'static str,
    table: &'static str,
    name: &'a str,
    keys: Vec<OfKey<'a>>,
}

#[derive(Serialize)]
struct OfKey<'a> {
    key: &'static str,
    value: Option<String>,
    chain: Vec<Step<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    value: &'a str,
    layer: String,
    stated_by: Option<&'a str>,
    holds: bool,
    origin: Place<'a>,
}

fn as_json(input: &Input, subject: &Subject, explained: &[Explained]) -> String {
    let step = |step| -> Step<'_> {
        let step: &Provenance = step;
        Step {
            value: step.value(),
            layer: step.layer().as_str().to_owned(),
            stated_by: step.stated_by(),
            holds: step.holds(),
            origin: Place::from(step.origin()),
        }
    };
    let keys = explained.iter().map(|one| OfKey {
        key: one.key.path(),
        value: one.value(),
        chain: one.chain.iter().map(step).collect(),
    });
    document(&Document {
        file: input.name(),
        variables: input.variables(),
        profile: subject.profile.as_str(),
        table: subject.table.as_str(),
        name: &subject.name,
        keys: keys.collect(),
    })
}
