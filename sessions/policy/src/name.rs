//! Names of policies and stores: which texts are names, and the type that a policy's name becomes.

/// The longest name, in characters.
pub(crate) const MAX_LENGTH: usize = 64;

/// Names whose marker type would be taken: `Self` is a keyword, the others are generated beside the markers.
const RESERVED: &[&str] = &["self", "registry", "declared"];

/// Why `name` is no name of a policy, as the end of a sentence.
pub(crate) fn refuse_policy_name(name: &str) -> Option<&'static str> {
    if RESERVED.contains(&name) {
        return Some("is reserved, because its type would be taken");
    }
    refuse_name(name)
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
    fn a_name_becomes_a_type() {
        assert_eq!(marker_name("api_token"), "ApiToken");
        assert_eq!(marker_name("v2"), "V2");
    }
}
