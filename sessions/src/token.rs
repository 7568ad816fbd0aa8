//! What a client carries and what names a session: `bucket.sid.secret`, the session's id, its public handle and its
//! owner. Nothing here knows a policy's settings or a store.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sessions_policy::IndexKey;
use sha2::{Digest as _, Sha256, block_api::compress256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::entropy::{Entropy, EntropyError};

const BUCKETS: u16 = 1 << 14;
const SID_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
const SID_TEXT: usize = 22;
const SECRET_TEXT: usize = 43;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The length of a token's text in bytes.
pub(crate) const TOKEN_TEXT: usize = 3 + 1 + SID_TEXT + 1 + SECRET_TEXT;

/// Names one session in a store: a bucket of 14 bits and a sid of 128 bits. Public, and no credential.
///
/// All sessions of one [`Owner`] share a bucket, so that a store can keep them together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    bucket: u16,
    sid: [u8; SID_BYTES],
}

impl SessionId {
    /// Makes an id of its parts; a bucket of more than 14 bits is cut to 14.
    pub fn new(bucket: u16, sid: [u8; 16]) -> Self {
        Self { bucket: bucket % BUCKETS, sid }
    }

    /// The bucket, below 16,384.
    pub fn bucket(self) -> u16 {
        self.bucket
    }

    /// The sid's bytes.
    pub fn sid(&self) -> &[u8; 16] {
        &self.sid
    }

    /// The handle of a lineage that begins with this id.
    pub fn handle(self) -> Handle {
        Handle(self.sid)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({}/{})", self.bucket, self.handle())
    }
}

/// Names a session to people, logs and events: stable over rotation and login, and useless as a credential.
///
/// Its text form is 22 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle([u8; SID_BYTES]);

impl Handle {
    /// The handle's bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Makes a handle of its bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({self})")
    }
}

impl serde::Serialize for Handle {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is not a [`Handle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a handle is 22 characters of base64url")]
pub struct ParseHandleError;

impl std::str::FromStr for Handle {
    type Err = ParseHandleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decode(text.as_bytes()).map(Self).ok_or(ParseHandleError)
    }
}

/// One principal under one policy, as a digest: what limits count and lists read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner([u8; 32]);

impl Owner {
    /// The owner `kind:id` under a policy. `user:7` and `service:7` are two, and so is `user:7` of another policy.
    pub fn of(policy: &str, kind: &str, id: &str) -> Self {
        let mut hash = Sha256::new();
        Self::describe([policy, kind, id], |bytes| hash.update(bytes));
        Self(hash.finalize().into())
    }

    /// The same by a digest that no one can make who hasn't the key.
    pub(crate) fn keyed(key: &IndexKey, policy: &str, kind: &str, id: &str) -> Self {
        let mut mac = keyed(key);
        Self::describe([policy, kind, id], |bytes| mac.update(bytes));
        Self(mac.finalize().into_bytes().into())
    }

    fn describe(parts: [&str; 3], mut take: impl FnMut(&[u8])) {
        take(b"sessions/owner/v1");
        for part in parts {
            take(&(part.len() as u64).to_be_bytes());
            take(part.as_bytes());
        }
    }

    /// Makes an owner of its digest.
    pub(crate) fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The owner's digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bucket of all sessions of this owner.
    pub fn bucket(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]]) % BUCKETS
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({})", URL_SAFE_NO_PAD.encode(&self.0[..6]))
    }
}

/// The only part of a token that is a credential: 256 random bits. It can't be printed, compared or copied.
#[derive(Clone)]
#[repr(align(8))]
pub(crate) struct Secret([u8; SECRET_BYTES]);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Secret {
    /// The secret of a base that was opened without one: it opens nothing, as no digest of it was ever stored.
    pub(crate) fn none() -> Self {
        Self([0; SECRET_BYTES])
    }

    /// What is stored of it: a digest tagged with the policy, so that one policy's token opens no other's session.
    pub(crate) fn digest(&self, tag: &SecretTag) -> Digest {
        let mut block = [0; BLOCK];
        block[..SECRET_BYTES].copy_from_slice(&self.0);
        block[SECRET_BYTES] = 0x80;
        block[BLOCK - 8..].copy_from_slice(&tag.bits.to_be_bytes());
        let mut state = tag.state;
        // By reference: an array of it would be a copy that no one wipes.
        compress256(&mut state, std::slice::from_ref(&block));
        block[..SECRET_BYTES].zeroize();
        let mut digest = Digest([0; 32]);
        for (bytes, word) in digest.0.as_chunks_mut().0.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        digest
    }

    /// Hides a successor so that only who holds this secret can read it: `successor xor HMAC(self, digest of successor)`.
    /// The digest keeps two successors of one secret from sharing a pad.
    pub(crate) fn wrap(&self, digest: &Digest, successor: &Self) -> [u8; SECRET_BYTES] {
        let mut wrapped = self.pad(digest);
        for (byte, other) in wrapped.iter_mut().zip(&successor.0) {
            *byte ^= *other;
        }
        wrapped
    }

    /// Reads a successor that was hidden with [`wrap`](Self::wrap).
    pub(crate) fn unwrap_successor(&self, digest: &Digest, wrapped: &[u8; SECRET_BYTES]) -> Self {
        Self(self.wrap(digest, &Self(*wrapped)))
    }

    fn pad(&self, digest: &Digest) -> [u8; SECRET_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(b"sessions/successor/v1");
        mac.update(&digest.0);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A block of SHA-256, in bytes.
const BLOCK: usize = 64;

/// The state in which SHA-256 begins (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The beginning of every digest of a policy: domain and policy name, filled up with zeros to whole blocks of SHA-256, so
/// that a digest costs one block. The last block is padded here (FIPS 180-4, 5.1.1): every request has to wait for it, and
/// a hasher for any length takes as long as the block itself.
#[derive(Clone)]
pub(crate) struct SecretTag {
    state: [u32; 8],
    /// The length of what is hashed, in bits.
    bits: u64,
}

impl SecretTag {
    /// The tag of a policy, and of the key of its store's index: under another key no secret is one of its.
    pub(crate) fn of(policy: &str, key: Option<&IndexKey>) -> Self {
        let mut tag = Self::text(policy);
        if let Some(key) = key {
            let mut mac = keyed(key);
            mac.update(b"sessions/index-key/v1");
            tag.extend_from_slice(&mac.finalize().into_bytes());
        }
        tag.resize(tag.len().next_multiple_of(BLOCK), 0);
        let mut state = INITIAL;
        compress256(&mut state, tag.as_chunks().0);
        Self { state, bits: 8 * (tag.len() + SECRET_BYTES) as u64 }
    }

    fn text(policy: &str) -> Vec<u8> {
        let mut tag = b"sessions/secret/v1".to_vec();
        tag.extend_from_slice(&(policy.len() as u64).to_be_bytes());
        tag.extend_from_slice(policy.as_bytes());
        tag
    }
}

impl fmt::Debug for SecretTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretTag")
    }
}

fn keyed(key: &IndexKey) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes a key of any length")
}

/// The stored form of a [`Secret`].
#[derive(Clone, Copy, Debug)]
#[repr(align(8))]
pub(crate) struct Digest(pub(crate) [u8; 32]);

impl Digest {
    /// Compares in constant time, word by word: a byte at a time takes as long as the digest took.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.0.as_chunks().0, other.0.as_chunks().0);
        let pairs = ours.iter().zip(theirs);
        let difference = pairs.fold(0, |all, (a, b)| all | (u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b)));
        difference.ct_eq(&0).into()
    }

    /// The first 128 bits: enough to recognise a secret that was used before.
    pub(crate) fn short(&self) -> [u8; 16] {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0[..16]);
        short
    }
}

/// What a client presents: an id and the secret that proves it.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) id: SessionId,
    pub(crate) secret: Secret,
}

impl Token {
    /// Mints a token in the bucket of its owner, or in a random one for an anonymous session.
    ///
    /// One draw of the operating system's generator gives sid, secret and bucket (ASVS 7.2.3).
    pub(crate) fn mint(entropy: &dyn Entropy, owner: Option<&Owner>) -> Result<Self, EntropyError> {
        let mut draw = [0_u8; SECRET_BYTES + SID_BYTES + 2];
        entropy.fill(&mut draw)?;
        let mut secret = Secret([0; SECRET_BYTES]);
        secret.0.copy_from_slice(&draw[..SECRET_BYTES]);
        let mut sid = [0; SID_BYTES];
        sid.copy_from_slice(&draw[SECRET_BYTES..SECRET_BYTES + SID_BYTES]);
        let random = u16::from_be_bytes([draw[SECRET_BYTES + SID_BYTES], draw[SECRET_BYTES + SID_BYTES + 1]]);
        draw.zeroize();
        let bucket = owner.map_or(random, Owner::bucket);
        Ok(Self { id: SessionId::new(bucket, sid), secret })
    }

    /// Mints a new secret for the same id.
    pub(crate) fn renew(entropy: &dyn Entropy, id: SessionId) -> Result<Self, EntropyError> {
        let mut secret = Secret([0; SECRET_BYTES]);
        entropy.fill(&mut secret.0)?;
        Ok(Self { id, secret })
    }

    /// Reads the one canonical text form and refuses every other, before any store is asked.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != TOKEN_TEXT || text[3] != b'.' || text[4 + SID_TEXT] != b'.' {
            return None;
        }
        let bucket = parse_bucket(&text[..3])?;
        let sid = decode(&text[4..4 + SID_TEXT])?;
        let mut secret = Secret([0; SECRET_BYTES]);
        decode_into(&text[5 + SID_TEXT..], &mut secret.0)?;
        Some(Self { id: SessionId { bucket, sid }, secret })
    }

    /// The text that travels. Zeroised when it is dropped.
    pub(crate) fn text(&self) -> zeroize::Zeroizing<String> {
        let mut text = zeroize::Zeroizing::new(String::with_capacity(TOKEN_TEXT));
        for shift in [12, 6, 0] {
            text.push(char::from(ALPHABET[usize::from(self.id.bucket >> shift) & 63]));
        }
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(self.id.sid, &mut text);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(&self.secret.0, &mut text);
        text
    }
}

/// The value of each character of base64url, for each of the four places in a group of four: what is no digit has
/// [`NO_DIGIT`] in every place, and no digit has it anywhere.
static DIGITS: [[u32; 256]; 4] = {
    let mut digits = [[NO_DIGIT; 256]; 4];
    let mut place = 0;
    while place < 4 {
        let mut value = 0;
        while value < 64_u8 {
            digits[place][ALPHABET[value as usize] as usize] = (value as u32) << (18 - 6 * place);
            value += 1;
        }
        place += 1;
    }
    digits
};

/// A bit that four digits do not have: they have 24.
const NO_DIGIT: u32 = 1 << 31;

fn parse_bucket(text: &[u8]) -> Option<u16> {
    let bits = read_digits(text) >> 6;
    u16::try_from(bits).ok().filter(|bucket| *bucket < BUCKETS)
}

fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    decode_into(text, &mut bytes).map(|()| bytes)
}

/// Reads base64url of exactly so many bytes, in its one form: the bits beyond them are zero.
///
/// Written here because every request is read by it: with lengths that are known it takes a third of the instructions
/// of a decoder that is made for any.
fn decode_into<const N: usize>(text: &[u8], bytes: &mut [u8; N]) -> Option<()> {
    if text.len() != (N * 4).div_ceil(3) {
        return None;
    }
    let ((quads, tail), (triples, rest)) = (text.as_chunks::<4>(), bytes.as_chunks_mut::<3>());
    let mut all_seen = 0;
    for (quad, triple) in quads.iter().zip(triples) {
        let bits = read_digits(quad);
        let [_, decoded @ ..] = bits.to_be_bytes();
        *triple = decoded;
        all_seen |= bits;
    }
    let bits = read_digits(tail);
    let [_, decoded @ ..] = bits.to_be_bytes();
    let (decoded, beyond) = decoded.split_at(rest.len());
    rest.copy_from_slice(decoded);
    let is_canonical = beyond.iter().all(|byte| *byte == 0);
    (is_canonical && (all_seen | bits) < NO_DIGIT).then_some(())
}

/// At most four characters of base64url as the high bits of 24; with [`NO_DIGIT`] if one is no digit.
#[inline]
fn read_digits(text: &[u8]) -> u32 {
    text.iter().zip(&DIGITS).fold(0, |bits, (byte, digits)| bits | digits[usize::from(*byte)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::OsEntropy;

    #[test]
    fn text_round_trips_and_has_one_form() {
        for _ in 0..200 {
            let token = Token::mint(&OsEntropy, None).unwrap();
            let text = token.text();
            let back = Token::parse(text.as_bytes()).unwrap();
            assert_eq!(back.id, token.id);
            assert_eq!(back.secret.0, token.secret.0);
            assert_eq!(*back.text(), *text);
        }
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let token = Token::mint(&OsEntropy, None).unwrap();
        let text = token.text();
        for position in 0..text.len() {
            for byte in 0..=255_u8 {
                let mut bytes = text.as_bytes().to_vec();
                bytes[position] = byte;
                if let Some(other) = Token::parse(&bytes) {
                    assert_eq!(
                        other.text().as_bytes(),
                        bytes,
                        "a spelling that is not canonical was accepted"
                    );
                }
            }
        }
        for bad in ["", "a", &text[1..], &format!("{}A", *text), &text.replace('.', "_")] {
            assert!(Token::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn digests_differ_by_policy() {
        let token = Token::mint(&OsEntropy, None).unwrap();
        let (a, b) = (SecretTag::of("a", None), SecretTag::of("b", None));
        assert!(!token.secret.digest(&a).matches(&token.secret.digest(&b)));
        assert!(token.secret.digest(&a).matches(&token.secret.digest(&a)));
    }

    #[test]
    fn a_digest_is_sha_256_of_tag_and_secret() {
        for policy in ["", "a", "user_default", &"long".repeat(40)] {
            let token = Token::mint(&OsEntropy, None).unwrap();
            let mut text = SecretTag::text(policy);
            text.resize(text.len().next_multiple_of(BLOCK), 0);
            text.extend_from_slice(&token.secret.0);
            let expected: [u8; 32] = Sha256::digest(&text).into();
            assert_eq!(token.secret.digest(&SecretTag::of(policy, None)).0, expected, "{policy}");
        }
    }

    #[test]
    fn only_the_holder_reads_the_successor() {
        let (old, new) = (Token::mint(&OsEntropy, None).unwrap(), Token::mint(&OsEntropy, None).unwrap());
        let digest = new.secret.digest(&SecretTag::of("a", None));
        let wrapped = old.secret.wrap(&digest, &new.secret);
        assert_eq!(old.secret.unwrap_successor(&digest, &wrapped).0, new.secret.0);
        assert_ne!(new.secret.unwrap_successor(&digest, &wrapped).0, new.secret.0);
    }

    #[test]
    fn owners_of_other_kinds_and_policies_are_others() {
        let owner = Owner::of("a", "user", "7");
        for other in
            [Owner::of("a", "service", "7"), Owner::of("b", "user", "7"), Owner::of("a", "use", "r7")]
        {
            assert_ne!(owner, other);
        }
    }
}
