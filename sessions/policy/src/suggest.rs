//! "Did you mean": the nearest valid spelling of a misspelt word.

/// The dotted path or name that `word` most likely meant, as messages suggest it; `None` where none is near.
///
/// ```
/// let near = sessions_policy::suggest("cookie_samesit", &["ttl", "transport.cookie_samesite"]);
/// assert_eq!(near.as_deref(), Some("transport.cookie_samesite"));
/// ```
pub fn suggest(word: &str, paths: &[&str]) -> Option<String> {
    nearest_path(word, paths)
}

/// The candidate that `word` most likely meant, if any is near enough to be worth a suggestion.
pub(crate) fn nearest<S: AsRef<str>>(word: &str, candidates: &[S]) -> Option<String> {
    let plain = normal(word);
    if plain.is_empty() || word.len() > 80 {
        return None;
    }
    let allowed = (plain.chars().count() / 3).clamp(1, 4);
    let others = || candidates.iter().map(AsRef::as_ref).filter(|candidate| *candidate != word);
    let near = others().filter_map(|candidate| {
        let distance = strsim::osa_distance(&plain, &normal(candidate));
        (distance <= allowed).then_some((distance, candidate))
    });
    if let Some((_, candidate)) = near.min_by_key(|(distance, _)| *distance) {
        return Some(candidate.to_owned());
    }
    // A beginning is enough where it is the beginning of one candidate only.
    let mut longer = others().filter(|candidate| plain.len() >= 4 && normal(candidate).starts_with(&plain));
    match (longer.next(), longer.next()) {
        (Some(candidate), None) => Some(candidate.to_owned()),
        _ => None,
    }
}

/// The dotted path that `path` most likely meant: the same last word in another table, else the nearest.
pub(crate) fn nearest_path(path: &str, paths: &[&str]) -> Option<String> {
    let last = normal(last_level(path));
    let moved = paths.iter().find(|candidate| normal(last_level(candidate)) == last);
    if let Some(candidate) = moved {
        return Some((*candidate).to_owned());
    }
    nearest(path, paths).or_else(|| {
        let lasts: Vec<&str> = paths.iter().map(|path| last_level(path)).collect();
        let near = nearest(last_level(path), &lasts)?;
        paths.iter().find(|path| last_level(path) == near).map(|path| (*path).to_owned())
    })
}

fn last_level(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Letters and digits only, in lower case, so that `idleTimeout` and `idle-timeout` are near `idle_timeout`.
fn normal(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric() || *c == '.').flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word() {
        let words = ["idle_timeout", "absolute_timeout", "ttl"];
        assert_eq!(nearest("idle_timout", &words).as_deref(), Some("idle_timeout"));
        assert_eq!(nearest("idleTimeout", &words).as_deref(), Some("idle_timeout"));
        assert_eq!(nearest("tll", &words).as_deref(), Some("ttl"));
    }

    #[test]
    fn a_stranger_finds_nothing() {
        assert_eq!(nearest("colour", &["ttl", "idle_timeout"]), None);
        assert_eq!(nearest("", &["ttl"]), None);
    }

    #[test]
    fn a_key_in_the_wrong_table_is_found_in_the_right_one() {
        let paths = ["ttl", "transport.cookie_samesite", "remember.ttl"];
        assert_eq!(nearest_path("cookie_samesite", &paths).as_deref(), Some("transport.cookie_samesite"));
    }
}
