//! The record format is a stable surface: round trips, test vectors, and arbitrary bytes.

use std::fmt::Write as _;

use super::{vectors, *};

pub(crate) fn sample() -> Record {
    Record {
        version: Version(0x0000_0001_dead_beef),
        last_seen: 1_700_000_000_500,
        created: 1_700_000_000_000,
        started: 1_700_000_000_100,
        deadline: Some(1_700_604_800_100),
        authenticated: Some(1_700_000_000_100),
        rotated: 1_700_000_000_100,
        remembered: true,
        digest: Digest([7; 32]),
        handle: Handle::from_bytes([9; 16]),
        stored: None,
        principal: Some(crate::SessionPrincipal::user("u1").role("admin").encode().into()),
        previous: Some(Box::new(Previous {
            digest: Digest([5; 32]),
            until: 1_700_000_030_000,
            wrapped: [6; 32],
            successor_used: true,
        })),
        retired: vec![
            Retired { digest: [1; 16], how: Retirement::Periodic },
            Retired { digest: [2; 16], how: Retirement::Privilege },
        ],
        forward: Some(Forward { to: SessionId::new(77, [3; 16]), until: 1_700_000_040_000 }),
        lease: Some(Box::new(Lease { holder: [8; 16], until: 1_700_000_050_000 })),
        fingerprint: Some([4; 16]),
        agent: Some(b"curl/8".to_vec().into()),
        address: Some([198, 51, 100, 7].into()),
        fields: vec![
            Field::new(&FieldKey { space: Space::Free, name: "cart".into() }, Codec::Json, br#"{"tea":2}"#),
            Field::new(&FieldKey { space: Space::Typed, name: "checkout.step".into() }, Codec::Json, b"3"),
        ]
        .into(),
        unknown: vec![(200, b"from the future".to_vec())],
    }
}

fn decode(bytes: impl Into<Arc<[u8]>>) -> Option<Arc<Record>> {
    Record::decode(&Stored { record: bytes.into(), last_seen: 0 }, "user_default")
}

#[test]
fn a_record_round_trips_with_every_section() {
    let bytes = sample().encode("user_default");
    let back = decode(bytes.clone()).unwrap();
    assert_eq!(back.encode("user_default"), bytes);
    assert_eq!(back.field(Space::Free, "cart").unwrap().value(), br#"{"tea":2}"#);
    assert!(back.field(Space::Typed, "cart").is_none());
    assert_eq!(back.unknown, [(200, b"from the future".to_vec())]);
}

#[test]
fn the_stored_form_is_the_documented_one() {
    let mut record = sample();
    record.principal = None;
    record.previous = None;
    record.retired.clear();
    record.forward = None;
    record.fingerprint = None;
    record.agent = None;
    record.address = None;
    record.unknown.clear();
    let mut hex = String::new();
    for byte in &*record.encode("user_default") {
        write!(hex, "{byte:02x}").unwrap();
    }
    let expected = concat!(
        "00000001deadbeef",
        "0000018bcfe569f4",
        "01",
        "01",
        "0000018bcfe56800",
        "0000018bcfe56864",
        "0000018bf3f1ec64",
        "0000018bcfe56864",
        "0000018bcfe56864",
        "0707070707070707070707070707070707070707070707070707070707070707",
        "010c757365725f64656661756c74",
        "021009090909090909090909090909090909",
        "0918080808080808080808080808080808080000018bcfe62b50",
        "2010000104636172747b22746561223a327d",
        "201101010d636865636b6f75742e7374657033",
    );
    assert_eq!(hex, expected);
}

#[test]
fn another_policys_record_is_none() {
    let stored = Stored { record: sample().encode("user_default"), last_seen: 0 };
    assert!(Record::decode(&stored, "admin").is_none());
}

#[test]
fn cut_or_changed_bytes_never_panic() {
    let bytes = sample().encode("user_default");
    for cut in 0..bytes.len() {
        let _ = decode(&bytes[..cut]);
    }
    for position in 0..bytes.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = bytes.to_vec();
            changed[position] = byte;
            if let Some(record) = decode(changed) {
                let _ = record.encode("user_default");
            }
        }
    }
}

#[test]
fn the_stores_last_seen_goes_before_the_records() {
    let bytes = sample().encode("user_default");
    let record =
        Record::decode(&Stored { record: bytes, last_seen: 1_800_000_000_000 }, "user_default").unwrap();
    assert_eq!(record.last_seen, 1_800_000_000_000);
}

#[test]
fn versions_change_and_never_reach_the_reserved_one() {
    let last = Version(0xffff_fffe_ffff_ffff);
    assert_eq!(last.next().as_u64() >> 32, 0);
    let first = Version::first();
    assert_eq!(first.next().as_u64() >> 32, (first.as_u64() >> 32) + 1);
}

#[test]
fn a_record_remembers_how_the_last_sixteen_secrets_came_out_of_use() {
    let mut record = sample();
    record.retired.clear();
    for byte in 0..20 {
        let how = if byte % 2 == 0 { Retirement::Periodic } else { Retirement::Privilege };
        record.retire(Digest([byte; 32]), how);
    }
    assert_eq!(record.retirement(&Digest([3; 32])), None);
    assert_eq!(record.retirement(&Digest([4; 32])), Some(Retirement::Periodic));
    assert_eq!(record.retirement(&Digest([19; 32])), Some(Retirement::Privilege));
    assert_eq!(record.retirement(&Digest([99; 32])), None);
}

/// A generator that needs no crate and gives the same cases each time (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.roll() % most.max(1) as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        let [byte, kind, ..] = self.roll().to_be_bytes();
        // Lengths, tags and their ends come often.
        match kind % 8 {
            0 => 0,
            1 => 0x7f,
            2 => 0x80,
            3 => 0xff,
            4 => 0x20,
            _ => byte,
        }
    }
}

/// Reads everything that a request could ask of a record.
fn read_all(bytes: &[u8]) -> Option<Arc<Record>> {
    let record = decode(bytes)?;
    let _ = record.principal().map(crate::SessionPrincipal::decode);
    let _ = record.agent_text();
    let binding = Binding { ring: None, policy: "user_default", id: None };
    for field in record.fields.list() {
        let _ = field.view().read::<serde_json::Value>(binding);
        let _ = (field.key(), field.name(), record.field(Space::Free, field.name()));
    }
    let held = record.unknown.iter().map(|(_, content)| content.len()).sum::<usize>() + record.payload();
    assert!(held + record.retired.len() * 17 <= bytes.len(), "no more than was there");
    Some(record)
}

#[test]
fn a_quarter_of_a_million_broken_records_are_read_or_refused_without_a_panic() {
    let mut dice = Dice(0x5eed);
    let whole = vectors::records();
    let (mut read, mut refused) = (0, 0);
    for case in 0..250_000 {
        let mut bytes = whole[case % whole.len()].clone();
        for _ in 0..=dice.below(4) {
            let at = dice.below(bytes.len());
            match dice.below(6) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes.insert(at, dice.byte()),
                2 => drop(bytes.remove(at)),
                3 => bytes[at] ^= 1 << dice.below(8),
                4 if bytes.len() > 1 => {
                    let end = at + dice.below(bytes.len() - at);
                    let piece = bytes[at..end].to_vec();
                    bytes.extend(piece);
                }
                _ => bytes[at] = dice.byte(),
            }
            bytes.truncate(4096);
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        match read_all(&bytes) {
            Some(record) => {
                let again = record.encode("user_default");
                let twice = decode(again.clone()).expect("what was written is read");
                assert_eq!(twice.encode("user_default"), again, "and means the same");
                read += 1;
            }
            None => refused += 1,
        }
    }
    assert!(read > 10_000 && refused > 10_000, "{read} read, {refused} refused");
}

#[test]
fn bytes_of_nothing_at_all_are_refused() {
    let mut dice = Dice(1);
    let head = &sample().encode("user_default")[..HEAD];
    for case in 0..100_000 {
        let noise = (0..dice.below(200)).map(|_| dice.byte());
        // Half of them have a head, so that their sections are looked at.
        let bytes: Vec<u8> =
            if case % 2 == 0 { noise.collect() } else { head.iter().copied().chain(noise).collect() };
        let _ = read_all(&bytes);
    }
}

#[test]
fn what_this_version_does_not_know_outlives_a_change_by_it() {
    let mut later = sample();
    later.unknown.push((77, vec![1; 300]));
    let field =
        |codec| Field::new(&FieldKey { space: Space::Free, name: "later".into() }, codec, b"\xff\x00");
    later.fields.edit().push(field(Codec::Unknown(0x55)));
    let mut bytes = later.encode("user_default").to_vec();
    // A field of a space to come, and one that is encrypted in a way to come.
    bytes.extend_from_slice(&[32, 4, 9, 1, 1, b'x']);
    bytes.extend_from_slice(&[32, 5, 0, 0x81, 1, b'y', 99]);
    let here = decode(bytes.clone()).unwrap();
    let mut changes = crate::engine::mutate::Changes::default();
    let mine = FieldKey { space: Space::Free, name: "mine".into() };
    let set = crate::engine::mutate::Op::Set(Field::new(&mine, Codec::Json, b"1"));
    changes.record(Some(&here.fields), set);
    let written = here.with_fields(changes.to_fields(Some(&here.fields)));
    let expected = [&bytes[..], &[32, 8, 0, 1, 4], b"mine1"].concat();
    assert_eq!(written.encode("user_default")[..], expected[..]);
}
