//! Rules about the keys that encrypt a store's values, and about what a build has no code for. No message shows a key.

use super::stores::{is_in_the_file, problem, setting};
use crate::draft::Draft;
use crate::encryption::EncryptionKeys;
use crate::keys::Table;
use crate::problem::Problem;
use crate::resolve::Resolved;
use crate::source::Sources;
use crate::value::Setting;

const KEYS: &str = "encryption_keys";
const CODEC: &str = "persistence.codec";

/// The key ring of a store.
pub(super) fn judge_encryption(
    draft: &Draft,
    sources: &Sources,
    problems: &mut Vec<Problem>,
) -> EncryptionKeys {
    let Some(Setting::List(written)) = setting(draft, KEYS) else { return EncryptionKeys::default() };
    if sources.missing_features.contains(&"encryption") {
        let problem =
            problem(draft, KEYS, "encryption_feature", "takes a cipher that this build has no code for");
        problems.push(problem.with_help(add("encryption")));
    }
    if is_in_the_file(draft, KEYS) {
        let variable = Table::Stores.key(KEYS).map(|key| key.variable(&draft.name)).unwrap_or_default();
        let reason = "is a secret in the file, which the program and its repository hold too";
        let help = format!("set {variable}, and drop it here: who has read it has the key");
        problems.push(problem(draft, KEYS, "secret_in_file", reason).with_help(help));
    }
    EncryptionKeys::parse(written.iter().map(String::as_str)).unwrap_or_else(|error| {
        let help = "write an id from 1, a colon and 64 hexadecimal digits, such as `openssl rand -hex 32` makes; \
                    several with commas between them, the one that encrypts first";
        problems.push(problem(draft, KEYS, "encryption_keys", &format!("{error}")).with_help(help));
        EncryptionKeys::default()
    })
}

/// A policy whose values the build can't write.
pub(crate) fn judge_codec(policy: &Resolved, sources: &Sources, problems: &mut Vec<Problem>) {
    if policy.is(CODEC, "messagepack") && sources.missing_features.contains(&"messagepack") {
        let problem = policy.problem(
            CODEC,
            "codec_feature",
            "(messagepack) is a codec that this build has no code for",
        );
        problems.push(problem.with_help(add("messagepack")));
    }
}

fn add(feature: &str) -> String {
    format!("add the feature `{feature}` of the crate `sessions`, and build again")
}
