//! The named values of a session, encoded: one field, and all of a record. What a request does to them is not here.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, OnceLock},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    codec::{Codec, CodecError},
    tag,
    wire::{Reader, put_length},
};

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

/// The space and name of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldKey {
    pub(crate) space: Space,
    pub(crate) name: Box<str>,
}

/// A part of a record: where it stands in the bytes that the record was read from, or bytes of its own.
#[derive(Clone)]
pub(crate) enum Part {
    Stored(Range<u32>),
    Own(Arc<[u8]>),
}

impl Part {
    pub(super) fn stored(start: usize, length: usize) -> Self {
        Self::Stored(offset(start)..offset(start + length))
    }

    pub(super) fn bytes<'a>(&'a self, record: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Stored(range) => record.get(range.start as usize..range.end as usize).unwrap_or_default(),
            Self::Own(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Part {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Own(bytes.into())
    }
}

/// A field, borrowed from wherever it is.
#[derive(Clone, Copy)]
pub(crate) struct FieldView<'a> {
    space: u8,
    codec: Codec,
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> FieldView<'a> {
    /// Reads the content of a field's section.
    pub(super) fn decode(content: &'a [u8]) -> Option<Self> {
        let mut wire = Reader::new(content);
        let space = wire.byte()?;
        let codec = Codec::of_code(wire.byte()?);
        let length = wire.length()?;
        Some(Self { space, codec, name: wire.take(length)?, value: wire.rest() })
    }

    pub(crate) fn value(self) -> &'a [u8] {
        self.value
    }

    /// The value, as its codec says.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, CodecError> {
        self.codec.read(self.value)
    }

    fn is(self, space: Space, name: &str) -> bool {
        self.space == space.code() && self.name == name.as_bytes()
    }
}

/// The fields of a record: as they were stored, until someone needs a list of them. Most requests read a field or two.
#[derive(Clone)]
pub(crate) struct Fields {
    /// A record whose sections are whole, and where its first field's begins.
    stored: Option<(Arc<[u8]>, usize)>,
    list: OnceLock<Arc<Vec<Field>>>,
}

impl Fields {
    pub(super) const fn none() -> Self {
        Self { stored: None, list: OnceLock::new() }
    }

    /// The fields of a record that was read whole, the first of which begins at `start`.
    pub(super) fn stored(record: &Arc<[u8]>, start: usize) -> Self {
        Self { stored: Some((Arc::clone(record), start)), list: OnceLock::new() }
    }

    /// Looks for one field, without making a list of all.
    pub(crate) fn find(&self, space: Space, name: &str) -> Option<FieldView<'_>> {
        match self.list.get() {
            Some(list) => list.iter().map(Field::view).find(|field| field.is(space, name)),
            None => self.sections().map(|(_, field)| field).find(|field| field.is(space, name)),
        }
    }

    /// All fields.
    pub(crate) fn list(&self) -> &[Field] {
        self.list.get_or_init(|| Arc::new(self.decode()))
    }

    /// All fields, to be changed.
    pub(crate) fn edit(&mut self) -> &mut Vec<Field> {
        self.list();
        self.stored = None;
        Arc::make_mut(self.list.get_mut().expect("the line before made the list"))
    }

    /// All fields, to be changed elsewhere.
    pub(crate) fn shared(&self) -> Arc<Vec<Field>> {
        // What is only wanted elsewhere is not kept here too: it would have to be copied for the first change.
        self.list.get().map_or_else(|| Arc::new(self.decode()), Arc::clone)
    }

    fn decode(&self) -> Vec<Field> {
        let Some((record, _)) = &self.stored else { return Vec::new() };
        let mut fields = Vec::with_capacity(self.sections().count() + 1);
        fields.extend(self.sections().map(|(end, field)| Field::stored(record, end, field)));
        fields
    }

    /// Each field as it is stored, and where it ends.
    fn sections(&self) -> impl Iterator<Item = (usize, FieldView<'_>)> {
        let (record, start) =
            self.stored.as_ref().map_or((&[][..], 0), |(record, start)| (&record[..], *start));
        let mut wire = Reader::new(record.get(start..).unwrap_or_default());
        std::iter::from_fn(move || {
            loop {
                let (tag, content) = wire.section()?;
                if tag == tag::FIELD {
                    return Some((record.len() - wire.rest().len(), FieldView::decode(content)?));
                }
            }
        })
    }
}

impl From<Vec<Field>> for Fields {
    fn from(list: Vec<Field>) -> Self {
        Arc::new(list).into()
    }
}

impl From<Arc<Vec<Field>>> for Fields {
    fn from(list: Arc<Vec<Field>>) -> Self {
        Self { stored: None, list: list.into() }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list()).finish()
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

    /// Encodes a value.
    pub(crate) fn of(
        space: Space,
        name: &str,
        codec: Codec,
        value: &impl Serialize,
    ) -> Result<Self, CodecError> {
        // Room for a small value, so that most are written without asking for more.
        let mut bytes = Vec::with_capacity(name.len() + 64);
        bytes.extend_from_slice(name.as_bytes());
        codec.write(value, &mut bytes)?;
        let (middle, end) = (offset(name.len()), offset(bytes.len()));
        Ok(Self { bytes: bytes.into(), name: 0..middle, value: middle..end, space: space.code(), codec })
    }

    /// The field with one item more; `None` if it is no list of that codec.
    pub(crate) fn appended(&self, codec: Codec, item: &[u8]) -> Option<Self> {
        let value = codec.appended(self.value(), item).filter(|_| self.codec == codec)?;
        Some(Self::new(&self.key(), codec, &value))
    }

    /// A field of a stored record, which ends at `end`.
    fn stored(record: &Arc<[u8]>, end: usize, field: FieldView<'_>) -> Self {
        let middle = end - field.value.len();
        Self {
            bytes: Arc::clone(record),
            name: offset(middle - field.name.len())..offset(middle),
            value: offset(middle)..offset(end),
            space: field.space,
            codec: field.codec,
        }
    }

    pub(crate) fn view(&self) -> FieldView<'_> {
        FieldView { space: self.space, codec: self.codec, name: self.name_bytes(), value: self.value() }
    }

    pub(super) fn encode(&self, bytes: &mut Vec<u8>, tag: u8) {
        let (name, value) = (self.name_bytes(), self.value());
        let length_of_length = if name.len() < 0x80 { 1 } else { name.len().ilog2() as usize / 7 + 1 };
        bytes.push(tag);
        put_length(bytes, 2 + length_of_length + name.len() + value.len());
        bytes.push(self.space);
        bytes.push(self.codec.code());
        put_length(bytes, name.len());
        bytes.extend_from_slice(name);
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

    /// Whether it is a part of the list under a key: the key itself, or the key and a number.
    pub(crate) fn is_part_of(&self, key: &FieldKey) -> bool {
        let part = || self.name().strip_prefix(&*key.name)?.strip_prefix('.')?.parse::<u32>().ok();
        self.is_in(key.space) && (self.name() == &*key.name || part().is_some())
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

    /// How many bytes of a policy's `max_size` it takes.
    pub(super) fn size(&self) -> usize {
        self.name.len() + self.value.len()
    }

    fn name_bytes(&self) -> &[u8] {
        self.bytes.get(self.name.start as usize..self.name.end as usize).unwrap_or_default()
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.bytes.get(self.value.start as usize..self.value.end as usize).unwrap_or_default()
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
