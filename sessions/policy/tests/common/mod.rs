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
