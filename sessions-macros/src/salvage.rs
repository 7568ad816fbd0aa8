//! The names of a file's policies, also where the file is broken: so that a syntax error is one error, and not one more
//! for every handler whose policy it hides. It reads lines, not TOML; what the file means, the policy core says.

/// The names of the policies that have a table, in the order of the file.
pub(crate) fn policy_names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut table: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim) {
        let path = if let Some(header) = line.strip_prefix('[') {
            table = path(header.trim_start_matches('[').split(']').next().unwrap_or_default());
            table.clone()
        } else if let Some((key, _)) = line.split_once('=') {
            table.iter().cloned().chain(path(key)).collect()
        } else {
            continue;
        };
        if let Some(name) = policy_of(&path)
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    names
}

/// The parts of a dotted key. Quotes may stand around a part; nothing that they could protect is in a policy's name.
fn path(key: &str) -> Vec<String> {
    key.split('.').map(|part| part.trim().trim_matches(['"', '\'']).to_owned()).collect()
}

/// The policy that a path leads to or into.
fn policy_of(path: &[String]) -> Option<&String> {
    let path = match path {
        [profile, rest @ ..] if matches!(profile.as_str(), "development" | "production") => rest,
        path => path,
    };
    let [policies, name, ..] = path else { return None };
    let is_name = |name: &String| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
    };
    (policies == "policies" && is_name(name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_every_spelling() {
        let text = r#"
            policies.dotted.ttl = "1h"
            [policies.user_default]
            ttl = "7days"
            [policies.user_default.transport]
            adapter = "cookie"
            [ policies . "quoted" ]
            [production.policies.api_token]
            [stores.main]
            kind = "memory"
            [policies]
            inline = { ttl = "1h" }
        "#;
        assert_eq!(policy_names(text), ["dotted", "user_default", "quoted", "api_token", "inline"]);
    }

    #[test]
    fn a_broken_line_hides_no_policy() {
        let text =
            "[policies.one]\nttl = \"7days\n[policies.two\n[[policies.three]]\n[policies.Bad-Name]\n= 3";
        assert_eq!(policy_names(text), ["one", "two", "three"]);
    }
}
