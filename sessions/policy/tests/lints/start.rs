//! What the start judges that the build can't: the profile, variables, suppressions and their dates.

use sessions_policy::{Profile, SameSite, SessionPolicy, Severity, Sources, Stage, lint};

use super::{starting, told};

const SHOP: &str = "[policies.shop]\nextends = \"user_default\"\n";

fn with(variables: &[(&str, &str)], profile: Profile) -> Sources {
    starting(SHOP, variables, profile)
}

fn ids(sources: &Sources) -> Vec<(&'static str, Severity)> {
    told(sources).iter().map(|problem| (problem.lint().id(), problem.severity())).collect()
}

const MEMORY: (&str, Severity) = ("SL070", Severity::Warning);

#[test]
fn every_preset_is_clean_in_production() {
    for preset in ["user_default", "api_token", "ephemeral", "admin", "mobile", "device"] {
        let text = format!("[stores.main]\nkind = \"custom\"\n[policies.p]\nextends = \"{preset}\"\n");
        assert_eq!(ids(&starting(&text, &[], Profile::Production)), [], "{preset}");
    }
}

#[test]
fn the_projects_own_file_is_clean_but_for_its_store() {
    let text = include_str!("../../../../sessions.toml");
    assert_eq!(ids(&starting(text, &[], Profile::Production)), [MEMORY]);
    assert_eq!(ids(&starting(text, &[], Profile::Development)), []);
    assert_eq!(ids(&Sources { stage: Stage::Build, ..starting(text, &[], Profile::Production) }), []);
}

#[test]
fn an_override_that_tightens_or_shortens_starts() {
    for variable in [
        ("IDLE_TIMEOUT", "2s"),
        ("TTL", "3s"),
        ("ABSOLUTE_TIMEOUT", "3s"),
        ("ROTATE_EVERY", "2s"),
        ("FRESH_FOR", "1s"),
        ("CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL", "1"),
        ("CONCURRENCY__BEHAVIOR_ON_LIMIT", "reject"),
        ("TRANSPORT__COOKIE_SAMESITE", "strict"),
        ("MAX_SIZE", "2KiB"),
        ("CSRF", "strict"),
    ] {
        let name = format!("SESSIONS_POLICIES__SHOP__{}", variable.0);
        assert_eq!(ids(&with(&[(&name, variable.1)], Profile::Production)), [MEMORY], "{name}");
    }
    assert_eq!(ids(&with(&[("SESSIONS_STORES__MAIN__KIND", "custom")], Profile::Production)), []);
}

#[test]
fn an_override_that_weakens_is_refused_by_its_name() {
    for (variable, value, id) in [
        ("SESSIONS_POLICIES__SHOP__IDLE_TIMEOUT", "off", "SL030"),
        ("SESSIONS_POLICIES__SHOP__RENEW", "sliding", "SL031"),
        ("SESSIONS_POLICIES__SHOP__TRANSPORT__COOKIE_SAMESITE", "none", "SL010"),
        ("SESSIONS_POLICIES__SHOP__TRANSPORT__COOKIE_NAME", "shop", "SL003"),
        ("SESSIONS_POLICIES__SHOP__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL", "unlimited", "SL041"),
        ("SESSIONS_POLICIES__SHOP__MAX_SIZE", "1MiB", "SL075"),
        ("SESSIONS_POLICIES__SHOP__TRUSTED_ORIGINS", "http://shop.example", "SL051"),
    ] {
        let sources = with(&[(variable, value)], Profile::Production);
        let problem = sources.check().unwrap_err().into_iter().next().unwrap();
        assert_eq!(problem.lint().id(), "SL094", "{problem}");
        assert_eq!(problem.origin().to_string(), variable);
        assert!(problem.note().is_some_and(|note| note.contains(id)), "{problem}");
        // In development it is told, and starts.
        let told = told(&with(&[(variable, value)], Profile::Development));
        assert_eq!((told[0].lint().id(), told[0].severity()), ("SL094", Severity::Warning), "{variable}");
    }
}

#[test]
fn what_the_file_fails_already_is_not_the_variables_fault() {
    let text = "[policies.shop]\nextends = \"user_default\"\nidle_timeout = \"off\"\n";
    let variable = ("SESSIONS_POLICIES__SHOP__TTL", "2h");
    assert_eq!(ids(&starting(text, &[variable], Profile::Production)), [("SL030", Severity::Error)]);
}

#[test]
fn the_build_refuses_what_every_profile_refuses_and_tells_the_rest() {
    let text = "[policies.shop]\nextends = \"user_default\"\nidle_timeout = \"off\"\n";
    let build = Sources { stage: Stage::Build, ..starting(text, &[], Profile::Production) };
    let configuration = build.check_every_profile().unwrap();
    let warning = configuration.warnings().next().unwrap();
    assert_eq!(warning.lint().id(), "SL030");
    assert!(warning.note().is_some_and(|note| note.ends_with("production refuses to start with it")));
    assert!(
        warning
            .to_deprecation_note()
            .starts_with("sessions.toml:3:16: `policies.shop.idle_timeout` is off; ")
    );
}

fn allowing(entry: &str, rest: &str) -> String {
    format!("{SHOP}{rest}\nallow = [{{ {entry} }}]\n")
}

const FRAME: &str = "reason = \"a frame\", owner = \"web\", until = \"2026-12-31\"";

#[test]
fn a_suppression_excuses_its_lint_and_no_other() {
    let none = "transport = { cookie_samesite = \"none\" }";
    let production = |text: &str| ids(&starting(text, &[], Profile::Production));
    assert_eq!(production(&allowing(&format!("rule = \"SL010\", {FRAME}"), none)), [MEMORY]);
    let other = allowing(&format!("rule = \"SL013\", {FRAME}"), none);
    assert_eq!(production(&other), [("SL010", Severity::Error)]);
    // What it hands on is excused in the heir too.
    let heir =
        allowing(&format!("rule = \"SL010\", {FRAME}"), none) + "[policies.heir]\nextends = \"shop\"\n";
    assert_eq!(production(&heir), [MEMORY]);
    // A store has its own.
    let store = format!("{SHOP}[stores.main]\nallow = [{{ rule = \"SL070\", {FRAME} }}]\n");
    assert_eq!(production(&store), []);
}

#[test]
fn a_warning_may_be_suppressed_where_the_error_may_not() {
    let grace = |time: &str| {
        let rest = format!("rotate_every = \"1h\"\nrotation_grace = \"{time}\"");
        ids(&starting(&allowing(&format!("rule = \"SL038\", {FRAME}"), &rest), &[], Profile::Production))
    };
    assert_eq!(grace("90s"), [MEMORY]);
    assert_eq!(grace("3min"), [("SL038", Severity::Error)]);
}

#[test]
fn an_expired_suppression_still_suppresses_and_fails_the_command_line() {
    let none = "transport = { cookie_samesite = \"none\" }";
    let until = "reason = \"a frame\", owner = \"web\", until = \"2026-06-30\"";
    let text = allowing(&format!("rule = \"SL010\", {until}"), none);
    let at = |stage| Sources { stage, ..starting(&text, &[], Profile::Production) };
    assert_eq!(ids(&at(Stage::Build)), [("SL096", Severity::Warning)]);
    assert_eq!(ids(&at(Stage::Start)), [("SL096", Severity::Warning), MEMORY]);
    assert_eq!(ids(&at(Stage::Tool)), [("SL096", Severity::Error)]);
    assert_eq!(ids(&Sources { today: None, ..at(Stage::Tool) }), [MEMORY]);
}

#[test]
fn a_bad_suppression_is_told_with_its_place_and_the_nearest_spelling() {
    for (entry, says) in [
        ("rule = \"SL10\", reason = \"r\", owner = \"o\", until = \"2027-01-31\"", "did you mean `SL010`?"),
        (
            "rule = \"samesite-none\", reason = \"r\", owner = \"o\", until = \"2027-01-31\"",
            "did you mean `SL010`?",
        ),
        ("rule = \"SL001\", reason = \"r\", owner = \"o\", until = \"2027-01-31\"", "can't be suppressed"),
        ("rule = \"SL010\", owner = \"o\", until = \"2027-01-31\"", "no `reason`"),
        ("rule = \"SL010\", reason = \" \", owner = \"o\", until = \"2027-01-31\"", "an empty `reason`"),
        ("rule = \"SL010\", reason = \"r\", until = \"2027-01-31\"", "no `owner`"),
        ("rule = \"SL010\", reason = \"r\", owner = \"o\"", "no `until`"),
        ("rule = \"SL010\", reason = \"r\", owner = \"o\", until = \"2027-02-30\"", "such as `2027-01-31`"),
        ("rule = \"SL010\", reason = \"r\", ownr = \"o\", until = \"2027-01-31\"", "did you mean `owner`?"),
    ] {
        let problems = starting(&allowing(entry, ""), &[], Profile::Development).check().unwrap_err();
        let text = problems.to_string();
        assert!(text.contains(says) && text.contains("error[SL096]: sessions.toml:4:"), "{text}");
    }
    let variable = ("SESSIONS_POLICIES__SHOP__ALLOW", "SL010");
    let problem = with(&[variable], Profile::Production).check().unwrap_err().to_string();
    assert!(problem.contains("can't be set by a variable"), "{problem}");
}

#[test]
fn a_lint_is_found_by_id_and_by_name() {
    assert_eq!(lint("sl010"), lint("samesite-none"));
    assert!(lint("SL999").is_none());
}

#[test]
fn the_builder_allows_as_the_file_does() {
    let framed = |lint: &str| {
        SessionPolicy::for_web_users()
            .cookie_samesite(SameSite::None)
            .allowing("SL013", "one host only", "web", "2026-12-31")
            .allowing(lint, "a frame", "web", "2026-12-31")
    };
    assert!(framed("SL010").build().is_ok());
    let problems = framed("SL10").build().unwrap_err();
    assert!(problems.to_string().contains("did you mean `SL010`?"), "{problems}");
    let declarations = vec![framed("SL010").into_declaration()];
    let sources = Sources { declarations, file: None, ..starting("", &[], Profile::Production) };
    // One of the two suppresses nothing.
    assert_eq!(ids(&sources), [("SL096", Severity::Warning), MEMORY]);
}

#[test]
fn a_suppression_that_a_variable_or_profile_makes_moot_is_not_told() {
    let none = "transport = { cookie_samesite = \"none\" }";
    let text = allowing(&format!("rule = \"SL010\", {FRAME}"), none);
    let lax = ("SESSIONS_POLICIES__SHOP__TRANSPORT__COOKIE_SAMESITE", "lax");
    assert_eq!(ids(&starting(&text, &[lax], Profile::Production)), [MEMORY]);
    let profile = text.clone() + "[production.policies.shop]\ntransport.cookie_samesite = \"lax\"\n";
    assert_eq!(ids(&starting(&profile, &[], Profile::Production)), [MEMORY]);
    let unused = text.replace("\"none\"", "\"lax\"");
    assert_eq!(ids(&starting(&unused, &[], Profile::Production)), [("SL096", Severity::Warning), MEMORY]);
}

#[test]
fn lengths_that_another_layer_shortens_are_not_told() {
    let text = format!("{SHOP}ttl = \"8h\"\nfresh_for = \"5min\"\nremember = {{ ttl = \"30days\" }}\n");
    for (key, value) in
        [("TTL", "3s"), ("ABSOLUTE_TIMEOUT", "3s"), ("REMEMBER__TTL", "3s"), ("FRESH_FOR", "1day")]
    {
        let name = format!("SESSIONS_POLICIES__SHOP__{key}");
        assert_eq!(ids(&starting(&text, &[(&name, value)], Profile::Production)), [MEMORY], "{name}");
    }
}
