//! The keys that encrypt the values of a store's sessions: as they are written, and as they are. Not the cipher.

use std::fmt;

use zeroize::Zeroizing;

/// How many bytes a key has.
const BYTES: usize = 32;

/// The key ring of a store: the first key encrypts, all decrypt. It is never printed.
///
/// ```
/// use sessions_policy::EncryptionKeys;
///
/// // `openssl rand -hex 32` makes a key.
/// let newer = "2:2f6d1a9c5be0743188c0d1f2a3b4c5d6e7f8091a2b3c4d5e6f70818293a4b5c6";
/// let older = "1:91a0b8c7d6e5f40312233445566778899aabbccddeeff00112244668800aacce";
/// let keys = EncryptionKeys::parse([newer, older])?;
/// assert_eq!(keys.ids().collect::<Vec<_>>(), [2, 1]);
/// assert!(!format!("{keys:?}").contains("2f6d"));
/// # Ok::<(), sessions_policy::InvalidEncryptionKeys>(())
/// ```
#[derive(Clone, Default)]
pub struct EncryptionKeys(Vec<EncryptionKey>);

#[derive(Clone)]
struct EncryptionKey {
    id: u32,
    bytes: Zeroizing<[u8; BYTES]>,
}

impl EncryptionKeys {
    /// Reads keys as configuration has them: an id from 1 to 4,294,967,295, a colon, and 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`InvalidEncryptionKeys`], which shows nothing of a key: there is none, one is of another form, an id or a key
    /// stands twice, or a key repeats one byte.
    pub fn parse<'a>(written: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidEncryptionKeys> {
        let mut keys: Vec<EncryptionKey> = Vec::new();
        for (index, written) in written.into_iter().enumerate() {
            let refuse = |reason| Err(InvalidEncryptionKeys { item: Some(index + 1), reason });
            let Some(key) = EncryptionKey::parse(written.trim()) else {
                return refuse("is not an id, a colon and 64 hexadecimal digits");
            };
            if key.bytes.iter().all(|byte| *byte == key.bytes[0]) {
                return refuse("repeats one byte, which anyone can guess");
            }
            if keys.iter().any(|other| other.id == key.id) {
                return refuse("has the id of one before it");
            }
            if keys.iter().any(|other| *other.bytes == *key.bytes) {
                return refuse("has the key of one before it");
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(InvalidEncryptionKeys { item: None, reason: "has no key" });
        }
        Ok(Self(keys))
    }

    /// Whether there is none: nothing is encrypted then.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids, that of the key that encrypts first.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|key| key.id)
    }

    /// Each id with its key, for a cipher.
    pub fn expose(&self) -> impl Iterator<Item = (u32, &[u8; BYTES])> {
        self.0.iter().map(|key| (key.id, &*key.bytes))
    }

    /// Whether both are the same keys in the same order, in a time that depends on their number alone.
    pub fn is_same(&self, other: &Self) -> bool {
        let same = |(one, other): (&EncryptionKey, &EncryptionKey)| {
            let differing = one.bytes.iter().zip(other.bytes.iter()).fold(0, |all, (a, b)| all | (a ^ b));
            one.id == other.id && differing == 0
        };
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl EncryptionKey {
    fn parse(written: &str) -> Option<Self> {
        let (id, digits) = written.split_once(':')?;
        let id = id.parse().ok().filter(|id| *id > 0)?;
        if digits.len() != 2 * BYTES || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = Zeroizing::new([0; BYTES]);
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self { id, bytes })
    }
}

/// The ids alone.
impl fmt::Debug for EncryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKeys").field("ids", &self.ids().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

/// Why texts are no [`EncryptionKeys`]. It shows nothing of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidEncryptionKeys {
    /// Which of them, from 1.
    item: Option<usize>,
    reason: &'static str,
}

impl fmt::Display for InvalidEncryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.item {
            Some(item) => write!(f, "item {item} {}", self.reason),
            None => f.write_str(self.reason),
        }
    }
}

impl std::error::Error for InvalidEncryptionKeys {}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const TWO: &str = "2:F00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn refused(written: &[&str]) -> String {
        EncryptionKeys::parse(written.iter().copied()).unwrap_err().to_string()
    }

    #[test]
    fn a_ring_keeps_its_order_and_every_byte() {
        let keys = EncryptionKeys::parse([TWO, ONE]).unwrap();
        let exposed: Vec<_> = keys.expose().collect();
        assert_eq!((exposed[0].0, exposed[0].1[0], exposed[1].0, exposed[1].1[31]), (2, 0xf0, 1, 0x1f));
        assert!(keys.is_same(&keys.clone()));
        assert!(!keys.is_same(&EncryptionKeys::parse([ONE, TWO]).unwrap()));
        assert!(!keys.is_same(&EncryptionKeys::parse([TWO]).unwrap()));
    }

    #[test]
    fn what_is_no_key_is_refused_by_its_place_and_never_shown() {
        let form = "item 1 is not an id, a colon and 64 hexadecimal digits";
        let short = &ONE[..65];
        let long = format!("{ONE}0");
        let signed = ONE.replace("1:00", "1:+0");
        for wrong in ["", "1:", ":", &ONE[2..], short, &long, &signed, "0:00", &format!("-{ONE}")] {
            assert_eq!(refused(&[wrong]), form, "{wrong}");
        }
        assert_eq!(refused(&[]), "has no key");
        assert_eq!(refused(&[ONE, &TWO.replace("2:", "1:")]), "item 2 has the id of one before it");
        assert_eq!(refused(&[ONE, &ONE.replace("1:", "3:")]), "item 2 has the key of one before it");
        let repeated = format!("7:{}", "ab".repeat(32));
        assert_eq!(refused(&[&repeated]), "item 1 repeats one byte, which anyone can guess");
    }

    #[test]
    fn debug_shows_the_ids_alone() {
        assert_eq!(format!("{:?}", EncryptionKeys::parse([ONE]).unwrap()), "EncryptionKeys { ids: [1], .. }");
    }
}
