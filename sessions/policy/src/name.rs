//! Names of policies and stores: which texts are names, and the type that a policy's name becomes.

use crate::value::shown;

/// The longest name, in characters.
pub(crate) const MAX_LENGTH: usize = 64;

/// Names whose marker type would be taken: `Self` is a keyword, the others are generated beside the markers.
pub(crate) const RESERVED: &[&str] = &["self", "registry", "declared"];

/// Why `name` is no name of a policy, as the end of a sentence.
pub(crate) fn refuse_policy_name(name: &str) -> Option<&'static str> {
    if RESERVED.contains(&name) {
        return Some("is reserved, because its type would be taken");
    }
    refuse_name(name)
}

/// Whether `name` can name a policy. What a policy may be called, [`Problems`](crate::Problems) say.
///
/// ```
/// assert!(sessions_policy::is_policy_name("user_default"));
/// assert!(!sessions_policy::is_policy_name("UserDefault"));
/// ```
pub fn is_policy_name(name: &str) -> bool {
    refuse_policy_name(name).is_none()
}

/// Why `name` is no name, as the end of a sentence. Without `__` it can stand in a variable's name, and
/// without other characters it becomes a type's name.
pub(crate) fn refuse_name(name: &str) -> Option<&'static str> {
    let first = name.chars().next();
    if !first.is_some_and(|c| c.is_ascii_lowercase()) {
        return Some("doesn't begin with a letter from a to z");
    }
    if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return Some("has other characters than a to z, 0 to 9 and `_`");
    }
    if name.contains("__") {
        return Some("has two underscores in a row, which separate the levels of a variable's name");
    }
    if name.ends_with('_') {
        return Some("ends with an underscore");
    }
    (name.len() > MAX_LENGTH).then_some("is longer than 64 characters")
}

/// The name that `text` spells in another way, such as `api-token` or `ApiToken` for `api_token`.
pub(crate) fn nearest_name(text: &str) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    let mut joins = false;
    for letter in text.chars() {
        if !letter.is_ascii_alphanumeric() {
            joins = false;
            continue;
        }
        let starts = letter.is_ascii_uppercase()
            && words.last().is_some_and(|word| !word.ends_with(char::is_uppercase));
        match words.last_mut() {
            Some(word) if joins && !starts => word.push(letter),
            _ => words.push(letter.to_string()),
        }
        joins = true;
    }
    let name = words.join("_").to_ascii_lowercase();
    // What isn't shown as it is must not be shown in another spelling either.
    (shown(text) == text && refuse_policy_name(&name).is_none()).then_some(name)
}

/// The name of the type that stands for the policy `name`: its words, joined, each with a capital.
///
/// ```
/// assert_eq!(sessions_policy::marker_name("user_default"), "UserDefault");
/// ```
pub fn marker_name(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_name_and_what_is_not() {
        for name in ["a", "user_default", "v2_api", "a1"] {
            assert_eq!(refuse_policy_name(name), None, "{name}");
        }
        for name in ["", "_a", "1a", "Admin", "a__b", "a_", "a-b", "a.b", "é", "self", "registry"] {
            assert!(refuse_policy_name(name).is_some(), "{name}");
        }
        assert!(refuse_name(&"a".repeat(65)).is_some());
        assert_eq!(refuse_name("registry"), None);
    }

    #[test]
    fn another_spelling_of_a_name_is_known() {
        for text in
            ["api-token", "ApiToken", "api__token", "api.token", "API_TOKEN", "_api_token_", "api token"]
        {
            assert_eq!(nearest_name(text).as_deref(), Some("api_token"), "{text}");
        }
        for text in ["", "-", "1a", "self", "é"] {
            assert_eq!(nearest_name(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_becomes_a_type() {
        assert_eq!(marker_name("api_token"), "ApiToken");
        assert_eq!(marker_name("v2"), "V2");
    }
}
