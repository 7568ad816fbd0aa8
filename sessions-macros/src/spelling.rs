//! "Did you mean": the argument of ours that is nearest to what was written.

/// Below this similarity (0 to 1) a suggestion would rather confuse.
const NEAR: f64 = 0.7;

/// The candidate nearest to `written`, if one is near enough.
pub(crate) fn nearest<'a>(written: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(written, candidate), *candidate))
        .filter(|(similarity, _)| *similarity >= NEAR)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?`, or the list of everything that would be right.
pub(crate) fn hint(written: &str, candidates: &[&str]) -> String {
    if let Some(near) = nearest(written, candidates) {
        return format!("did you mean `{near}`?");
    }
    let known: Vec<String> = candidates.iter().map(|candidate| format!("`{candidate}`")).collect();
    format!("there are {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word() {
        assert_eq!(nearest("requires", &["require", "role", "kind"]), Some("require"));
        assert_eq!(nearest("polcy", &["policy", "kind"]), Some("policy"));
    }

    #[test]
    fn a_foreign_word_lists_all() {
        assert_eq!(hint("xyz", &["kind", "role"]), "there are `kind`, `role`");
    }
}
