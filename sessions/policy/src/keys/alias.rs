//! Other names under which people look for a key of a policy: never read, only suggested.

/// A name, the key that it means, and the value to give it where the name was the value's.
const ALIASES: &[(&str, &str, Option<&str>)] = &[
    ("same_site", "transport.cookie_samesite", None),
    ("http_only", "transport.cookie_httponly", None),
    ("secure", "transport.cookie_secure", None),
    ("domain", "transport.cookie_domain", None),
    ("path", "transport.cookie_path", None),
    ("cookie", "transport.cookie_name", None),
    ("header", "transport.header_name", None),
    ("bearer", "transport.adapter", Some("bearer")),
    ("carriers", "transport.order", None),
    ("store", "persistence.store_name", None),
    ("max_sessions", "concurrency.max_sessions_per_principal", None),
    ("max_age", "ttl", None),
    ("lifetime", "ttl", None),
    ("sliding", "renew", Some("sliding")),
];

/// The key that a dotted path means by another name, in whichever table it stands, with the value to write.
pub(crate) fn meant(path: &str) -> Option<(&'static str, Option<&'static str>)> {
    let last = path.rsplit('.').next().unwrap_or(path);
    let plain = |word: &str| word.replace(['_', '-'], "").to_ascii_lowercase();
    let row = ALIASES.iter().find(|(alias, ..)| plain(alias) == plain(last))?;
    Some((row.1, row.2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::policy_key;

    #[test]
    fn each_alias_means_a_key_and_is_none() {
        for (alias, key, _) in ALIASES {
            assert!(policy_key(key).is_some() && policy_key(alias).is_none(), "{alias}");
        }
        assert_eq!(meant("transport.sameSite"), Some(("transport.cookie_samesite", None)));
        assert_eq!(meant("sliding"), Some(("renew", Some("sliding"))));
        assert_eq!(meant("colour"), None);
    }
}
