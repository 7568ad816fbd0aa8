//! The dossier: what an auditor asks about sessions, answered from a configuration, as Markdown. Each row names the clause
//! that it answers; what the application has to answer itself is listed at the end.

use std::fmt::Write as _;

use super::assurance::Life;
use crate::adapt::without_use;
use crate::configuration::Configuration;
use crate::keys::{Key, Kind, policy_keys};
use crate::lint::Severity;
use crate::policy::{Adapter, SessionPolicy};
use crate::problems::Problems;
use crate::source::Sources;

/// Adds a line; a `String` takes any.
macro_rules! line {
    ($page:expr, $($text:tt)*) => { writeln!($page, $($text)*).expect("a string takes any text") };
}

/// What holds under every policy, and the clauses that ask for it.
const ALWAYS: &[(&str, &str)] = &[
    ("A session's secret is 32 bytes of the operating system's generator", "OWASP ASVS 5.0, 7.2.3"),
    (
        "Stores keep a digest of it and never the secret itself",
        "OWASP Session Management Cheat Sheet, Session Repository",
    ),
    (
        "A new id at login, logout and every change of privilege; the old one is dead at once",
        "OWASP ASVS 5.0, 7.2.4",
    ),
    ("Sessions end in the store, and an ended one is never revived", "OWASP ASVS 5.0, 7.4.1"),
    ("Expiry is judged at each use from the stored record", "OWASP ASVS 5.0, 7.3.1 and 7.3.2"),
    (
        "A person's sessions can be listed and ended, one, the others or all",
        "OWASP ASVS 5.0, 7.4.5 and 7.5.2",
    ),
    ("Unsafe requests of other sites are refused where a cookie carries the id", "OWASP ASVS 5.0, 3.5.1"),
    ("Responses that a session shaped are `Cache-Control: no-store`", "OWASP ASVS 5.0, 14.3.2"),
    ("A store that fails is answered with 503, never with another identity", "OWASP ASVS 5.0, 16.5.3"),
];

/// What no policy can decide.
const APPLICATION: &[(&str, &str)] = &[
    (
        "Response headers other than cookies: `Strict-Transport-Security` and its preload list, `Content-Security-Policy`, \
      `X-Content-Type-Options`, `Referrer-Policy`",
        "OWASP ASVS 5.0, 3.4.1 to 3.4.8",
    ),
    ("Sessions of federated identities: how they are coordinated", "OWASP ASVS 5.0, 7.1.3 and 7.6.1"),
    ("A logout that people can see on every page behind the login", "OWASP ASVS 5.0, 7.4.4"),
    (
        "Ending a person's sessions when the account is disabled or its password changes: the library does it when it is \
      called",
        "OWASP ASVS 5.0, 7.4.2 and 7.4.3",
    ),
    (
        "Asking for the password again before sensitive changes: the guard `fresh` on their handlers",
        "OWASP ASVS 5.0, 7.5.1 \
      and 7.5.3",
    ),
    ("Passwords, second factors and their recovery", "OWASP ASVS 5.0, V6; NIST SP 800-63B-4, 3"),
];

/// The dossier of a configuration under its profile, as Markdown.
///
/// ```
/// use sessions_policy::{SourceFile, Sources, dossier};
///
/// let text = "[policies.office]\nextends = \"admin\"\n";
/// let file = SourceFile { name: "sessions.toml".into(), text: text.into() };
/// let page = dossier(&Sources { file: Some(file), ..Sources::default() })?;
/// assert!(page.contains("within the times of AAL3"));
/// # Ok::<(), sessions_policy::Problems>(())
/// ```
///
/// # Errors
/// The configuration is wrong: every problem.
pub fn dossier(sources: &Sources) -> Result<String, Problems> {
    let configuration = sources.check()?;
    let mut page = String::from("# Session management\n\n");
    let name = sources.file.as_ref().map_or("Rust code", |file| file.name.as_str());
    line!(page, "| configuration | `{name}` |\n|---|---|");
    line!(page, "| profile | {} |", sources.profile);
    let variables: Vec<String> = sources.variables.iter().map(|(name, _)| format!("`{name}`")).collect();
    if !variables.is_empty() {
        line!(page, "| variables | {} |", variables.join(", "));
    }
    if let Some(today) = sources.today {
        line!(page, "| day | {today} |");
    }
    line!(page, "| checked by | sessions {} |", env!("CARGO_PKG_VERSION"));
    line!(page, "\nPolicies that are declared in Rust code are not in this file.");
    for policy in configuration.policies() {
        of_policy(&mut page, policy, sources);
    }
    deviations(&mut page, &configuration);
    findings(&mut page, &configuration);
    clauses(&mut page, "Under every policy", "what the library does", ALWAYS);
    clauses(
        &mut page,
        "What stays the application's",
        "what to show an auditor beside this page",
        APPLICATION,
    );
    Ok(page)
}

fn of_policy(page: &mut String, policy: &SessionPolicy, sources: &Sources) {
    line!(page, "\n## Policy `{}`\n", policy.name());
    if !policy.is_persistent() {
        line!(page, "Sessions live for one request: they are never stored, and no id is sent.");
        return;
    }
    line!(page, "A session lives {}.", Life::ordinary(policy).told());
    if let Some(remembered) = Life::remembered(policy) {
        line!(page, "\nA session whose user asked to be remembered lives {}.", remembered.told());
    }
    line!(page, "\n| setting | value | written | asked for by |\n|---|---|---|---|");
    for key in policy_keys().filter(|key| is_of_interest(key, policy)) {
        let chain = sources.explain(policy.name(), key.path()).unwrap_or_default();
        let held = chain.last();
        let value = held.map_or("none", |held| held.value());
        let origin = held.map(|held| held.origin().to_string()).unwrap_or_default();
        line!(page, "| `{}` | {} | {} | {} |", key.path(), cell(value), cell(&origin), key.citation());
    }
}

/// Keys that a standard asks about, and that have an effect under this policy.
fn is_of_interest(key: &Key, policy: &SessionPolicy) -> bool {
    let path = key.path();
    let transport = policy.transport();
    let without_effect =
        without_use(|word| Adapter::from_word(word).is_some_and(|one| transport.carries(one)));
    let is_limited = policy.concurrency().max_sessions_per_principal().is_some();
    let is_moot = match path {
        "concurrency.behavior_on_limit" => !is_limited,
        "rotation_grace" => policy.rotate_every().is_none() && !policy.rotate_on_use(),
        "remember.idle_timeout" => policy.remember().is_none(),
        "transport.order" => transport.adapter() != Adapter::Composite,
        _ => false,
    };
    let is_asked_for = !key.citation().is_empty() && key.kind() != Kind::Suppressions;
    is_asked_for && !is_moot && !without_effect.contains(&path)
}

fn deviations(page: &mut String, configuration: &Configuration) {
    line!(page, "\n## Deviations\n");
    if configuration.suppressions().is_empty() {
        line!(page, "None: no finding is suppressed.");
        return;
    }
    line!(page, "| where | finding | reason | owner | until | asked for by |\n|---|---|---|---|---|---|");
    for one in configuration.suppressions() {
        line!(
            page,
            "| `{}` | {} | {} | {} | {} | {} |",
            one.of(),
            one.lint(),
            cell(one.reason()),
            cell(one.owner()),
            one.until(),
            one.lint().citation()
        );
    }
}

fn findings(page: &mut String, configuration: &Configuration) {
    let told = configuration.findings().iter().filter(|finding| finding.severity() >= Severity::Info);
    let told: Vec<_> = told.collect();
    line!(page, "\n## Findings\n");
    if told.is_empty() {
        line!(page, "None.");
        return;
    }
    line!(page, "| severity | finding | what | written | asked for by |\n|---|---|---|---|---|");
    for finding in told {
        line!(
            page,
            "| {} | {} | {} | {} | {} |",
            finding.severity(),
            finding.lint(),
            cell(finding.message()),
            cell(&finding.origin().to_string()),
            finding.lint().citation()
        );
    }
}

fn clauses(page: &mut String, title: &str, head: &str, rows: &[(&str, &str)]) {
    line!(page, "\n## {title}\n\n| {head} | asked for by |\n|---|---|");
    for (text, clause) in rows {
        line!(page, "| {text} | {clause} |");
    }
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    fn page(text: &str) -> String {
        let file = SourceFile { name: "sessions.toml".into(), text: text.into() };
        dossier(&Sources { file: Some(file), ..Sources::default() }).unwrap()
    }

    #[test]
    fn a_deviation_has_its_reason_and_its_owner() {
        let allow = "{ rule = \"SL010\", reason = \"frames | of\\npartners\", owner = \"web\", until = \"2999-01-31\" }";
        let page = page(&format!(
            "[policies.widget]\nextends = \"user_default\"\nallow = [{allow}]\ntransport.cookie_samesite = \"none\"\n"
        ));
        let row =
            "| `policies.widget` | SL010 samesite-none | frames \\| of partners | web | 2999-01-31 | OWASP";
        assert!(page.contains(row), "{page}");
    }

    #[test]
    fn every_row_names_its_clause() {
        let page = page("[policies.a]\nextends = \"admin\"\n[policies.b]\nextends = \"api_token\"\n");
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        for row in rows {
            assert!(["OWASP", "NIST", "RFC"].iter().any(|standard| row.contains(standard)), "{row}");
        }
        assert!(page.contains("| `transport.header_name` | X-Session-ID |"));
        assert!(page.contains("Deviations\n\nNone"));
    }

    #[test]
    fn a_policy_of_one_request_has_no_times() {
        assert!(page("[policies.once]\nextends = \"ephemeral\"\n").contains("live for one request"));
    }

    #[test]
    fn a_wrong_configuration_has_no_dossier() {
        let file = SourceFile { name: "sessions.toml".into(), text: "[policies.a]\nttl = 1\n".into() };
        assert!(dossier(&Sources { file: Some(file), ..Sources::default() }).is_err());
    }
}
