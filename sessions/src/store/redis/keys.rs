//! How keys are named: `PREFIX:{BUCKET}:s:SID` is a session or its tombstone; `:e:`, `:o:` and `:r:` with an owner's digest are
//! when its sessions expire, their order, and the last revocation of all; `:x:` is the outbox, `:c:` with a name a consumer
//! of it. The bucket in braces puts everything of an owner
//! into one slot of a cluster.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::store::{Owner, SessionId, audience::Word};

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// The bucket of the consumers, and of the outbox of a server that has all buckets.
pub(super) const CONSUMERS: u16 = 0;

/// Names the keys of one store.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
}

/// What a key that was found is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A session or its tombstone.
    Session,
    /// When the sessions of an owner expire, with the number of its bucket.
    Expiry(u16),
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub(super) fn session(&self, id: SessionId) -> Vec<u8> {
        let mut name = [0; 22];
        write(id.sid(), &mut name);
        let mut key = self.begin(id.bucket(), b's', name.len());
        key.extend_from_slice(&name);
        key
    }

    /// Expiry, order and revocation of an owner.
    pub(super) fn owner(&self, owner: Owner) -> [Vec<u8>; 3] {
        let mut digest = [0; 43];
        write(owner.as_bytes(), &mut digest);
        [b'e', b'o', b'r'].map(|kind| {
            let mut key = self.begin(owner.bucket(), kind, digest.len());
            key.extend_from_slice(&digest);
            key
        })
    }

    /// The outbox of a bucket.
    pub(super) fn stream(&self, bucket: u16) -> Vec<u8> {
        let mut key = self.begin(bucket, b'x', 6);
        key.extend_from_slice(b"events");
        key
    }

    /// How far a consumer of the outbox is. All are in the bucket [`CONSUMERS`].
    pub(super) fn consumer(&self, name: &str) -> Vec<u8> {
        let mut key = self.begin(CONSUMERS, b'c', name.len());
        key.extend_from_slice(name.as_bytes());
        key
    }

    /// The order that goes with an expiry.
    pub(super) fn order_of(&self, expiry: &[u8]) -> Vec<u8> {
        let mut key = expiry.to_vec();
        if let Some(kind) = key.get_mut(self.prefix.len() + 7) {
            *kind = b'o';
        }
        key
    }

    /// The channel on which scripts tell of endings: `PREFIX:endings`. The word is the session's key without the prefix, a
    /// colon, and the version that was written in hexadecimal digits, or nothing if the session has ended.
    pub(super) fn channel(&self) -> String {
        format!("{}:endings", self.prefix)
    }

    /// What a word on the channel says.
    pub(super) fn heard(word: &[u8]) -> Option<Word> {
        let (id, version) =
            word.split_at_checked(word.len() - word.iter().rev().position(|byte| *byte == b':')?)?;
        Word::of(session(id.strip_suffix(b":")?)?, version)
    }

    /// What SCAN may match: sessions and tombstones.
    pub(super) fn pattern_of_sessions(&self) -> String {
        format!("{}:{{???}}:s:*", self.prefix)
    }

    /// The session whose key it is.
    pub(super) fn id_of(&self, key: &[u8]) -> Option<SessionId> {
        session(key.strip_prefix(self.prefix.as_bytes())?.strip_prefix(b":")?)
    }

    /// What SCAN may match: every key of the store.
    pub(super) fn pattern(&self) -> String {
        format!("{}:{{???}}:[se]:*", self.prefix)
    }

    /// What a key is, if it is one of the store's that upkeep looks at.
    pub(super) fn read(&self, key: &[u8]) -> Option<Found> {
        let rest = key.strip_prefix(self.prefix.as_bytes())?.strip_prefix(b":{")?;
        let (bucket, rest) = rest.split_at_checked(3)?;
        match rest.strip_prefix(b"}:")? {
            [b's', b':', sid @ ..] if sid.len() == 22 => Some(Found::Session),
            [b'e', b':', digest @ ..] if digest.len() == 43 => Some(Found::Expiry(number(bucket)?)),
            _ => None,
        }
    }

    fn begin(&self, bucket: u16, kind: u8, more: usize) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.prefix.len() + 9 + more);
        key.extend_from_slice(self.prefix.as_bytes());
        key.extend_from_slice(b":{");
        key.extend_from_slice(&text(bucket));
        key.extend_from_slice(&[b'}', b':', kind, b':']);
        key
    }
}

/// Writes bytes as keys have them, into as many as they take.
fn write(bytes: &[u8], text: &mut [u8]) {
    let written = URL_SAFE_NO_PAD.encode_slice(bytes, text);
    debug_assert!(written.is_ok_and(|length| length == text.len()), "room for all of it");
}

/// The session whose key this is, without the prefix.
fn session(key: &[u8]) -> Option<SessionId> {
    let (bucket, rest) = key.strip_prefix(b"{")?.split_at_checked(3)?;
    let sid = URL_SAFE_NO_PAD.decode(rest.strip_prefix(b"}:s:")?).ok()?;
    Some(SessionId::new(number(bucket)?, sid.try_into().ok()?))
}

/// A bucket that was read.
fn number(text: &[u8]) -> Option<u16> {
    let digit = |byte: &u8| DIGITS.iter().position(|digit| digit == byte);
    let bucket = text.iter().try_fold(0, |bucket, byte| Some(bucket << 6 | digit(byte)?))?;
    u16::try_from(bucket).ok().filter(|bucket| *bucket < SLOTS)
}

/// A bucket as tokens have it.
fn text(bucket: u16) -> [u8; 3] {
    [12, 6, 0].map(|shift| DIGITS[usize::from(bucket >> shift) & 63])
}

/// The slot of a bucket's keys: CRC16 (XMODEM) of what is in the braces, as the specification of clusters has it.
pub(super) fn slot(bucket: u16) -> u16 {
    let crc = text(bucket).iter().fold(0_u16, |crc, byte| {
        (0..8).fold(
            crc ^ u16::from(*byte) << 8,
            |crc, _| if crc >> 15 == 1 { crc << 1 ^ 0x1021 } else { crc << 1 },
        )
    });
    crc % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Version;

    #[test]
    fn keys_of_an_owner_and_its_sessions_share_a_tag() {
        let keys = Keys::new("sessions");
        let owner = Owner::of("site", "user", "7");
        let session = keys.session(SessionId::new(owner.bucket(), [0; 16]));
        let tag = String::from_utf8(session[9..14].to_vec()).unwrap();
        assert!(tag.starts_with('{') && tag.ends_with('}'), "{tag}");
        assert!(session.ends_with(b"s:AAAAAAAAAAAAAAAAAAAAAA"));
        for key in keys.owner(owner) {
            assert_eq!(key[..14], session[..14]);
        }
        let [expiry, order, _] = keys.owner(owner);
        assert_eq!(keys.order_of(&expiry), order);
        assert_eq!(keys.read(&session), Some(Found::Session));
        assert_eq!(keys.id_of(&session), Some(SessionId::new(owner.bucket(), [0; 16])));
        assert_eq!(keys.read(&expiry), Some(Found::Expiry(owner.bucket())));
        assert_eq!(keys.read(&order), None);
    }

    #[test]
    fn a_word_is_the_key_without_the_prefix() {
        let (keys, id) = (Keys::new("shop"), SessionId::new(4_253, [7; 16]));
        let key = keys.session(id);
        assert_eq!(keys.channel(), "shop:endings");
        let word = |end: &[u8]| [&key[5..], end].concat();
        assert_eq!(Keys::heard(&word(b":")), Some(Word::Ended(id)));
        let version = Version::of_record(&[0, 0, 0, 1, 0, 0, 0, 0xfe]);
        assert_eq!(Keys::heard(&word(b":00000001000000fe")), Some(Word::Written(id, version)));
        for end in [&b""[..], b":1", b":00000001000000fg", b":00000001000000fe0"] {
            assert_eq!(Keys::heard(&word(end)), None);
        }
        for other in [&key[..], &key[5..20], b"", b"{AAA}:e:AAAAAAAAAAAAAAAAAAAAAA:", b"{__ }:s:x"] {
            assert_eq!(Keys::heard(other), None);
        }
    }

    #[test]
    fn a_slot_is_what_the_server_says() {
        // CLUSTER KEYSLOT "{AAA}" and so on.
        for (bucket, expected) in SLOTS_OF {
            assert_eq!(slot(bucket), expected, "{bucket}");
        }
    }

    const SLOTS_OF: [(u16, u16); 4] = [(0, 3_205), (1, 15_590), (4_253, 1_904), (16_383, 13_558)];
}
