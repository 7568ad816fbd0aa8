//! Phase 5: what a handler changes, recorded as operations on keys and never as a new blob.
//!
//! The operations are kept so that they can be applied again to a newer record: requests that change different keys
//! both win, whatever order their commits come in.

use sessions_policy::OnConflict;

use crate::{
    fault::{Fault, SessionError},
    record::{Codec, Field, FieldKey, Record, Space},
};

/// One recorded change.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// Puts a JSON value under a key.
    Set { key: FieldKey, value: Box<[u8]> },
    /// Appends a JSON value to the list under a key.
    Push { key: FieldKey, item: Box<[u8]> },
    /// Removes a key.
    Remove { key: FieldKey },
    /// Removes every field.
    Clear,
    /// Removes every field that is not listed: free keys, or namespaces of typed data.
    Retain(Vec<String>),
}

/// The changes of one request to one session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    ops: Vec<Op>,
    /// The fields as the request sees them, once it has changed one.
    view: Option<Vec<Field>>,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Whether everything was cleared at some point.
    pub(crate) fn clears(&self) -> bool {
        self.ops.iter().any(|op| matches!(op, Op::Clear))
    }

    /// The fields as the request sees them.
    pub(crate) fn fields<'a>(&'a self, base: &'a [Field]) -> &'a [Field] {
        self.view.as_deref().unwrap_or(base)
    }

    /// The one door: every change goes through here.
    pub(crate) fn record(&mut self, base: &[Field], op: Op) {
        let view = self.view.get_or_insert_with(|| base.to_vec());
        apply(view, &op);
        self.ops.push(op);
    }

    /// Records a change that was computed on a copy of the fields, key by key.
    pub(crate) fn record_difference(&mut self, base: &[Field], after: Vec<Field>) {
        let before = self.fields(base).to_vec();
        for field in &before {
            if !after.iter().any(|other| other.is_same_key(field)) {
                self.record(base, Op::Remove { key: field.key() });
            }
        }
        for field in after {
            if !before.iter().any(|other| other.is_same_key(&field) && other.value() == field.value()) {
                self.record(base, Op::Set { key: field.key(), value: field.value().into() });
            }
        }
    }

    /// Drops everything recorded and starts from nothing: another principal's data is never seen.
    pub(crate) fn discard_all(&mut self) {
        self.ops.clear();
        self.ops.push(Op::Clear);
        self.view = Some(Vec::new());
    }

    /// The fields to write over `current`, and how many keys another request had changed since `base` was read.
    pub(crate) fn merge(
        &self,
        base: &Record,
        current: &Record,
        on_conflict: OnConflict,
    ) -> Result<(Vec<Field>, u64), SessionError> {
        if base.version == current.version {
            return Ok((self.fields(&base.fields).to_vec(), 0));
        }
        let mut overwritten = 0;
        let mut fields = current.fields.clone();
        for op in &self.ops {
            if let Op::Set { key, .. } | Op::Remove { key } = op
                && changed(base, current, key)
            {
                if on_conflict == OnConflict::Reject {
                    return Err(SessionError::new(
                        Fault::Conflict,
                        format!("another request changed `{}` since it was read", key.name),
                    ));
                }
                overwritten += 1;
            }
            apply(&mut fields, op);
        }
        Ok((fields, overwritten))
    }
}

fn changed(base: &Record, current: &Record, key: &FieldKey) -> bool {
    let before = base.field(key.space, &key.name).map(Field::value);
    let now = current.field(key.space, &key.name).map(Field::value);
    before != now
}

fn apply(fields: &mut Vec<Field>, op: &Op) {
    match op {
        Op::Set { key, value } => put(fields, Field::new(key, Codec::Json, value)),
        Op::Push { key, item } => {
            let list = fields.iter().find(|field| field.is(key.space, &key.name)).map(Field::value);
            let value = match list.and_then(|list| list.strip_suffix(b"]")) {
                Some([b'[']) | None => [b"[", &item[..], b"]"].concat(),
                Some(open) => [open, b",", &item[..], b"]"].concat(),
            };
            put(fields, Field::new(key, Codec::Json, &value));
        }
        Op::Remove { key } => fields.retain(|field| !field.is(key.space, &key.name)),
        Op::Clear => fields.clear(),
        Op::Retain(keys) => fields.retain(|field| {
            let name = if field.is_in(Space::Typed) {
                field.name().split('.').next().unwrap_or_default()
            } else {
                field.name()
            };
            keys.iter().any(|key| key == name)
        }),
    }
}

/// Puts a field in the place of one of the same key, or at the end.
pub(crate) fn put(fields: &mut Vec<Field>, field: Field) {
    match fields.iter_mut().find(|other| other.is_same_key(&field)) {
        Some(other) => *other = field,
        None => fields.push(field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> FieldKey {
        FieldKey { space: Space::Free, name: name.into() }
    }

    fn set(name: &str, value: &str) -> Op {
        Op::Set { key: key(name), value: value.as_bytes().into() }
    }

    fn texts(fields: &[Field]) -> Vec<String> {
        fields.iter().map(|f| format!("{}={}", f.name(), String::from_utf8_lossy(f.value()))).collect()
    }

    #[test]
    fn operations_apply_in_order() {
        let mut changes = Changes::default();
        for op in [set("a", "1"), set("b", "2"), set("a", "3"), Op::Remove { key: key("b") }] {
            changes.record(&[], op);
        }
        changes.record(&[], Op::Push { key: key("l"), item: b"\"x\"".as_slice().into() });
        changes.record(&[], Op::Push { key: key("l"), item: b"\"y\"".as_slice().into() });
        assert_eq!(texts(changes.fields(&[])), ["a=3", "l=[\"x\",\"y\"]"]);
        changes.record(&[], Op::Retain(vec!["l".to_owned()]));
        assert_eq!(texts(changes.fields(&[])), ["l=[\"x\",\"y\"]"]);
        changes.record(&[], Op::Clear);
        assert!(changes.fields(&[]).is_empty());
    }

    #[test]
    fn other_keys_survive_a_merge_and_the_same_key_is_counted() {
        let mut base = crate::record::tests::sample();
        base.fields = vec![Field::new(&key("a"), Codec::Json, b"0")];
        let mut current = base.clone();
        current.version = base.version.next();
        current.fields =
            vec![Field::new(&key("a"), Codec::Json, b"9"), Field::new(&key("other"), Codec::Json, b"1")];
        let mut changes = Changes::default();
        changes.record(&base.fields, set("mine", "5"));
        let (fields, overwritten) = changes.merge(&base, &current, OnConflict::Reject).unwrap();
        assert_eq!((texts(&fields), overwritten), (vec!["a=9".into(), "other=1".into(), "mine=5".into()], 0));
        changes.record(&base.fields, set("a", "5"));
        let (fields, overwritten) = changes.merge(&base, &current, OnConflict::LastWrite).unwrap();
        assert_eq!((texts(&fields)[0].as_str(), overwritten), ("a=5", 1));
        let refused = changes.merge(&base, &current, OnConflict::Reject).unwrap_err();
        assert_eq!(refused.fault(), Fault::Conflict);
    }
}
