//! The test vectors of the stored format: `vectors.json` says of each record what it means, for readers in any language.
//! They change only with the format, and then by hand.

use serde_json::{Value, json};
#[cfg(all(feature = "encryption", feature = "messagepack"))]
use sessions_policy::EncryptionKeys;

use super::*;
use crate::SessionPrincipal;

const VECTORS: &str = include_str!("vectors.json");

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn vectors() -> Vec<Value> {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// The records of all vectors.
pub(super) fn records() -> Vec<Vec<u8>> {
    vectors().iter().map(|vector| bytes(&vector["record"])).collect()
}

fn decoded(vector: &Value) -> Arc<Record> {
    let stored = Stored { record: bytes(&vector["record"]).into(), last_seen: 0 };
    Record::decode(&stored, vector["policy"].as_str().unwrap()).unwrap()
}

/// What a record says, as the file has it.
fn meaning(record: &Record) -> Value {
    let principal = record.principal().map(|bytes| {
        let principal = SessionPrincipal::decode(bytes).unwrap();
        let roles: Vec<_> = principal.role_names().collect();
        json!({
            "kind": principal.kind(), "id": principal.id(), "roles": roles, "attributes": principal.attributes(),
        })
    });
    let previous = record.previous.as_ref().map(|previous| {
        json!({
            "digest": hex(&previous.digest.0),
            "until": previous.until,
            "wrapped": hex(&previous.wrapped),
            "successor_used": previous.successor_used,
        })
    });
    let how = |retired: &Retired| if retired.how == Retirement::Periodic { "periodic" } else { "privilege" };
    let retired: Vec<_> =
        record.retired.iter().map(|retired| json!([how(retired), hex(&retired.digest)])).collect();
    let forward = record.forward.map(|forward| {
        json!({ "bucket": forward.to.bucket(), "sid": hex(forward.to.sid()), "until": forward.until })
    });
    let lease =
        record.lease.as_ref().map(|lease| json!({ "holder": hex(&lease.holder), "until": lease.until }));
    let unknown: Vec<_> = record.unknown.iter().map(|(tag, content)| json!([tag, hex(content)])).collect();
    json!({
        "version": record.version.as_u64().to_string(),
        "last_seen": record.last_seen,
        "remembered": record.remembered,
        "created": record.created,
        "started": record.started,
        "deadline": record.deadline,
        "authenticated": record.authenticated,
        "rotated": record.rotated,
        "digest": hex(&record.digest.0),
        "handle": hex(record.handle.as_bytes()),
        "principal": principal,
        "previous": previous,
        "retired": retired,
        "forward": forward,
        "lease": lease,
        "fingerprint": record.fingerprint.map(|fingerprint| hex(&fingerprint)),
        "agent": record.agent_text(),
        "address": record.address,
        "unknown": unknown,
        "fields": record.fields.list().iter().map(Field::meaning).collect::<Vec<_>>(),
    })
}

impl Field {
    fn meaning(&self) -> Value {
        let view = self.view();
        json!({
            "space": view.space(),
            "codec": view.codec().code(),
            "encrypted": self.is_sealed(),
            "name": self.name(),
            "value": hex(view.value()),
        })
    }
}

#[test]
fn every_vector_means_what_the_file_says_and_is_written_byte_for_byte() {
    let names: Vec<_> = vectors().iter().map(|vector| vector["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), 14, "{names:?}");
    for vector in vectors() {
        let record = decoded(&vector);
        assert_eq!(meaning(&record), vector["means"], "{}", vector["name"]);
        let mut again = (*record).clone();
        // As one that a request has changed is written: from its parts.
        again.fields.edit();
        for record in [&again, &record] {
            let policy = vector["policy"].as_str().unwrap();
            assert_eq!(hex(&record.encode(policy)), vector["record"], "{}", vector["name"]);
        }
    }
}

#[test]
fn every_part_of_the_format_has_a_vector() {
    let tags: std::collections::BTreeSet<u8> = vectors()
        .iter()
        .flat_map(|vector| {
            let record = bytes(&vector["record"]);
            let mut wire = Reader::new(&record[HEAD..]);
            std::iter::from_fn(|| wire.section().map(|(tag, _)| tag)).collect::<Vec<_>>()
        })
        .collect();
    let known = [
        tag::POLICY,
        tag::HANDLE,
        tag::PRINCIPAL,
        tag::PREVIOUS,
        tag::RETIRED,
        tag::FORWARD,
        tag::LEASE,
        tag::FINGERPRINT,
        tag::AGENT,
        tag::ADDRESS,
        tag::FIELD,
    ];
    assert!(known.iter().all(|tag| tags.contains(tag)), "{tags:?}");
}

/// The values that fields have, as JSON, where the file has them.
#[cfg(all(feature = "encryption", feature = "messagepack"))]
#[test]
fn every_value_is_read_and_written_as_the_file_says() {
    let mut seen = 0;
    for vector in vectors() {
        let (record, policy) = (decoded(&vector), vector["policy"].as_str().unwrap());
        let keys = vector["encryption_keys"]
            .as_array()
            .map(|keys| EncryptionKeys::parse(keys.iter().map(|key| key.as_str().unwrap())).unwrap());
        let ring = keys.as_ref().and_then(KeyRing::of);
        let id = vector["session"].as_object().map(|session| {
            let bucket = session["bucket"].as_u64().unwrap().try_into().unwrap();
            SessionId::new(bucket, bytes(&session["sid"]).try_into().unwrap())
        });
        let binding = Binding { ring: ring.as_deref(), policy, id };
        for (name, value) in vector["values"].as_object().into_iter().flatten() {
            seen += 1;
            let field = record.fields.list().iter().find(|field| field.name() == name).unwrap();
            assert_eq!(&field.view().read::<Value>(binding).unwrap(), value, "{name}");
            let mut plain = Field::of(Space::Free, name, field.view().codec(), value).unwrap();
            if field.is_sealed() {
                let nonce = field.view().value()[5..29].try_into().ok();
                plain.seal(None, binding, || nonce).unwrap();
            }
            assert_eq!(plain.meaning(), field.meaning());
        }
    }
    assert!(seen >= 5, "{seen}");
}
