//! What goes into statements and comes out of rows. A parameter is never printed: the driver would log it.

use std::{fmt, sync::Arc};

use bytes::BytesMut;
use tokio_postgres::{
    Row,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use super::{
    clock::Micros,
    failure::{Failure, Server},
};
use crate::store::{
    self, EndReason, Millis, Owner, SessionId, Stored, TOMBSTONE_MS, Version, audience::Word,
};

type Fault = Box<dyn std::error::Error + Sync + Send>;

/// A parameter of a statement.
pub(super) enum Value<'a> {
    Bytes(Option<&'a [u8]>),
    Key([u8; 18]),
    Long(Option<i64>),
    Int(i32),
    Short(i16),
    Text(&'a str),
    Texts(&'a [String]),
    Until(Micros),
}

impl Value<'_> {
    pub(super) fn long(value: u64) -> Self {
        Self::Long(Some(number(value)))
    }

    /// The type of the statement's parameter.
    pub(super) fn kind(&self) -> Type {
        match self {
            Self::Bytes(_) | Self::Key(_) => Type::BYTEA,
            Self::Long(_) => Type::INT8,
            Self::Int(_) => Type::INT4,
            Self::Short(_) => Type::INT2,
            Self::Text(_) => Type::TEXT,
            Self::Texts(_) => Type::TEXT_ARRAY,
            Self::Until(_) => Type::TIMESTAMPTZ,
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match self {
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
            Self::Key(key) => key.as_slice().to_sql(kind, out),
            Self::Long(long) => long.to_sql(kind, out),
            Self::Int(int) => int.to_sql(kind, out),
            Self::Short(short) => short.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Texts(texts) => texts.to_sql(kind, out),
            // As a number of microseconds it has the same bytes.
            Self::Until(micros) => micros.to_sql(&Type::INT8, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        [Type::BYTEA, Type::INT8, Type::INT4, Type::INT2, Type::TEXT, Type::TEXT_ARRAY, Type::TIMESTAMPTZ]
            .contains(kind)
    }

    to_sql_checked!();
}

/// An instant of the server's clock in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Showed(pub(super) Micros);

impl<'a> FromSql<'a> for Showed {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        i64::from_sql(&Type::INT8, raw).map(Self)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }
}

/// An id as a key: 2 bytes of bucket, 16 of sid.
pub(super) fn key(id: SessionId) -> [u8; 18] {
    let mut key = [0; 18];
    key[..2].copy_from_slice(&id.bucket().to_be_bytes());
    key[2..].copy_from_slice(id.sid());
    key
}

/// A number of milliseconds, or a stamp: what is beyond the range is never, or last.
pub(super) fn number(value: u64) -> i64 {
    // Room for a tombstone's time after the last one.
    i64::try_from(value).unwrap_or(i64::MAX).min(i64::MAX - TOMBSTONE_MS.cast_signed())
}

pub(super) fn version(version: Version) -> i64 {
    version.as_u64().cast_signed()
}

/// The instant of last use that a record states.
pub(super) fn last_seen(record: &[u8]) -> i64 {
    number(store::last_seen(record))
}

pub(super) fn code(reason: EndReason) -> i16 {
    match reason {
        EndReason::LoggedOut => 1,
        EndReason::Revoked => 2,
        EndReason::Evicted => 3,
        EndReason::Expired => 4,
        EndReason::Superseded => 5,
        EndReason::Reuse => 6,
    }
}

/// Reads the columns of a row.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    row: &'a Row,
    server: &'a Server,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a Row, server: &'a Server) -> Self {
        Self { row, server }
    }

    pub(super) fn get<T: FromSql<'a>>(&self, column: &str) -> Result<T, Failure> {
        self.row.try_get(column).map_err(|_| self.damaged(column))
    }

    fn damaged(&self, column: &str) -> Failure {
        Failure::damaged(self.server, column)
    }

    /// Why a session has ended, if it has.
    pub(super) fn reason(&self, column: &str) -> Result<Option<EndReason>, Failure> {
        Ok(Some(match self.get::<Option<i16>>(column)? {
            None => return Ok(None),
            Some(1) => EndReason::LoggedOut,
            Some(2) => EndReason::Revoked,
            Some(3) => EndReason::Evicted,
            Some(4) => EndReason::Expired,
            Some(5) => EndReason::Superseded,
            Some(6) => EndReason::Reuse,
            Some(_) => return Err(self.damaged(column)),
        }))
    }

    /// A record with the instant at which it was last seen.
    pub(super) fn stored(&self, record: &str, seen: &str) -> Result<Stored, Failure> {
        let record: Arc<[u8]> = self.get::<&[u8]>(record)?.into();
        Ok(Stored { record, last_seen: Millis::try_from(self.get::<i64>(seen)?).unwrap_or(0) })
    }

    pub(super) fn instant(&self, column: &str) -> Result<Millis, Failure> {
        Ok(Millis::try_from(self.get::<i64>(column)?).unwrap_or(0))
    }

    pub(super) fn owner(&self, column: &str) -> Result<Option<Owner>, Failure> {
        let Some(digest) = self.get::<Option<&[u8]>>(column)? else { return Ok(None) };
        let digest = digest.try_into().map_err(|_| self.damaged(column))?;
        Ok(Some(Owner::from_digest(digest)))
    }

    pub(super) fn id(&self, column: &str) -> Result<SessionId, Failure> {
        id_of(self.get(column)?).ok_or_else(|| self.damaged(column))
    }

    pub(super) fn ids(&self, column: &str) -> Result<Vec<SessionId>, Failure> {
        let keys: Vec<&[u8]> = self.get(column)?;
        keys.into_iter().map(|key| id_of(key).ok_or_else(|| self.damaged(column))).collect()
    }
}

/// What a word on the channel of endings says.
pub(super) fn heard(word: &str) -> Option<Word> {
    let (id, version) = word.split_once(':')?;
    let digits = id.as_bytes().chunks(2).map(std::str::from_utf8);
    let key: Option<Vec<u8>> = digits.map(|pair| u8::from_str_radix(pair.ok()?, 16).ok()).collect();
    Word::of(id_of(&key?)?, version.as_bytes())
}

/// The id of a key that was read.
fn id_of(key: &[u8]) -> Option<SessionId> {
    let (bucket, sid) = key.split_first_chunk::<2>()?;
    Some(SessionId::new(u16::from_be_bytes(*bucket), sid.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_key_in_digits() {
        let (id, sid) = (SessionId::new(4_253, [7; 16]), "07".repeat(16));
        assert_eq!(heard(&format!("109d{sid}:")), Some(Word::Ended(id)));
        let version = Version::of_record(&[0, 0, 0, 1, 0, 0, 0, 0xfe]);
        assert_eq!(heard(&format!("109d{sid}:00000001000000fe")), Some(Word::Written(id, version)));
        for other in ["", "10", ":", "109d:", "zz:", "é:", &format!("109d{sid}"), &format!("109d{sid}07:")] {
            assert_eq!(heard(other), None);
        }
    }

    #[test]
    fn no_parameter_is_printed() {
        let values = [
            Value::Bytes(Some(b"hunter2")),
            Value::Key([7; 18]),
            Value::long(7),
            Value::Int(7),
            Value::Short(7),
        ];
        assert_eq!(format!("{values:?}"), "[…, …, …, …, …]");
    }
}
