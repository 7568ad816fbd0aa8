//! Rules about what a store's connections show and what names are kept under: users of Sentinels, certificates of clients,
//! and the key of the index. No message shows a secret.

use super::store_places::judge_path;
use super::stores::{is_in_the_file, problem, setting};
use crate::client_certificate::ClientCertificate;
use crate::draft::Draft;
use crate::index_key::IndexKey;
use crate::keys::Table;
use crate::problem::Problem;
use crate::sentinel_user::SentinelUser;
use crate::value::Setting;

const INDEX_KEY: &str = "index_key";
const SENTINEL: [&str; 2] = ["sentinel_username", "sentinel_password"];
const CERTIFICATE: [&str; 2] = ["client_certificate", "client_key"];

/// Who asks the Sentinels of an address.
pub(super) fn judge_sentinel(
    draft: &Draft,
    is_watched: bool,
    problems: &mut Vec<Problem>,
) -> Option<SentinelUser> {
    let [name, password] = SENTINEL.map(|key| text(draft, key));
    if password.is_some() && is_in_the_file(draft, SENTINEL[1]) {
        problems.push(in_the_file(draft, SENTINEL[1]));
    }
    if !is_watched {
        for key in SENTINEL {
            without(draft, key, "where the `url` names no Sentinels: `redis+sentinel://…`", problems);
        }
        return None;
    }
    let Some(password) = password else {
        without(draft, SENTINEL[0], "without `sentinel_password`", problems);
        return None;
    };
    let user = SentinelUser::new(password);
    Some(match name {
        Some(name) => user.named(name),
        None => user,
    })
}

/// By what connections prove who they are, over TLS.
pub(super) fn judge_certificate(
    draft: &Draft,
    is_encrypted: bool,
    problems: &mut Vec<Problem>,
) -> Option<ClientCertificate> {
    let written = CERTIFICATE.map(|key| text(draft, key));
    if !is_encrypted {
        for key in CERTIFICATE {
            without(draft, key, "where the `url` asks for no TLS", problems);
        }
        return None;
    }
    let [Some(certificate), Some(key)] = &written else {
        without(draft, CERTIFICATE[0], "without `client_key`", problems);
        without(draft, CERTIFICATE[1], "without `client_certificate`", problems);
        return None;
    };
    let mut path = |key: &str, written: &str| {
        // Perhaps it is what should be in the file.
        let judged = if written.contains("-----BEGIN") {
            Err((
                "is no path, but what should be in a file".to_owned(),
                "write the path of the file".to_owned(),
            ))
        } else {
            judge_path(written)
        };
        let refused = |(reason, help): (String, String)| {
            problems.push(problem(draft, key, "store_place", &reason).with_help(help));
        };
        judged.map_err(refused).ok()
    };
    let (certificate, key) = (path(CERTIFICATE[0], certificate), path(CERTIFICATE[1], key));
    Some(ClientCertificate::new(certificate?, key?))
}

/// The key by which the index names principals.
pub(super) fn judge_index_key(draft: &Draft, problems: &mut Vec<Problem>) -> Option<IndexKey> {
    let written = text(draft, INDEX_KEY)?;
    if is_in_the_file(draft, INDEX_KEY) {
        problems.push(in_the_file(draft, INDEX_KEY));
    }
    let refused = |error: crate::index_key::InvalidIndexKey| {
        let help = "write 64 hexadecimal digits, such as `openssl rand -hex 32` makes";
        problems.push(problem(draft, INDEX_KEY, "index_key", &error.to_string()).with_help(help));
    };
    IndexKey::parse(&written).map_err(refused).ok()
}

fn text(draft: &Draft, key: &str) -> Option<String> {
    match setting(draft, key) {
        Some(Setting::Text(text)) => Some(text),
        _ => None,
    }
}

fn in_the_file(draft: &Draft, key: &str) -> Problem {
    let variable = Table::Stores.key(key).map(|key| key.variable(&draft.name)).unwrap_or_default();
    let reason = "is a secret in the file, which the program and its repository hold too";
    let help = format!("set {variable}, and drop it here: who has read it has the secret");
    problem(draft, key, "secret_in_file", reason).with_help(help)
}

/// A key that is written, and does nothing.
fn without(draft: &Draft, key: &str, what: &str, problems: &mut Vec<Problem>) {
    if draft.stated.contains_key(key) {
        let found = problem(draft, key, "store_key_without_effect", &format!("has no effect {what}"));
        problems.push(found.with_help("write what it needs, or drop the key"));
    }
}
