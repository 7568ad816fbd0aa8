//! What the tests of whole configurations share.

use sessions_policy::{Configuration, Problem, Problems, SourceFile, Sources};

/// Sources of one file.
pub(crate) fn file(text: &str) -> Sources {
    let file = SourceFile { name: "sessions.toml".into(), text: text.into() };
    Sources { file: Some(file), ..Sources::default() }
}

/// Sources of one file under variables.
#[allow(dead_code, reason = "each test program uses some of these")]
pub(crate) fn with_variables(text: &str, variables: &[(&str, &str)]) -> Sources {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { variables, ..file(text) }
}

/// The configuration of a file that is right.
#[allow(dead_code, reason = "each test program uses some of these")]
#[track_caller]
pub(crate) fn good(text: &str) -> Configuration {
    checked(&file(text))
}

/// The configuration of sources that are right.
#[allow(dead_code, reason = "each test program uses some of these")]
#[track_caller]
pub(crate) fn checked(sources: &Sources) -> Configuration {
    let result = sources.check();
    let problems = result.as_ref().err().map(ToString::to_string);
    assert_eq!(problems, None, "these sources are right");
    result.expect("they had no problem")
}

/// The problems of a file that is wrong.
#[allow(dead_code, reason = "each test program uses some of these")]
pub(crate) fn bad(text: &str) -> Problems {
    file(text).check().expect_err("this file is wrong")
}

/// The one problem of a file that has one mistake.
#[allow(dead_code, reason = "each test program uses some of these")]
pub(crate) fn only(problems: Problems) -> Problem {
    let text = problems.to_string();
    let mut found = problems.into_iter();
    let first = found.next().expect("there is at least one");
    assert!(found.next().is_none(), "more than one problem:\n{text}");
    first
}

/// Compares with a file of `tests/golden`. `SESSIONS_BLESS=1 cargo test -p sessions-policy` writes the files anew.
#[allow(dead_code, reason = "each test program uses some of these")]
#[track_caller]
pub(crate) fn golden(name: &str, text: &str) {
    compare(&format!("tests/golden/{name}.txt"), text);
}

/// Compares with a file of this crate, which is written anew when the tests are told to.
#[allow(dead_code, reason = "each test program uses some of these")]
#[track_caller]
pub(crate) fn compare(path: &str, text: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = format!("{}\n", text.trim_end());
    if std::env::var_os("SESSIONS_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().expect("a file lies in a folder")).expect("a folder");
        std::fs::write(&file, &text).expect("a file that can be written");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(kept, text, "{path} is stale: run the tests once with SESSIONS_BLESS=1");
}
