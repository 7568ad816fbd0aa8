//! How one value becomes bytes, and bytes a value. Each field says which codec its bytes are of.

use serde::{Serialize, de::DeserializeOwned};

/// How a value is encoded. Both known codecs have the shape that serde gives a format for people, such as a date as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// JSON text.
    Json,
    /// MessagePack, with the names of a struct's fields.
    MessagePack,
    /// A codec of another version: carried through, not readable here.
    Unknown(u8),
}

/// Why a value can't be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CodecError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[cfg(feature = "messagepack")]
    #[error("{0}")]
    MessagePack(Box<dyn std::error::Error + Send + Sync>),
    /// It takes a part of the library that was not built.
    #[error("add the feature `{0}` of the crate `sessions`")]
    #[cfg(not(feature = "messagepack"))]
    NotBuilt(&'static str),
    #[error("the value has the codec {0}, which this version doesn't know")]
    Unknown(u8),
}

impl CodecError {
    /// Whether another type would have been readable, as far as anyone knows.
    pub(crate) fn is_about_the_type(&self) -> bool {
        match self {
            Self::Json(_) => true,
            #[cfg(feature = "messagepack")]
            Self::MessagePack(_) => true,
            #[cfg(not(feature = "messagepack"))]
            Self::NotBuilt(_) => false,
            Self::Unknown(_) => false,
        }
    }
}

impl Codec {
    pub(super) const fn of_code(code: u8) -> Self {
        match code {
            1 => Self::Json,
            2 => Self::MessagePack,
            other => Self::Unknown(other),
        }
    }

    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Json => 1,
            Self::MessagePack => 2,
            Self::Unknown(code) => code,
        }
    }

    /// What a policy writes values with.
    pub(crate) fn of(policy: &sessions_policy::SessionPolicy) -> Self {
        match policy.persistence().codec() {
            sessions_policy::Codec::MessagePack => Self::MessagePack,
            _ => Self::Json,
        }
    }

    /// Appends a value as it is stored.
    pub(crate) fn write(self, value: &impl Serialize, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        match self {
            Self::Json => Ok(serde_json::to_writer(bytes, value)?),
            Self::MessagePack => messagepack::write(value, bytes),
            Self::Unknown(code) => Err(CodecError::Unknown(code)),
        }
    }

    /// Reads a stored value.
    pub(crate) fn read<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, CodecError> {
        match self {
            Self::Json => Ok(serde_json::from_slice(bytes)?),
            Self::MessagePack => messagepack::read(bytes),
            Self::Unknown(code) => Err(CodecError::Unknown(code)),
        }
    }

    /// A list with one item, which is encoded already.
    pub(crate) fn list_of(self, item: &[u8]) -> Vec<u8> {
        match self {
            Self::MessagePack => [&[0x91], item].concat(),
            Self::Json | Self::Unknown(_) => [b"[", item, b"]"].concat(),
        }
    }

    /// A list with one item more; `None` if it is none that can be added to as it is.
    pub(crate) fn appended(self, list: &[u8], item: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Json => match list.strip_prefix(b"[")?.strip_suffix(b"]")? {
                [] => Some(self.list_of(item)),
                items => Some([b"[", items, b",", item, b"]"].concat()),
            },
            Self::MessagePack => {
                let (count, items) = array(list)?;
                let count = count.checked_add(1)?;
                let mut longer = Vec::with_capacity(list.len() + item.len() + 2);
                match count {
                    0..16 => longer.push(0x90 | u8::try_from(count).ok()?),
                    16..0x1_0000 => {
                        longer.push(0xdc);
                        longer.extend_from_slice(&u16::try_from(count).ok()?.to_be_bytes());
                    }
                    _ => {
                        longer.push(0xdd);
                        longer.extend_from_slice(&count.to_be_bytes());
                    }
                }
                longer.extend_from_slice(items);
                longer.extend_from_slice(item);
                Some(longer)
            }
            Self::Unknown(_) => None,
        }
    }
}

/// How many items a MessagePack array says that it has, and the bytes after that.
fn array(list: &[u8]) -> Option<(u32, &[u8])> {
    match *list {
        [first @ 0x90..=0x9f, ref items @ ..] => Some((u32::from(first & 0x0f), items)),
        [0xdc, a, b, ref items @ ..] => Some((u16::from_be_bytes([a, b]).into(), items)),
        [0xdd, a, b, c, d, ref items @ ..] => Some((u32::from_be_bytes([a, b, c, d]), items)),
        _ => None,
    }
}

#[cfg(feature = "messagepack")]
mod messagepack {
    use rmp_serde::{Deserializer, Serializer};
    use serde::{Serialize, de::DeserializeOwned};

    use super::CodecError;

    /// How deep a value may be nested; the same as for JSON.
    const DEPTH: usize = 128;

    pub(super) fn write(value: &impl Serialize, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        let mut writer = Serializer::new(bytes).with_struct_map().with_human_readable();
        value.serialize(&mut writer).map_err(|error| CodecError::MessagePack(error.into()))
    }

    pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
        let mut rest = bytes;
        let mut reader = Deserializer::new(&mut rest).with_human_readable();
        reader.set_max_depth(DEPTH);
        let value = T::deserialize(&mut reader).map_err(|error| CodecError::MessagePack(error.into()))?;
        if rest.is_empty() {
            Ok(value)
        } else {
            Err(CodecError::MessagePack("the value has bytes after its end".into()))
        }
    }
}

#[cfg(not(feature = "messagepack"))]
mod messagepack {
    use serde::{Serialize, de::DeserializeOwned};

    use super::CodecError;

    pub(super) fn write(_: &impl Serialize, _: &mut Vec<u8>) -> Result<(), CodecError> {
        Err(CodecError::NotBuilt("messagepack"))
    }

    pub(super) fn read<T: DeserializeOwned>(_: &[u8]) -> Result<T, CodecError> {
        Err(CodecError::NotBuilt("messagepack"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_list_grows_by_items_as_they_are() {
        let list = Codec::Json.list_of(b"1");
        assert_eq!(Codec::Json.appended(&list, b"2").unwrap(), b"[1,2]");
        assert_eq!(Codec::Json.appended(b"[]", b"2").unwrap(), b"[2]");
        for no_list in [&b""[..], b"[", b"]", b"{}", b"7", b"[1] "] {
            assert_eq!(Codec::Json.appended(no_list, b"2"), None);
        }
    }

    #[test]
    fn what_an_unknown_codec_wrote_is_not_added_to_and_not_read() {
        assert_eq!(Codec::Unknown(9).appended(b"[1]", b"2"), None);
        assert!(Codec::Unknown(9).read::<u8>(b"1").unwrap_err().to_string().contains("codec 9"));
    }

    #[cfg(not(feature = "messagepack"))]
    #[test]
    fn without_the_feature_it_is_named() {
        let error = Codec::MessagePack.read::<u8>(&[1]).unwrap_err();
        assert_eq!(error.to_string(), "add the feature `messagepack` of the crate `sessions`");
    }

    #[cfg(feature = "messagepack")]
    mod messagepack {
        use std::collections::BTreeMap;

        use serde::Deserialize;

        use super::*;

        fn encoded(value: &impl Serialize) -> Vec<u8> {
            let mut bytes = Vec::new();
            Codec::MessagePack.write(value, &mut bytes).unwrap();
            bytes
        }

        #[derive(Serialize)]
        struct Before {
            gone: u8,
            stays: BTreeMap<u8, f64>,
        }

        #[derive(Debug, PartialEq, Deserialize)]
        struct After {
            #[serde(default)]
            new: u8,
            stays: BTreeMap<u8, f64>,
        }

        #[test]
        fn fields_are_found_by_their_names() {
            let stays = BTreeMap::from([(7, f64::INFINITY)]);
            let bytes = encoded(&Before { gone: 1, stays: stays.clone() });
            assert_eq!(Codec::MessagePack.read::<After>(&bytes).unwrap(), After { new: 0, stays });
        }

        #[test]
        fn a_list_grows_over_every_length_of_its_head() {
            let mut list = Codec::MessagePack.list_of(&encoded(&0_u32));
            for item in 1..70_000_u32 {
                list = if item % 1000 < 20 || item > 65_530 {
                    Codec::MessagePack.appended(&list, &encoded(&item)).unwrap()
                } else {
                    continue;
                };
                if item > 65_560 {
                    break;
                }
            }
            let read: Vec<u32> = Codec::MessagePack.read(&list).unwrap();
            assert!(read.is_sorted() && read.first() == Some(&0) && read.last() == Some(&65_561));
            let mut list = encoded(&vec![0_u8; 65_535]);
            assert_eq!(list[0], 0xdc);
            for _ in 0..2 {
                list = Codec::MessagePack.appended(&list, &[1]).unwrap();
            }
            assert_eq!((list[0], Codec::MessagePack.read::<Vec<u8>>(&list).unwrap().len()), (0xdd, 65_537));
        }

        #[test]
        fn lengths_that_lie_and_nesting_without_end_are_errors() {
            for lies in [&[0xdd, 0xff, 0xff, 0xff, 0xff][..], &[0xc6, 0xff, 0xff, 0xff, 0xff, 1], &[1, 2]] {
                assert!(Codec::MessagePack.read::<serde_json::Value>(lies).is_err());
            }
            let nested = [vec![0x91; 10_000], vec![0xc0]].concat();
            assert!(Codec::MessagePack.read::<serde_json::Value>(&nested).is_err());
        }
    }
}
