//! One named value of a session, encoded, and what changes a request has recorded.

use std::{fmt, ops::Range, sync::Arc};

use super::wire::{Reader, put_length};

/// Which of a session's name spaces a field is in, so that free keys and typed data never clash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// Keys that handlers choose.
    Free,
    /// Fields of typed data, `namespace.field`.
    Typed,
    /// The library's own.
    Own,
}

impl Space {
    fn code(self) -> u8 {
        match self {
            Self::Free => 0,
            Self::Typed => 1,
            Self::Own => 2,
        }
    }
}

/// How a value is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// JSON text.
    Json,
    /// A codec of another version: carried through, not readable here.
    Unknown(u8),
}

impl Codec {
    fn code(self) -> u8 {
        match self {
            Self::Json => 1,
            Self::Unknown(code) => code,
        }
    }
}

/// The space and name of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldKey {
    pub(crate) space: Space,
    pub(crate) name: Box<str>,
}

/// A part of a record, shared and not copied.
#[derive(Clone)]
pub(crate) struct Slice {
    record: Arc<[u8]>,
    range: Range<u32>,
}

impl Slice {
    pub(super) fn of(record: &Arc<[u8]>, start: usize, length: usize) -> Self {
        Self { record: Arc::clone(record), range: offset(start)..offset(start + length) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.record.get(self.range.start as usize..self.range.end as usize).unwrap_or_default()
    }
}

impl From<Vec<u8>> for Slice {
    fn from(bytes: Vec<u8>) -> Self {
        Self { range: 0..offset(bytes.len()), record: bytes.into() }
    }
}

/// A field: a slice of a stored record, or bytes of its own.
#[derive(Clone)]
pub(crate) struct Field {
    bytes: Arc<[u8]>,
    name: Range<u32>,
    value: Range<u32>,
    space: u8,
    codec: Codec,
}

impl Field {
    /// Encodes a new field.
    pub(crate) fn new(key: &FieldKey, codec: Codec, value: &[u8]) -> Self {
        let bytes: Arc<[u8]> = [key.name.as_bytes(), value].concat().into();
        let (middle, end) = (offset(key.name.len()), offset(bytes.len()));
        Self { name: 0..middle, value: middle..end, bytes, space: key.space.code(), codec }
    }

    /// Reads a field's section, the part of `record` that begins at `start`, without copying it.
    pub(super) fn decode(record: &Arc<[u8]>, start: usize, content: &[u8]) -> Option<Self> {
        let mut wire = Reader::new(content);
        let space = wire.byte()?;
        let codec = match wire.byte()? {
            1 => Codec::Json,
            other => Codec::Unknown(other),
        };
        let length = wire.length()?;
        let from = start + content.len() - wire.rest().len();
        wire.take(length)?;
        let (from, middle, end) = (offset(from), offset(from + length), offset(start + content.len()));
        Some(Self { bytes: Arc::clone(record), name: from..middle, value: middle..end, space, codec })
    }

    pub(super) fn encode(&self, bytes: &mut Vec<u8>, tag: u8) {
        let (name, value) = (self.name(), self.value());
        let length_of_length = if name.len() < 0x80 { 1 } else { name.len().ilog2() as usize / 7 + 1 };
        bytes.push(tag);
        put_length(bytes, 2 + length_of_length + name.len() + value.len());
        bytes.push(self.space);
        bytes.push(self.codec.code());
        put_length(bytes, name.len());
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(value);
    }

    pub(crate) fn is(&self, space: Space, name: &str) -> bool {
        self.space == space.code() && self.name_bytes() == name.as_bytes()
    }

    /// The field's key. A space of a version to come is carried as it is by never making a key of it.
    pub(crate) fn key(&self) -> FieldKey {
        let space = match self.space {
            1 => Space::Typed,
            2 => Space::Own,
            _ => Space::Free,
        };
        FieldKey { space, name: self.name().into() }
    }

    pub(crate) fn is_same_key(&self, other: &Self) -> bool {
        self.space == other.space && self.name_bytes() == other.name_bytes()
    }

    pub(crate) fn is_in(&self, space: Space) -> bool {
        self.space == space.code()
    }

    /// The name; empty if it is not text, which no handler can have written.
    pub(crate) fn name(&self) -> &str {
        std::str::from_utf8(self.name_bytes()).unwrap_or_default()
    }

    fn name_bytes(&self) -> &[u8] {
        self.bytes.get(self.name.start as usize..self.name.end as usize).unwrap_or_default()
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.bytes.get(self.value.start as usize..self.value.end as usize).unwrap_or_default()
    }

    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.name())
    }
}

fn offset(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
