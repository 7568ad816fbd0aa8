//! What stands in one file of the store, as bytes and back: a session, a tombstone, or the revocation of an owner; and the
//! name of its file. Not where files are.
//!
//! ```text
//! magic 8 · SHA-256 of the rest 32 · kind 1 · …                            numbers are big endian
//!   session   bucket 2 · sid 16 · expires 8 · last seen 8 · order 8 · owner 0, or 1 and 32 · record
//!   tombstone bucket 2 · sid 16 · expires 8 · reason 1
//!   owner     owner 32 · stamp 8
//! ```

use std::{fmt::Write as _, sync::Arc};

use sha2::{Digest as _, Sha256};

use super::bytes::Reader;
use crate::store::{EndReason, Millis, Owner, SessionId, Stamp};

const MAGIC: [u8; 8] = *b"SESSFIL1";
const SESSION: u8 = 1;
const TOMBSTONE: u8 = 2;
const OWNER: u8 = 3;

/// How the names of files end, without the dot: of sessions and tombstones, and of owners.
pub(super) const ENDINGS: [&str; 2] = ["session", "owner"];

/// What one file says.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Session(SessionId, Kept),
    /// Logins of the owner that began before the stamp are refused.
    Owner(Owner, Stamp),
}

/// What is known under an id.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// When the session is dead, or the tombstone forgotten.
    pub(super) expires: Millis,
    pub(super) state: State,
}

#[derive(Clone, Debug)]
pub(super) enum State {
    Live(Live),
    Ended(EndReason),
}

/// A session, dead or alive.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) record: Arc<[u8]>,
    pub(super) last_seen: Millis,
    pub(super) owner: Option<Owner>,
    /// Its place among all sessions of the store, in the order of their creation.
    pub(super) order: u64,
}

/// What names a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Session(SessionId),
    Owner(Owner),
}

impl Key {
    /// The name of the file: a digest, so that no name of a file tells an id.
    pub(super) fn file_name(&self) -> String {
        let mut hash = Sha256::new();
        let ending = match self {
            Self::Session(id) => {
                hash.update(b"sessions/file/session/v1");
                hash.update(id.bucket().to_be_bytes());
                hash.update(id.sid());
                ENDINGS[0]
            }
            Self::Owner(owner) => {
                hash.update(b"sessions/file/owner/v1");
                hash.update(owner.as_bytes());
                ENDINGS[1]
            }
        };
        let mut name = String::with_capacity(64 + 1 + ending.len());
        for byte in hash.finalize() {
            write!(name, "{byte:02x}").expect("a string takes any text");
        }
        name + "." + ending
    }
}

/// Whether a file's name is one that a [`Key`] may have.
pub(super) fn is_file_name(name: &str) -> bool {
    name.split_once('.').is_some_and(|(digest, ending)| {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        digest.len() == 64 && digest.bytes().all(is_hex) && ENDINGS.contains(&ending)
    })
}

impl Content {
    pub(super) fn key(&self) -> Key {
        match self {
            Self::Session(id, _) => Key::Session(*id),
            Self::Owner(owner, _) => Key::Owner(*owner),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        match self {
            Self::Session(id, kept) => {
                let live = match &kept.state {
                    State::Live(live) => Some(live),
                    State::Ended(_) => None,
                };
                body.push(if live.is_some() { SESSION } else { TOMBSTONE });
                body.extend(id.bucket().to_be_bytes());
                body.extend(id.sid());
                body.extend(kept.expires.to_be_bytes());
                match &kept.state {
                    State::Live(live) => {
                        body.extend(live.last_seen.to_be_bytes());
                        body.extend(live.order.to_be_bytes());
                        body.push(u8::from(live.owner.is_some()));
                        body.extend(live.owner.iter().flat_map(Owner::as_bytes));
                        body.extend(&*live.record);
                    }
                    State::Ended(reason) => body.push(code(*reason)),
                }
            }
            Self::Owner(owner, stamp) => {
                body.push(OWNER);
                body.extend(owner.as_bytes());
                body.extend(stamp.to_be_bytes());
            }
        }
        sealed(MAGIC, &body)
    }

    /// What the bytes say; `None` if they are damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut body = Reader(unsealed(MAGIC, bytes)?);
        let content = match body.byte()? {
            OWNER => {
                let owner = Owner::from_digest(body.array()?);
                Self::Owner(owner, body.number()?)
            }
            kind @ (SESSION | TOMBSTONE) => {
                let id = SessionId::new(u16::from_be_bytes(body.array()?), body.array()?);
                let expires = body.number()?;
                let state = if kind == SESSION {
                    let (last_seen, order) = (body.number()?, body.number()?);
                    let owner = match body.byte()? {
                        0 => None,
                        1 => Some(Owner::from_digest(body.array()?)),
                        _ => return None,
                    };
                    State::Live(Live { record: body.rest().into(), last_seen, owner, order })
                } else {
                    State::Ended(reason(body.byte()?)?)
                };
                Self::Session(id, Kept { expires, state })
            }
            _ => return None,
        };
        body.0.is_empty().then_some(content)
    }
}

/// The bytes after what tells that they are whole.
pub(super) fn sealed(magic: [u8; 8], body: &[u8]) -> Vec<u8> {
    [magic.as_slice(), &Sha256::digest(body), body].concat()
}

/// The bytes that were [`sealed`], if they are as they were.
pub(super) fn unsealed(magic: [u8; 8], bytes: &[u8]) -> Option<&[u8]> {
    let (digest, body) = bytes.strip_prefix(&magic)?.split_at_checked(32)?;
    (Sha256::digest(body).as_slice() == digest).then_some(body)
}

const fn code(reason: EndReason) -> u8 {
    match reason {
        EndReason::LoggedOut => 1,
        EndReason::Revoked => 2,
        EndReason::Evicted => 3,
        EndReason::Expired => 4,
        EndReason::Superseded => 5,
        EndReason::Reuse => 6,
    }
}

const fn reason(code: u8) -> Option<EndReason> {
    Some(match code {
        1 => EndReason::LoggedOut,
        2 => EndReason::Revoked,
        3 => EndReason::Evicted,
        4 => EndReason::Expired,
        5 => EndReason::Superseded,
        6 => EndReason::Reuse,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents() -> Vec<Content> {
        let id = SessionId::new(7, [9; 16]);
        let owner = Owner::of("shop", "user", "u1");
        let live =
            |owner| Live { record: (*b"a record of some bytes").into(), last_seen: 5, owner, order: 3 };
        let reasons = [1, 2, 3, 4, 5, 6].map(|code| reason(code).unwrap());
        let states = [Some(owner), None].map(|owner| State::Live(live(owner)));
        let states = states.into_iter().chain(reasons.map(State::Ended));
        let mut contents: Vec<_> =
            states.map(|state| Content::Session(id, Kept { expires: 8, state })).collect();
        contents.push(Content::Owner(owner, 11));
        contents
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        for content in contents() {
            let bytes = content.encode();
            let read = Content::decode(&bytes).unwrap();
            assert_eq!(format!("{read:?}"), format!("{content:?}"));
            for length in 0..bytes.len() {
                assert!(Content::decode(&bytes[..length]).is_none(), "{length}");
            }
            for at in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1;
                assert!(Content::decode(&damaged).is_none(), "{at}");
            }
            assert!(Content::decode(&[bytes, vec![0]].concat()).is_none());
        }
    }

    #[test]
    fn a_name_is_a_digest() {
        for content in contents() {
            let name = content.key().file_name();
            assert!(is_file_name(&name), "{name}");
            assert!(!name.contains("0909"), "{name}");
        }
        for name in ["", "lock", "../x.session", "x.session", &format!("{}.tmp", "a".repeat(64))] {
            assert!(!is_file_name(name), "{name}");
        }
    }
}
