//! From a Rust type's name to the name of its policy. The way back is the policy core's.

/// The policy's name that a type gives by itself: `ApiToken` is `api_token`.
pub(crate) fn of_type(ident: &str) -> String {
    let mut name = String::new();
    let mut before = '_';
    for letter in ident.chars() {
        // A capital begins a word, unless it goes on with an abbreviation: `APIToken` is `apitoken`.
        if letter.is_uppercase() && !before.is_uppercase() && before != '_' {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
        before = letter;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_names_its_policy() {
        assert_eq!(of_type("Checkout"), "checkout");
        assert_eq!(of_type("ApiToken"), "api_token");
        assert_eq!(of_type("V2Api"), "v2_api");
        assert_eq!(of_type("HTTP"), "http");
    }
}
