//! Every problem at once, each with its place, reason, fix and nearest spelling, and never a secret.

mod common;

use common::{bad, file, golden, only};
use sessions_policy::{Declaration, Entry, Literal, Location};

#[test]
fn a_problem_reads_like_this() {
    let text = "[policies.admin]\nabsolute_timeout = '1h'\nidle_timeout = '2h'\n";
    assert_eq!(
        bad(text).to_string(),
        "error[SL032]: sessions.toml:3:16: `policies.admin.idle_timeout` (2h) is longer than `absolute_timeout` (1h)\n  \
         |\n3 | idle_timeout = '2h'\n  |                ^^^^\n  = help: lower `idle_timeout`, or raise \
         `absolute_timeout`: a session can't be idle past its end\n  = note: OWASP Session Management Cheat Sheet, \
         Session Expiration"
    );
}

#[test]
fn everything_that_is_wrong_comes_at_once_in_the_order_of_the_file() {
    let text = "\
[policies.admin]
tll = '1h'
idle_timeout = 30
renew = 'slidng'
transport = { cookie_samesit = 'lax', cookie_domain = 'a.example' }

[policy.x]

[stores.main]
kind = 'memry'

[policies.shop]
extends = 'amdin'
persistence = { store_name = 'mian' }
transprt = 'x'
max_keys = = 1
";
    let mut sources = file(text);
    sources.variables.push(("SESSIONS_POLICIES__ADMIN__TTLL".into(), "1h".into()));
    golden("everything", &sources.check().unwrap_err().to_string());
}

#[test]
fn a_mistake_is_one_problem_and_not_two() {
    // A refused ttl doesn't make the idle timeout contradict the default that stands in for it.
    assert_eq!(only(bad("[policies.p]\nttl = 30\nidle_timeout = '30days'\n")).rule(), "bare_number");
    // Nor does a policy that can't be found.
    assert_eq!(only(bad("[policies.p]\nextends = 'x'\nidle_timeout = '30days'\n")).rule(), "unknown_extends");
    // Nor does a value that is no TOML.
    let syntax = bad("[policies.p]\nttl = = 1\nidle_timeout = '30days'\ntransport = = 1\n");
    assert!(syntax.iter().all(|problem| problem.rule() == "syntax"), "{syntax}");
    // What is wrong all the same is said.
    let text = "[policies.p]\nextends = 'x'\nttl = '1h'\nidle_timeout = '2h'\n";
    assert_eq!(bad(text).len(), 2);
}

#[test]
fn a_value_that_is_handed_on_is_refused_once_where_it_stands() {
    for wrong in [
        "transport.cookie_secure = false",
        "transport.cookie_path = 'x'",
        "transport.cookie_httponly = false",
        "transport.header_name = 'X-A'",
        "persistence.store_name = 'mian'",
        "trusted_origins = ['null']",
        "rotation_grace = '3min'",
        "carry_over = ['']",
        "rotate_every = '9s'\nrotation_grace = '9s'",
    ] {
        let text = format!(
            "[policies.heir]\nextends = 'base'\n[policies.base]\n{wrong}\n[policies.last]\nextends = 'heir'\n"
        );
        let problem = only(bad(&text));
        assert!(problem.key().starts_with("policies.base."), "{problem}");
        assert!(problem.origin().to_string().starts_with("sessions.toml:"), "{problem}");
    }
    let mut sources = file("[policies.base]\n[policies.heir]\nextends = 'base'\n");
    sources.variables.push(("SESSIONS_POLICIES__BASE__TRANSPORT__COOKIE_PATH".into(), "/a".into()));
    assert_eq!(only(sources.check().unwrap_err()).key(), "policies.base.transport.cookie_path");
}

#[test]
fn a_value_that_is_wrong_in_heirs_only_is_told_for_each() {
    let text = "[policies.base]\ntransport = { cookie_name = 'sid', cookie_secure = false }\n\
                [policies.a]\nextends = 'base'\n[policies.b]\nextends = 'base'\n";
    let found = bad(text);
    let keys: Vec<&str> = found.iter().map(sessions_policy::Problem::key).collect();
    assert_eq!(keys, ["policies.a.transport.cookie_secure", "policies.b.transport.cookie_secure"]);
}

#[test]
fn a_table_that_is_misspelt_is_not_lost_too() {
    let known = |text: &str| {
        let known = Some(vec!["api_token".to_owned(), "base".to_owned()]);
        sessions_policy::Sources { known, ..file(text) }.check().expect_err("this file is wrong")
    };
    for (header, rule) in [
        ("policies.api_tokn", "unknown_policy"),
        ("policies.api-token", "name"),
        ("policies.ApiToken", "name"),
        ("polices.api_token", "unknown_table"),
        ("policies.api_token", "syntax"),
    ] {
        let end = if rule == "syntax" { "" } else { "]" };
        let problem = only(known(&format!("[policies.base]\n[{header}{end}\nttl = '1h'\n")));
        assert_eq!(problem.rule(), rule, "{problem}");
    }
    assert_eq!(only(known("[policies.base]\n")).rule(), "lost_policy");
    let alone = "[policies.base]\n[policies.api_token]\n[production.policies.other]\nttl = '1h'\n";
    assert_eq!(only(known(alone)).rule(), "profile_alone");
}

#[test]
fn a_value_of_the_wrong_kind_is_shown_so_that_the_kind_is_seen() {
    let told = |body: &str| only(bad(&format!("[policies.p]\n{body}\n"))).to_string();
    for (body, reason, help) in [
        ("max_keys = 5.0", "(5.0) is not a whole number", "write a whole number"),
        ("max_keys = '5'", "(\"5\") is text", "write `5`, without quotes"),
        ("rotate_on_use = 'true'", "(\"true\") is text", "write `true`, without quotes"),
        ("ttl = ''", "is empty", "`\"30s\"`"),
        ("renew = ' '", "is empty", "`\"sliding\"`"),
        ("idle_timeout = 'OFF'", "(OFF) is not a duration", "did you mean `off`?"),
        ("carry_over = 'cart'", "(cart) is not a list of texts", "write `[\"cart\"]`, or `\"all\"`"),
        ("max_size = '64kib'", "(64kib) is not a size", "did you mean `64KiB`?"),
        ("max_size = '2GiB'", "(2GiB) is not between", "from `\"1KiB\"`"),
    ] {
        let told = told(body);
        assert!(told.contains(reason) && told.contains(help), "{told}");
    }
}

#[test]
fn the_help_for_a_variable_is_spelt_as_a_variable() {
    let told = |key: &str, value: &str| {
        let mut sources = file("[policies.p]\n");
        sources.variables.push((format!("SESSIONS_POLICIES__P__{key}"), value.to_owned()));
        only(sources.check().unwrap_err()).to_string()
    };
    assert!(told("TTL", "30").contains("write `30s`:"), "{}", told("TTL", "30"));
    assert!(told("TTL", "").contains("is empty"), "{}", told("TTL", ""));
    let truth = told("ROTATE_ON_USE", "TRUE");
    assert!(truth.contains("did you mean `true`?") && !truth.contains("quotes"), "{truth}");
    assert!(told("RENEW", "x").contains("`fixed` or `sliding`"), "{}", told("RENEW", "x"));
}

#[test]
fn a_mistake_in_code_is_found_where_it_is_written() {
    let at = |line| Location::new("src/main.rs", line, 9);
    let entries = vec![
        Entry::new("transport.cookie_samesite", Literal::text("laxx"), at(2)),
        Entry::new("idle_timeot", Literal::text("1h"), at(3)),
        Entry::new("max_keys", Literal::Integer(0), at(4)),
        Entry::new("transport.adaptr", Literal::Bool(true), at(5)),
        Entry::new("trusted_origins", Literal::List(&["null"]), at(6)),
    ];
    let mut sources = file("");
    sources.declarations = vec![Declaration { name: "p".into(), location: at(1), entries: entries.into() }];
    let problems = sources.check().unwrap_err();
    let places: Vec<String> = problems.iter().map(|problem| problem.origin().to_string()).collect();
    let expected: Vec<String> = (2..=6).map(|line| format!("src/main.rs:{line}:9")).collect();
    assert_eq!(places, expected);
    assert!(problems.iter().all(|problem| problem.help().is_some()));
}

#[test]
fn a_name_is_told_what_is_wrong_with_it() {
    for (name, reason) in [
        ("Admin", "doesn't begin with a letter from a to z"),
        ("a__b", "has two underscores in a row"),
        ("a_", "ends with an underscore"),
        ("a-b", "has other characters"),
        ("self", "is reserved"),
        ("registry", "is reserved"),
    ] {
        let problem = only(bad(&format!("[policies.{name}]\n")));
        assert_eq!(problem.rule(), "name");
        assert!(problem.message().contains(reason), "{problem}");
    }
}

#[test]
fn what_is_no_table_is_told_so() {
    assert_eq!(only(bad("policies = 1\n")).message(), "`policies` is a table, not a value");
    assert_eq!(only(bad("[policies]\np = 1\n")).message(), "`policies.p` is a table, not a value");
    assert_eq!(
        only(bad("[policies.p]\ntransport = 'cookie'\n")).message(),
        "`policies.p.transport` is a table of keys, not a value"
    );
    assert_eq!(only(bad("[policies.p.ttl]\nx = 1\n")).message(), "`policies.p.ttl` is a table, not a value");
    assert_eq!(only(bad("production = 1\n")).message(), "`production` is a profile, which is a table");
}

#[test]
fn no_problem_prints_a_secret() {
    let secret = "hunter2";
    for text in [
        "[stores.main]\nurl = 'redis://:hunter2@host'\n",
        "[stores.main]\nindex_key = 'hunter2'\n",
        "[stores.main]\nkind = 'redis://:hunter2@host'\n",
        "[stores.main]\nadress = 'hunter2'\n",
        "[stores.main]\nurl = redis://:hunter2@host\n",
        "[stores.main]\nurl = 'redis://:hunter2@host\n",
        "[stores.main]\nurl = \"redis://\\q:hunter2@host\"\n",
        "[stores.main]\nurl 'hunter2'\n",
        "[policies.p]\npersistence.store_name = 'redis://:hunter2@host'\n",
        "[policies.p]\nttl = 'redis://:hunter2@host'\n",
        "[policies.p]\ntrusted_origins = ['https://u:hunter2@host']\n",
        "[policies.p]\nextends = 'redis://:hunter2@host'\n",
        "[policies.p]\ntransport.cookie_name = 'password=hunter2;'\n",
        "[policies.'redis://:hunter2@host']\n",
        "[policies.p.'redis://:hunter2@host']\n",
        "['redis://:hunter2@host']\n",
    ] {
        let problems = bad(text);
        assert!(!problems.to_string().contains(secret), "{problems}");
        assert!(!format!("{problems:?}").contains(secret), "{problems:?}");
    }
}

#[test]
fn arbitrary_text_is_never_a_panic() {
    let words = [
        "[",
        "]",
        "policies",
        ".",
        "p",
        "=",
        "'1h'",
        "1",
        "\n",
        "{",
        "}",
        ",",
        "\"",
        "stores",
        "production",
        "é",
        "transport",
        "ttl",
        "extends",
        "'p'",
        "#",
        "\u{0}",
        "-1",
        "1e999",
        "9999999999999999999999",
        "0x",
        "[[",
        "2024-01-01",
    ];
    // A linear congruential generator: the same texts in every run.
    let mut state: u64 = 7;
    for _ in 0..3000 {
        let mut text = String::new();
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let index = usize::try_from(state >> 33).unwrap() % words.len();
            text.push_str(words[index]);
        }
        let _ = file(&text).check_every_profile();
    }
}

#[test]
fn sources_do_not_print_what_may_be_a_secret() {
    let mut sources = file("url = 'hunter2'");
    sources.variables.push(("SESSIONS_STORES__MAIN__URL".into(), "hunter2".into()));
    let text = format!("{sources:?}");
    assert!(text.contains("SESSIONS_STORES__MAIN__URL") && !text.contains("hunter2"), "{text}");
}

#[test]
fn deep_nesting_is_a_problem_and_no_overflow() {
    for text in [
        "a.".repeat(100_000) + "a = 1",
        format!("a = {}", "[".repeat(100_000)),
        format!("[{}a]", "a.".repeat(100_000)),
    ] {
        assert!(file(&text).check().is_err());
    }
}

/// What one value of the policy `p` is told, in the file.
fn told(body: &str) -> String {
    only(bad(&format!("[policies.p]\n{body}\n"))).to_string()
}

/// What the one variable is told.
fn told_of_variable(text: &str, key: &str, value: &str) -> String {
    let mut sources = file(text);
    sources.variables.push((format!("SESSIONS_POLICIES__P__{key}"), value.to_owned()));
    sources.stage = sessions_policy::Stage::Start;
    sources.check().expect_err("this variable is wrong").to_string()
}

#[test]
fn a_capital_m_is_neither_minutes_nor_months() {
    for (written, minutes, months) in
        [("5M", "`5min`", "`\"5months\"`"), ("1h 30 M", "`1h 30 min`", "`\"1h 30 months\"`")]
    {
        let told = told(&format!("ttl = '{written}'"));
        assert!(told.contains(&format!("did you mean {minutes}?")) && told.contains(months), "{told}");
    }
    assert!(told("ttl = '2H'").contains("did you mean `2h`?"));
    assert!(file("[policies.p]\nttl = '5months'\nidle_timeout = '5m'\n").check().is_ok());
}

#[test]
fn the_advice_for_a_number_can_be_followed() {
    for (body, help) in [
        ("idle_timeout = -1", "write `\"1s\"`, or `\"off\"`"),
        ("idle_timeout = 0", "write `\"off\"`"),
        ("idle_timeout = '-1s'", "or `\"off\"`"),
        ("max_size = 64", "write `\"64KiB\"` or"),
        ("max_size = 65536", "write `\"65536B\"` or"),
    ] {
        let told = told(body);
        assert!(told.contains(help), "{told}");
    }
}

#[test]
fn an_allow_that_is_no_list_is_told_to_be_one() {
    for body in ["allow = { rule = 'SL010' }", "allow = 'SL010'"] {
        let told = told(body);
        assert!(told.contains("write `allow = [{ rule = "), "{told}");
    }
}

#[test]
fn a_variable_has_no_quotes_and_neither_has_its_help() {
    let told =
        |key: &str, value: &str| told_of_variable("[policies.p]\nextends = 'user_default'\n", key, value);
    for (key, value, right) in [
        ("TTL", "\"3days\"", "`3days`"),
        ("RENEW", "'sliding'", "`sliding`"),
        ("MAX_KEYS", "\"5\"", "`5`"),
        ("CARRY_OVER", "\"cart\", lang", "`cart,lang`"),
    ] {
        let told = told(key, value);
        assert!(told.contains(&format!("did you mean {right}?")), "{told}");
        assert!(told.contains("without the quotes") && !told.contains('\\'), "{told}");
    }
    let grace = told("ROTATION_GRACE", "3min");
    assert!(grace.contains("write at most `120s`"), "{grace}");
    let idle = told("IDLE_TIMEOUT", "off");
    assert!(idle.contains("SL094") && idle.contains("such as `30min`"), "{idle}");
}

#[test]
fn a_variable_that_is_the_cause_is_named() {
    let text = "[policies.p]\nextends = 'user_default'\nremember = { ttl = '30days', idle_timeout = '14days' }\n\
                [policies.api]\nextends = 'api_token'\n";
    let remember = told_of_variable(text, "REMEMBER__TTL", "off");
    assert!(
        remember.contains("`remember.ttl` (off) is from SESSIONS_POLICIES__P__REMEMBER__TTL"),
        "{remember}"
    );
    let text = text.replace("remember =", "# remember =");
    let header = told_of_variable(&text, "TRANSPORT__ADAPTER", "header");
    assert!(
        header.contains("SL007") && header.contains("(header) is from SESSIONS_POLICIES__P__TRANSPORT"),
        "{header}"
    );
    let profile = "[policies.p]\nidle_timeout = '30min'\nabsolute_timeout = '1h'\n\
                   [production.policies.p]\nremember.idle_timeout = '1h'\nremember.ttl = 'off'\n";
    let told = bad(profile).to_string();
    assert!(told.contains("`remember.ttl` (off) is from the profile, sessions.toml:6:"), "{told}");
}

#[test]
fn a_variable_that_makes_a_policy_keep_nothing_weakens_it() {
    let text = "[policies.p]\nextends = 'user_default'\n";
    for (key, value) in [("PERSISTENCE__ENABLED", "false"), ("SCOPE", "request")] {
        let told = told_of_variable(text, key, value);
        let variable = format!("error[SL094]: SESSIONS_POLICIES__P__{key}: ");
        assert!(told.contains(&variable) && told.contains("keeps nothing"), "{told}");
        assert!(told.contains(&format!("({value})")), "{told}");
    }
}

#[test]
fn what_extends_can_name_is_told() {
    for (value, near) in
        [("'Admin'", Some("`admin`")), ("['api', 'web']", None), ("'User-Default'", Some("`user_default`"))]
    {
        let told = told(&format!("extends = {value}"));
        assert!(told.contains("`api_token`, `ephemeral`") && !told.contains("main"), "{told}");
        assert!(near.is_none_or(|near| told.contains(&format!("did you mean {near}?"))), "{told}");
    }
}

#[test]
fn a_key_by_another_name_is_found() {
    for (body, right) in [
        ("same_site = 'lax'", "did you mean `transport.cookie_samesite`?"),
        ("http_only = true", "did you mean `transport.cookie_httponly`?"),
        ("transport = { secure = true }", "did you mean `transport.cookie_secure`?"),
        ("sliding = true", "write `renew = \"sliding\"`"),
    ] {
        let told = told(body);
        assert!(told.contains(right), "{told}");
    }
    let told = told_of_variable("[policies.p]\n", "SECURE", "true");
    assert!(told.contains("did you mean `SESSIONS_POLICIES__P__TRANSPORT__COOKIE_SECURE`?"), "{told}");
}

#[test]
fn what_stands_under_a_refused_name_is_judged_all_the_same() {
    let rules = |text: &str| bad(text).iter().map(sessions_policy::Problem::rule).collect::<Vec<_>>();
    let wrong = "ttl = 30\nidle_timeout = '2h'\nabsolute_timeout = '1h'\ntll = 1\n";
    for (header, rule) in [("policies.MyShop", "name"), ("polices.web", "unknown_table")] {
        let found = rules(&format!("[{header}]\n{wrong}"));
        for rule in [rule, "bare_number", "idle_over_absolute", "unknown_key"] {
            assert!(found.contains(&rule), "{header}: {found:?}");
        }
        assert_eq!(found.len(), 4, "{found:?}");
    }
    assert_eq!(
        rules("[store.main]\nkind = 'memry'\ntimeout = '1min'\n"),
        ["unknown_table", "unknown_word", "store_timeout"]
    );
    // One that extends it has no problem of its own.
    assert_eq!(rules("[polices.base]\nttl = '1h'\n[policies.heir]\nextends = 'base'\n"), ["unknown_table"]);
}

#[test]
fn a_parent_that_is_missing_hides_only_what_depends_on_it() {
    let rules = |text: &str| bad(text).iter().map(sessions_policy::Problem::rule).collect::<Vec<_>>();
    let lost = "[policies.p]\nextends = 'nobody'\nrotation_grace = '3min'\n";
    assert_eq!(rules(lost), ["unknown_extends", "grace_too_long"]);
    // What stands before the gap holds, whatever lies behind it.
    let heir =
        "[policies.a]\nextends = 'b'\nidle_timeout = '2h'\n[policies.b]\nextends = 'nobody'\nttl = '1h'\n";
    assert_eq!(rules(heir), ["idle_over_ttl", "unknown_extends"]);
    let round = heir.replace("nobody", "a");
    assert_eq!(rules(&round), ["cyclic_extends", "idle_over_ttl"]);
}

#[test]
fn a_syntax_error_invents_nothing_beside_it() {
    for text in [
        "[policies.p]\nttl = \"2h\n",
        "[policies.p]\nttl = '\n",
        "[policies.p]\nttl = 2h\n",
        "[policies.p]\nextends \"user_default\"\n",
        "[policies.p\nextends = 'user_default'\n",
    ] {
        let mut sources = file(text);
        sources.stage = sessions_policy::Stage::Start;
        let found = sources.check().unwrap_err();
        assert!(found.iter().all(|problem| problem.rule() == "syntax"), "{text}: {found}");
    }
    let told = bad("[policies.p]\nttl = 2h\n").to_string();
    assert!(told.contains("2 | ttl = 2h\n"), "{told}");
}

#[test]
fn a_key_that_stands_twice_is_named_with_its_first_place() {
    let told = bad("[policies.a]\nttl = '1h'\n[policies.p]\nttl = '2h'\nidle_timeout = '1h'\nttl = '3h'\n")
        .to_string();
    assert!(told.contains("sessions.toml:6:1: invalid TOML: duplicate key `ttl`"), "{told}");
    assert!(told.contains("line 4 has it first"), "{told}");
    let told = bad("[policies.p]\nttl = '1h'\n[policies.p]\nttl = '2h'\n").to_string();
    assert!(told.contains("line 1 has it first"), "{told}");
}

#[test]
fn a_table_of_keys_is_advised_in_code_as_in_the_file() {
    let at = |line| Location::new("src/main.rs", line, 9);
    let entries = vec![Entry::new("transport", Literal::text("header"), at(2))];
    let declaration = Declaration { name: "p".into(), location: at(1), entries: entries.into() };
    let sources =
        sessions_policy::Sources { declarations: vec![declaration], ..sessions_policy::Sources::default() };
    let told = only(sources.check().unwrap_err());
    let in_file = only(bad("[policies.p]\ntransport = 'header'\n"));
    assert_eq!((told.message(), told.help()), (in_file.message(), in_file.help()));
    assert!(told.help().is_some_and(|help| help.contains("`transport.adapter`")), "{told}");
}

#[test]
fn a_part_of_a_list_is_told_at_its_own_place() {
    let told = told("trusted_origins = ['https://a.example', 'null']");
    assert!(told.contains("sessions.toml:2:41: "), "{told}");
    assert!(told.contains(&format!("\n  | {}^^^^^^\n", " ".repeat(40))), "{told}");
    let entry = |entry: &str| {
        only(bad(&format!(
            "[policies.p]\nallow = [{{ rule = 'SL010', reason = 'r', owner = 'o', {entry} }}]\n"
        )))
    };
    let day = entry("until = '2099-02-30'");
    assert!(day.message().ends_with("until \"2099-02-30\", which is no day of the calendar"), "{day}");
    let field = entry("untill = '2099-02-03'");
    assert_eq!(field.origin().to_string(), "sessions.toml:2:55", "{field}");
    assert!(field.help().is_some_and(|help| help.starts_with("did you mean `until`?")), "{field}");
}
