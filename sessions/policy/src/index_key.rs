//! The key by which a store's index names principals: as it is written, and as it is. Not the digest.

use std::fmt;

use zeroize::Zeroizing;

/// How many bytes it has.
const BYTES: usize = 32;

/// The index key of a store: who reads the store without it can't tell whose sessions are there. It is never printed.
///
/// ```
/// use sessions_policy::IndexKey;
///
/// // `openssl rand -hex 32` makes one.
/// let key = IndexKey::parse("2f6d1a9c5be0743188c0d1f2a3b4c5d6e7f8091a2b3c4d5e6f70818293a4b5c6")?;
/// assert_eq!(format!("{key:?}"), "IndexKey(…)");
/// # Ok::<(), sessions_policy::InvalidIndexKey>(())
/// ```
#[derive(Clone)]
pub struct IndexKey(Zeroizing<[u8; BYTES]>);

impl IndexKey {
    /// Reads a key as configuration has it: 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`InvalidIndexKey`], which shows nothing of it: it is of another form, or repeats one byte.
    pub fn parse(written: &str) -> Result<Self, InvalidIndexKey> {
        const FORM: InvalidIndexKey = InvalidIndexKey("is not 64 hexadecimal digits");
        let digits = written.trim().as_bytes();
        if digits.len() != 2 * BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(FORM);
        }
        let mut bytes = Zeroizing::new([0; BYTES]);
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| FORM)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| FORM)?;
        }
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(InvalidIndexKey("repeats one byte, which anyone can guess"));
        }
        Ok(Self(bytes))
    }

    /// Its bytes, for a digest.
    pub fn expose(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Whether there is none in either place, or the same.
    pub(crate) fn are_same(one: Option<&Self>, other: Option<&Self>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => one.is_same(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// Whether both are the same, in a time that does not depend on them.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0.iter()).fold(0, |all, (one, other)| all | (one ^ other)) == 0
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKey(…)")
    }
}

/// Why a text is no [`IndexKey`]. It shows nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidIndexKey(&'static str);

impl fmt::Display for InvalidIndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidIndexKey {}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn a_key_is_read_to_its_last_byte() {
        let key = IndexKey::parse(ONE).unwrap();
        assert_eq!((key.expose()[1], key.expose()[31]), (1, 31));
        assert!(key.is_same(&key.clone()));
        assert!(!key.is_same(&IndexKey::parse(&ONE.replace("1f", "2f")).unwrap()));
    }

    #[test]
    fn what_is_no_key_is_refused_and_never_shown() {
        let (long, guessed) = (format!("{ONE}0"), "ab".repeat(32));
        for wrong in ["", "hunter2", &ONE[1..], &long, &ONE.replace("00", "+0"), &guessed] {
            let refused = IndexKey::parse(wrong).unwrap_err().to_string();
            assert!(wrong.is_empty() || !refused.contains(wrong), "{refused}");
        }
    }
}
