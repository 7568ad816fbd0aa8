//! A key of a key ring is shown nowhere: in no message, explanation, comparison or page, however it is mistyped.

#![allow(clippy::format_push_string, reason = "everything that is told is one text")]

use sessions_policy::{Problem, Profile, SourceFile, Sources, Stage};

const VARIABLE: &str = "SESSIONS_STORES__MAIN__ENCRYPTION_KEYS";
const KEY: &str = "1:c0ffee02030405060708090a0b0c0d0e0f101112131415161718191a1b1cbeef";
const POLICY: &str = "[policies.p]\nextends = \"user_default\"\n";

fn of_file(line: &str) -> Sources {
    let text = format!("{POLICY}[stores.main]\n{line}\n");
    Sources {
        file: Some(SourceFile { name: "sessions.toml".into(), text }),
        stage: Stage::Start,
        ..Sources::default()
    }
}

fn of_variable(value: &str) -> Sources {
    Sources { variables: vec![(VARIABLE.to_owned(), value.to_owned())], ..of_file("") }
}

/// Everything that anyone is told.
fn told(sources: &Sources) -> String {
    let mut text = format!("{sources:?}");
    for problem in sources.lint() {
        text.extend([format!("{problem}\n{problem:?}\n")]);
    }
    match sources.check() {
        Ok(configuration) => {
            text.extend([format!(
                "{configuration:?}{:?}{:?}",
                configuration.findings(),
                configuration.notes()
            )]);
        }
        Err(problems) => text.extend([format!("{problems}{problems:?}")]),
    }
    for provenance in sources.explain_store("main", "encryption_keys").unwrap_or_default() {
        text.extend([format!("{provenance}{provenance:?}{}", provenance.value())]);
    }
    #[cfg(feature = "tool")]
    {
        for (before, after) in [(&of_file(""), sources), (sources, &of_file(""))] {
            for difference in sessions_policy::difference(before, after) {
                text += &format!("{difference:?}");
            }
        }
        text += &sessions_policy::dossier(sources).unwrap_or_default();
    }
    text
}

fn is_kept(sources: &Sources, what: &str) {
    for profile in [Profile::Production, Profile::Development] {
        let text = told(&Sources { profile, ..sources.clone() });
        for part in ["c0ffee", "beef", "0b0c0d"] {
            assert!(!text.contains(part), "{what} under {profile}:\n{text}");
        }
    }
}

#[test]
fn however_it_is_written_no_key_is_shown() {
    let (id, digits) = KEY.split_once(':').unwrap();
    let lines = [
        format!("encryption_keys = [\"{KEY}\"]"),
        format!("encryption_keys = [\n  \"{KEY}\",\n  \"{KEY}\",\n]"),
        format!("encryption_keys = [\n  \"{KEY}\"\n  \"{KEY}\",\n]"),
        format!("encryption_keys = \"{KEY}\""),
        format!("encryption_keys = '{KEY}'"),
        format!("encryption_keys = {KEY}"),
        format!("encryption_keys = {{ {id} = \"{digits}\" }}"),
        format!("encryption_keys = [{{ id = {id}, key = \"{digits}\" }}]"),
        format!("encryption_keys = [\"{digits}\"]"),
        format!("encryption_keys = [[\"{KEY}\"]]"),
        format!("encryption_keys = \"({KEY}) x\""),
        format!("encryption_key = [\"{KEY}\"]"),
        format!("encryption-keys = [\"{KEY}\"]"),
        format!("encryption_keys = [\"{KEY}"),
        format!("encryption_keys = \"\"\"\n{KEY}\n\"\"\""),
    ];
    for line in lines {
        is_kept(&of_file(&line), &line);
    }
    let values = [
        KEY.to_owned(),
        format!("\"{KEY}\""),
        format!("'{KEY}','{KEY}'"),
        format!("[\"{KEY}\"]"),
        format!("[\"{KEY}\""),
        format!("[{KEY}]"),
        format!("{KEY},{KEY}"),
        format!("{KEY} {KEY}"),
        digits.to_owned(),
        format!("{KEY}00"),
    ];
    for value in values {
        is_kept(&of_variable(&value), &value);
    }
}

#[test]
fn a_password_in_the_address_of_a_database_belongs_into_a_variable() {
    let url = "postgres://shop:c0ffee@db.example.com/shop";
    let sources = of_file(&format!("kind = \"postgres\"\nurl = \"{url}\""));
    let problems = sources.check().unwrap_err();
    assert_eq!(problems.iter().map(Problem::rule).collect::<Vec<_>>(), ["secret_in_file"], "{problems}");
    is_kept(&sources, url);
    let variable = vec![("SESSIONS_STORES__MAIN__URL".to_owned(), url.to_owned())];
    let sources = Sources { variables: variable, ..of_file("kind = \"postgres\"") };
    assert!(sources.check().unwrap().findings().is_empty());
    is_kept(&sources, url);
}

#[test]
fn what_keys_an_index_or_opens_sentinels_belongs_into_a_variable() {
    let (_, digits) = KEY.split_once(':').unwrap();
    for line in [
        format!("index_key = \"{digits}\""),
        "kind = \"redis\"\nurl = \"redis+sentinel://x/main\"\nsentinel_password = \"c0ffee\"".to_owned(),
    ] {
        let sources = of_file(&line);
        assert!(sources.lint().iter().any(|problem| problem.rule() == "secret_in_file"), "{line}");
        is_kept(&sources, &line);
    }
    for value in ["", digits, &format!("\"{digits}\""), &format!("{digits}00"), &format!("[{digits}]")] {
        let name = "SESSIONS_STORES__MAIN__INDEX_KEY".to_owned();
        let sources = Sources { variables: vec![(name, value.to_owned())], ..of_file("") };
        let is_refused = sources.lint().iter().any(|problem| problem.rule() == "index_key");
        let is_key = value == digits || value.trim_matches('"') == digits;
        assert_eq!(is_refused, !is_key, "{value}");
        is_kept(&sources, value);
    }
}

#[test]
fn a_variable_that_is_empty_does_not_mean_plain_values() {
    for value in ["", " ", ",", "[]"] {
        let problems = of_variable(value).check().unwrap_err();
        assert!(problems.iter().any(|problem| problem.rule() == "encryption_keys"), "{value:?}: {problems}");
    }
}

#[test]
fn a_ring_of_a_variable_is_what_the_store_has() {
    let older = KEY.replace("1:c0", "7:d1");
    for value in [format!("{KEY},{older}"), format!(" {KEY} , {older} "), format!("[\"{KEY}\", \"{older}\"]")]
    {
        let configuration = of_variable(&value).check().unwrap();
        let keys = configuration.store("main").unwrap().encryption_keys();
        assert_eq!(keys.ids().collect::<Vec<_>>(), [1, 7]);
    }
}
