//! Where a store is: the path in `url` and in `directory`. What was written there is never printed, as a password may
//! stand in it.

use std::path::PathBuf;

use super::stores::Misplaced;

const SCHEME: &str = "sqlite://";

/// The path of the database's file that a `url` names.
pub(super) fn judge_url(url: &str) -> Result<PathBuf, Misplaced> {
    let refuse = |reason: &str, help: &str| Err((reason.to_owned(), help.to_owned()));
    let write =
        "write `\"sqlite://sessions.db\"`, or `\"sqlite:///var/lib/shop/sessions.db\"` for an absolute path";
    let Some(path) = url.strip_prefix(SCHEME) else {
        let scheme = url.split(':').next().unwrap_or_default();
        if matches!(scheme, "redis" | "rediss" | "postgres" | "postgresql") {
            return refuse("is the address of another kind of store than `sqlite`", write);
        }
        return refuse("doesn't begin with `sqlite://`", write);
    };
    let (authority, _) = path.split_once('/').unwrap_or((path, ""));
    if path.is_empty() || path.ends_with('/') {
        return refuse("names no file", write);
    }
    if path.contains(['?', '#']) {
        return refuse("has parameters, which nothing reads", "write the path alone");
    }
    if authority.contains('@') {
        return refuse("names a user, and the store is a file", write);
    }
    if authority.starts_with(':') {
        return refuse("names no file", "write `kind = \"memory\"` for a store that is kept nowhere");
    }
    judge_path(path)
}

/// The folder that a `directory` names.
pub(super) fn judge_directory(directory: &str) -> Result<PathBuf, Misplaced> {
    let write = "write the path of a folder, such as `\"sessions\"` or `\"/var/lib/shop/sessions\"`";
    if directory.trim().is_empty() {
        return Err(("is empty".to_owned(), write.to_owned()));
    }
    if directory.contains("://") {
        return Err(("is an address, not a path".to_owned(), write.to_owned()));
    }
    judge_path(directory)
}

pub(super) fn judge_path(path: &str) -> Result<PathBuf, Misplaced> {
    if path.starts_with('~') {
        let help = "write the whole path: only a shell knows what `~` stands for";
        return Err(("begins with `~`".to_owned(), help.to_owned()));
    }
    if path.chars().any(char::is_control) {
        return Err(("has a control character in its path".to_owned(), "write a plain path".to_owned()));
    }
    Ok(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_url_is_the_path_after_the_scheme() {
        for (url, path) in [
            ("sqlite://sessions.db", "sessions.db"),
            ("sqlite://./data/sessions.db", "./data/sessions.db"),
            ("sqlite://data/sessions.db", "data/sessions.db"),
            ("sqlite:///var/lib/x.db", "/var/lib/x.db"),
            ("sqlite://a b%20.db", "a b%20.db"),
        ] {
            assert_eq!(judge_url(url).as_deref(), Ok(Path::new(path)), "{url}");
        }
    }

    #[test]
    fn another_url_is_refused_with_the_fix_and_never_shown() {
        for url in [
            "",
            "sessions.db",
            "/var/lib/hunter2.db",
            "sqlite:hunter2.db",
            "SQLITE://hunter2.db",
            "sqlite://",
            "sqlite:///",
            "sqlite://data/",
            "sqlite://:memory:",
            "sqlite::memory:",
            "sqlite://hunter2.db?mode=ro",
            "sqlite://hunter2.db#x",
            "sqlite://user:hunter2@host/x.db",
            "sqlite://~/hunter2.db",
            "sqlite://x\n.db",
            "redis://:hunter2@host",
            "postgres://user:hunter2@host/db",
        ] {
            let (reason, help) = judge_url(url).unwrap_err();
            assert!(!help.is_empty() && !format!("{reason}{help}").contains("hunter2"), "{url}: {reason}");
        }
    }

    #[test]
    fn a_directory_is_a_path() {
        assert_eq!(judge_directory("sessions").as_deref(), Ok(Path::new("sessions")));
        assert_eq!(judge_directory("/var/lib/x").as_deref(), Ok(Path::new("/var/lib/x")));
        for directory in ["", " ", "~/sessions", "file:///x", "a\0b"] {
            assert!(judge_directory(directory).is_err(), "{directory}");
        }
    }
}
