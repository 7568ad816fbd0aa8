//! Encryption of field values at rest. A value is bound to its session, policy and field: it opens nowhere else.
//!
//! ```text
//! value of a field whose codec has its highest bit set:
//! 0   algorithm   u8, 1: XChaCha20-Poly1305
//! 1   key id      u32
//! 5   nonce       24 bytes, random for each write
//! 29  ciphertext  the value's bytes, and a tag of 16
//! associated data: "sessions/field/v1", algorithm, key id, bucket u16, sid 16 bytes, space u8, codec u8 as stored,
//! the policy's name with its length in front, the field's name
//! ```
//! All values of one store are under few keys, and nodes share them, so nonces are random; they are long enough for that.

use super::{codec::CodecError, fields::FieldView};
use crate::token::SessionId;

/// What the highest bit of a field's codec says: its value is encrypted.
pub(super) const SEALED: u8 = 0x80;
/// How many bytes a value grows by.
pub(super) const OVERHEAD: usize = HEAD + NONCE + TAG;

const HEAD: usize = 5;
const NONCE: usize = 24;
const TAG: usize = 16;

/// The random part of one encryption.
pub(crate) type Nonce = [u8; NONCE];

/// Where values are read or written: under which session of which policy, with which keys.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "encryption"), allow(dead_code, reason = "a cipher reads it"))]
pub(crate) struct Binding<'a> {
    pub(crate) ring: Option<&'a KeyRing>,
    pub(crate) policy: &'a str,
    /// `None` for a session that no store has: nothing of it is encrypted.
    pub(crate) id: Option<SessionId>,
}

impl Binding<'_> {
    /// The bytes of a value that is encrypted.
    pub(super) fn open(self, field: FieldView<'_>) -> Result<Vec<u8>, CodecError> {
        cipher::open(self, field)
    }

    /// The bytes of a value, encrypted; `None` where there is nothing to encrypt with.
    pub(super) fn seal(self, field: FieldView<'_>, nonce: Nonce) -> Option<Vec<u8>> {
        cipher::seal(self, field, nonce)
    }
}

pub(crate) use self::cipher::KeyRing;

#[cfg(feature = "encryption")]
mod cipher {
    use std::{fmt, sync::Arc};

    use chacha20poly1305::{
        KeyInit, XChaCha20Poly1305, XNonce,
        aead::{Aead, Payload},
    };
    use sessions_policy::EncryptionKeys;

    use super::{Binding, CodecError, FieldView, HEAD, Nonce, SEALED};
    use crate::record::wire::{Reader, put_text};

    const XCHACHA20_POLY1305: u8 = 1;

    /// Ciphers by the ids of their keys: the first encrypts, all decrypt. They wipe their keys when they are dropped.
    pub(crate) struct KeyRing(Vec<(u32, XChaCha20Poly1305)>);

    impl KeyRing {
        pub(crate) fn of(keys: &EncryptionKeys) -> Option<Arc<Self>> {
            let ciphers = keys.expose().map(|(id, key)| (id, XChaCha20Poly1305::new(key.into())));
            (!keys.is_empty()).then(|| Arc::new(Self(ciphers.collect())))
        }

        fn cipher(&self, id: u32) -> Option<&XChaCha20Poly1305> {
            self.0.iter().find(|(own, _)| *own == id).map(|(_, cipher)| cipher)
        }
    }

    impl fmt::Debug for KeyRing {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("KeyRing")
        }
    }

    pub(super) fn open(binding: Binding<'_>, field: FieldView<'_>) -> Result<Vec<u8>, CodecError> {
        let mut wire = Reader::new(field.value());
        let head: [u8; HEAD] = wire.array().ok_or(CodecError::Altered)?;
        let [algorithm, id @ ..] = head;
        if algorithm != XCHACHA20_POLY1305 {
            return Err(CodecError::Algorithm(algorithm));
        }
        let id = u32::from_be_bytes(id);
        let cipher = binding.ring.and_then(|ring| ring.cipher(id)).ok_or(CodecError::Key(id))?;
        let nonce: Nonce = wire.array().ok_or(CodecError::Altered)?;
        let aad = associated(binding, field, head).ok_or(CodecError::Altered)?;
        let opened = cipher.decrypt(&XNonce::from(nonce), Payload { msg: wire.rest(), aad: &aad });
        opened.map_err(|_| CodecError::Altered)
    }

    pub(super) fn seal(binding: Binding<'_>, field: FieldView<'_>, nonce: Nonce) -> Option<Vec<u8>> {
        let (id, cipher) = binding.ring?.0.first()?;
        let [a, b, c, d] = id.to_be_bytes();
        let head = [XCHACHA20_POLY1305, a, b, c, d];
        let aad = associated(binding, field, head)?;
        let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: field.value(), aad: &aad }).ok()?;
        Some([&head[..], &nonce, &sealed].concat())
    }

    /// What a value is bound to beside its key.
    fn associated(binding: Binding<'_>, field: FieldView<'_>, head: [u8; HEAD]) -> Option<Vec<u8>> {
        let id = binding.id?;
        let mut data = b"sessions/field/v1".to_vec();
        data.extend_from_slice(&head);
        data.extend_from_slice(&id.bucket().to_be_bytes());
        data.extend_from_slice(id.sid());
        data.extend_from_slice(&[field.space(), field.codec().code() | SEALED]);
        put_text(&mut data, binding.policy);
        data.extend_from_slice(field.name());
        Some(data)
    }
}

#[cfg(not(feature = "encryption"))]
mod cipher {
    use std::sync::Arc;

    use sessions_policy::EncryptionKeys;

    use super::{Binding, CodecError, FieldView, Nonce};

    /// There is none in a build without a cipher.
    #[derive(Debug)]
    pub(crate) enum KeyRing {}

    impl KeyRing {
        pub(crate) fn of(_: &EncryptionKeys) -> Option<Arc<Self>> {
            None
        }
    }

    pub(super) fn open(_: Binding<'_>, _: FieldView<'_>) -> Result<Vec<u8>, CodecError> {
        Err(CodecError::NotBuilt("encryption"))
    }

    pub(super) fn seal(_: Binding<'_>, _: FieldView<'_>, _: Nonce) -> Option<Vec<u8>> {
        None
    }
}
