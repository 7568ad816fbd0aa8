//! The policy core as the macros use it: settings become a declaration, problems become errors at the user's own
//! tokens. It knows no key and no rule of its own.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use proc_macro2::{Span, TokenStream};
use sessions_policy::{
    Configuration, Date, Declaration, Entry, Kind, Literal, Location, Origin, Problem, Problems, SourceFile,
    Sources,
};

use crate::errors::Errors;
use crate::lookup::PolicyFile;
use crate::place;
use crate::salvage;
use crate::settings::{Setting, Value};
use crate::warning::Warning;

/// A policy that is written in Rust: its name and its settings, each with its tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<'a> {
    pub(crate) name: &'a str,
    pub(crate) name_tokens: &'a TokenStream,
    pub(crate) settings: &'a [Setting],
}

/// A problem of one check, comparable with those of another: place, rule and key. Not its words, which may name another
/// policy in each.
type Identity = (String, &'static str, String);

/// What a struct that is declared elsewhere might say. A finding that depends on it isn't this macro's to tell, so it
/// counts only where it stands under every one of these.
const STAND_INS: &[&[(&str, &str)]] = &[
    &[],
    &[("ttl", "400days"), ("transport.adapter", "header")],
    &[
        ("extends", "user_default"),
        ("ttl", "400days"),
        ("absolute_timeout", "400days"),
        ("remember.ttl", "400days"),
        ("rotate_every", "1day"),
    ],
];

impl Written<'_> {
    /// The declaration, as the policy core takes it.
    fn declaration(&self) -> Declaration {
        let entries = self.settings.iter().map(|setting| Entry {
            key: Cow::Owned(setting.key.clone()),
            value: literal(&setting.value),
            location: location(place::first(&setting.value_tokens)),
        });
        Declaration {
            name: Cow::Owned(self.name.to_owned()),
            location: location(place::first(self.name_tokens)),
            entries: Cow::Owned(entries.collect()),
        }
    }

    /// The token to underline for a problem with the key `key` (without the policy's name).
    fn tokens(&self, key: &str, rule: &str) -> TokenStream {
        let parts = self.settings.iter().flat_map(|setting| {
            let own = key.strip_prefix(setting.key.as_str()).and_then(|rest| rest.strip_prefix('.'));
            setting.parts.iter().filter(move |(path, _)| Some(path.as_str()) == own)
        });
        if let Some((_, tokens)) = parts.last() {
            return tokens.clone();
        }
        let written = |setting: &&Setting| {
            setting.key == key || setting.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'))
        };
        let holds =
            |setting: &&Setting| key.strip_prefix(&setting.key).is_some_and(|rest| rest.starts_with('.'));
        if let Some(setting) = self.settings.iter().find(holds) {
            return setting.value_tokens.clone();
        }
        let Some(setting) = self.settings.iter().find(written) else { return self.name_tokens.clone() };
        if setting.key != key || rule == UNKNOWN_KEY {
            setting.key_tokens.clone()
        } else {
            setting.value_tokens.clone()
        }
    }
}

/// The rule of the policy core whose problem is with the name of what is extended.
const UNKNOWN_EXTENDS: &str = "unknown_extends";
const EXTENDS_NO_INLINE: &str = "\n  = note: a struct can't extend a policy that is declared in the call of \
     `policies!`: move that one to the policy file";

/// The rule of the policy core whose problems are with a key, not with its value.
const UNKNOWN_KEY: &str = "unknown_key";

/// Checks policies written in Rust together with a file, as the build does: under every profile, without variables.
///
/// # Errors
/// Every problem.
pub(crate) fn check(written: &[Written<'_>], file: Option<&PolicyFile>) -> Result<Configuration, Problems> {
    sources(written.iter().map(Written::declaration).collect(), file).check_every_profile()
}

/// What is known for sure.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) configuration: Option<Configuration>,
    pub(crate) problems: Vec<Problem>,
    /// What is only to be warned of.
    pub(crate) findings: Vec<Problem>,
}

/// As [`check`], where policies named `elsewhere` are declared by structs that this macro can't see. Problems that may
/// vanish with what those say are left out; the configuration is `None` where nothing is known for sure.
pub(crate) fn check_beside(
    written: &[Written<'_>],
    file: Option<&PolicyFile>,
    elsewhere: &[String],
) -> Judged {
    let stand_ins = if elsewhere.is_empty() { &STAND_INS[..1] } else { STAND_INS };
    let mut configuration = None;
    let mut certain: Option<Vec<Problem>> = None;
    let mut findings: Option<Vec<Problem>> = None;
    for settings in stand_ins {
        let others = elsewhere.iter().map(|name| stand_in(name, settings));
        let declarations = others.chain(written.iter().map(Written::declaration)).collect();
        match sources(declarations, file).check_every_profile() {
            Ok(sound) => {
                findings = Some(in_both(findings, sound.findings()));
                configuration.get_or_insert(sound);
                certain = Some(Vec::new());
            }
            Err(problems) => {
                let found: Vec<Problem> = problems.into_iter().collect();
                certain = Some(in_both(certain, &found));
            }
        }
    }
    // What is said of a stand-in itself is not the user's.
    let is_theirs =
        |problem: &Problem| !matches!(problem.origin(), Origin::Code(file, 0, 0) if file.is_empty());
    let findings = findings.unwrap_or_default().into_iter().filter(is_theirs).collect();
    Judged { configuration, problems: certain.unwrap_or_default(), findings }
}

/// Those of `earlier` that are `found` again; all of them where there is no earlier check.
fn in_both(earlier: Option<Vec<Problem>>, found: &[Problem]) -> Vec<Problem> {
    let identities: BTreeSet<Identity> = found.iter().map(identity).collect();
    let earlier = earlier.unwrap_or_else(|| found.to_vec());
    earlier.into_iter().filter(|problem| identities.contains(&identity(problem))).collect()
}

/// The names of a file's policies, in its order. Of a broken file, as many as can be made out.
pub(crate) fn names_in(file: &PolicyFile, sound: Option<&Configuration>) -> Vec<String> {
    let salvaged = salvage::policy_names(&file.text);
    let Some(sound) = sound else { return salvaged };
    // What the core has read is sure, but it holds what Rust declares too.
    sound.policies().map(|policy| policy.name().to_owned()).filter(|name| salvaged.contains(name)).collect()
}

/// Whether two problems of different checks are one.
pub(crate) fn is_same(one: &Problem, other: &Problem) -> bool {
    identity(one) == identity(other)
}

/// Tells a problem: at the tokens in Rust that it is about, else at `fallback`, with its place in the file.
pub(crate) fn tell(problem: &Problem, written: &[Written<'_>], fallback: &TokenStream, errors: &mut Errors) {
    errors.on(tokens(problem, written, fallback), problem.to_compiler_message());
}

/// As [`tell`], for a struct whose macro sees the file alone: what is extended may be declared in `policies!`.
pub(crate) fn tell_of_struct(
    problem: &Problem,
    written: &[Written<'_>],
    fallback: &TokenStream,
    errors: &mut Errors,
) {
    let mut message = problem.to_compiler_message();
    if problem.rule() == UNKNOWN_EXTENDS {
        message = message.replace("neither another policy nor", "neither a policy of the policy file nor");
        message.push_str(EXTENDS_NO_INLINE);
    }
    errors.on(tokens(problem, written, fallback), message);
}

/// The warning that a finding becomes, at the same tokens.
pub(crate) fn warning(problem: &Problem, written: &[Written<'_>], fallback: &TokenStream) -> Warning {
    let span = place::first(&tokens(problem, written, fallback));
    Warning { id: problem.lint().id(), note: problem.to_deprecation_note(), span }
}

fn tokens(problem: &Problem, written: &[Written<'_>], fallback: &TokenStream) -> TokenStream {
    let is_in_a_file = matches!(problem.origin(), Origin::File { .. } | Origin::Document(_));
    let path = problem.key().strip_prefix("policies.").unwrap_or_default();
    let (name, key) = path.split_once('.').unwrap_or((path, ""));
    let policy = written.iter().find(|policy| policy.name == name).filter(|_| !is_in_a_file);
    policy.map_or_else(|| fallback.clone(), |policy| policy.tokens(key, problem.rule()))
}

/// Reads a duration with its unit.
///
/// # Errors
/// What is wrong, in one sentence, and its fix.
pub(crate) fn duration(written: &str) -> Result<Duration, String> {
    sessions_policy::parse_duration(written).map_err(|invalid| match invalid.help() {
        Some(help) => format!("{invalid}\n = help: {help}"),
        None => invalid.to_string(),
    })
}

/// What to write instead of a text for a whole table, where `key` is one: the key in it that knows the word.
pub(crate) fn in_its_table(key: &str, text: &str) -> Option<String> {
    sessions_policy::policy_keys().find_map(|inner| {
        let rest = inner.path().strip_prefix(key)?.strip_prefix('.')?;
        let Kind::Choice { words, .. } = inner.kind() else { return None };
        words.contains(&text).then(|| format!("{key}: {{ {rest}: \"{text}\" }}"))
    })
}

/// Whether `name` can name a policy.
///
/// # Errors
/// What is wrong, in one sentence, and its fix.
pub(crate) fn name(name: &str) -> Result<(), String> {
    // Every handler asks, and a whole check only words the refusal.
    if sessions_policy::is_policy_name(name) {
        return Ok(());
    }
    let policy = Written { name, name_tokens: &TokenStream::new(), settings: &[] };
    let Err(problems) = check(&[policy], None) else { return Ok(()) };
    let prefix = format!("`policies.{name}`: the name ");
    let texts: Vec<String> = problems.iter().map(|problem| bare(problem).replace(&prefix, "")).collect();
    Err(format!("{name:?} can't be a policy's name: it {}", texts.join("\n")))
}

/// The marker type of the policy `name`.
pub(crate) fn marker(name: &str) -> String {
    sessions_policy::marker_name(name)
}

/// What a key may take and the library is built without.
const MISSING_FEATURES: &[&str] = &[
    #[cfg(not(feature = "encryption"))]
    "encryption",
    #[cfg(not(feature = "messagepack"))]
    "messagepack",
    #[cfg(not(feature = "postgres"))]
    "postgres",
    #[cfg(not(feature = "redis"))]
    "redis",
    #[cfg(not(feature = "sqlite"))]
    "sqlite",
];

fn sources(declarations: Vec<Declaration>, file: Option<&PolicyFile>) -> Sources {
    let file = file.map(|file| SourceFile { name: file.name.clone(), text: file.text.clone() });
    let today = Some(Date::of(SystemTime::now()));
    let missing_features = MISSING_FEATURES.to_vec();
    Sources { declarations, file, today, missing_features, ..Sources::default() }
}

/// A declaration in place of a struct's.
fn stand_in(name: &str, settings: &[(&'static str, &'static str)]) -> Declaration {
    let nowhere = || Location::new("", 0, 0);
    let entries = settings.iter().map(|(key, value)| Entry::new(key, Literal::text(value), nowhere()));
    Declaration { name: Cow::Owned(name.to_owned()), location: nowhere(), entries: entries.collect() }
}

fn identity(problem: &Problem) -> Identity {
    (problem.origin().to_string(), problem.rule(), problem.key().to_owned())
}

fn bare(problem: &Problem) -> String {
    let help = problem.help().map_or_else(String::new, |help| format!("\n = help: {help}"));
    format!("{}{help}", problem.message())
}

fn literal(value: &Value) -> Literal {
    match value {
        Value::Text(text) => Literal::Text(Cow::Owned(text.clone())),
        Value::Integer(number) => Literal::Integer(*number),
        Value::Bool(bool) => Literal::Bool(*bool),
        Value::List(texts) => Literal::Texts(texts.clone()),
        Value::Tables(tables) => Literal::Entries(tables.clone()),
    }
}

fn location(span: Span) -> Location {
    let place = place::of(span);
    Location { file: Cow::Owned(place.file), line: place.line, column: place.column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> PolicyFile {
        PolicyFile { name: "sessions.toml".to_owned(), path: String::new(), text: text.to_owned() }
    }

    fn problems_beside(text: &str, elsewhere: &str) -> Vec<String> {
        let judged = check_beside(&[], Some(&file(text)), &[elsewhere.to_owned()]);
        judged.problems.iter().map(|problem| problem.message().to_owned()).collect()
    }

    #[test]
    fn what_a_struct_may_have_said_is_not_complained_about() {
        // The struct may have a longer `ttl`, another adapter, `remember`, or a period of rotation.
        for text in [
            "[policies.checkout]\nidle_timeout = \"8days\"",
            "[policies.mini]\nextends = \"checkout\"\nidle_timeout = \"8days\"",
            "[policies.checkout]\ntransport = { header_name = \"X-Checkout\" }",
            "[policies.checkout]\ntransport = { cookie_name = \"checkout\" }",
            "[policies.checkout]\nremember = { idle_timeout = \"1day\" }",
            "[policies.checkout]\nrotation_grace = \"60s\"",
        ] {
            assert_eq!(problems_beside(text, "checkout"), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_a_struct_may_have_said_is_not_warned_of() {
        let warned = |text: &str| {
            let judged = check_beside(&[], Some(&file(text)), &["checkout".to_owned()]);
            judged.findings.iter().map(Problem::key).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(warned("[policies.mini]\nextends = \"checkout\""), [""; 0]);
        assert_eq!(warned("[policies.checkout]\nfresh_for = \"1min\""), [""; 0]);
        assert_eq!(
            warned("[policies.mini]\nextends = \"user_default\"\nidle_timeout = \"1h\""),
            ["policies.mini.idle_timeout"]
        );
    }

    #[test]
    fn what_no_struct_can_make_right_is_told() {
        for text in [
            "[policies.checkout]\nidle_timout = \"8days\"",
            "[policies.checkout]\nttl = 3600",
            "[policies.checkout]\nttl = \"1h\"\nidle_timeout = \"2h\"",
            "[policies.other]\nttl = \"1h\"\nidle_timeout = \"2h\"",
            "[policies.mini]\nextends = \"checkou\"",
            // Two that clash with each other, whatever the struct's own header is.
            "[policies.one]\nextends = \"api_token\"\n[policies.two]\nextends = \"api_token\"",
            "[policies.checkout",
        ] {
            assert_ne!(problems_beside(text, "checkout"), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_sound_file_has_a_configuration_beside_any_struct() {
        let judged =
            check_beside(&[], Some(&file("[policies.user_default]\nttl = \"1h\"")), &["checkout".to_owned()]);
        assert!(judged.problems.is_empty());
        assert!(
            judged.configuration.is_some_and(|configuration| configuration.policy("user_default").is_some())
        );
    }

    #[test]
    fn only_names_of_the_file_count_as_the_files() {
        let file =
            file("[policies.one]\nttl = \"1h\"\n[policies]\ntwo = { ttl = \"1h\",\n  renew = \"fixed\" }");
        let three = [Written { name: "three", name_tokens: &TokenStream::new(), settings: &[] }];
        let configuration = check(&three, Some(&file)).ok();
        if configuration.is_some() {
            assert_eq!(names_in(&file, configuration.as_ref()), ["one", "two"]);
        }
        assert_eq!(names_in(&file, None)[..2], ["one", "two"]);
    }

    #[test]
    fn a_types_name_gets_the_policys_name() {
        assert_eq!(name("api_token"), Ok(()));
        assert!(name("ApiToken").is_err_and(|problem| problem.contains("did you mean `api_token`?")));
        assert!(name("").is_err());
        assert!(name("registry").is_err());
    }

    #[test]
    fn a_duration_needs_its_unit() {
        assert_eq!(duration("5min"), Ok(Duration::from_secs(300)));
        assert!(duration("300").is_err_and(|problem| problem.contains("help: write `\"300s\"`")));
    }
}
