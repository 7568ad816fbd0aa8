//! Phase 5: what a handler changes, recorded as operations on keys and never as a new blob.
//!
//! The operations are kept so that they can be applied again to a newer record: requests that change different keys
//! both win, whatever order their commits come in.

use std::sync::Arc;

use sessions_policy::OnConflict;

use crate::{
    fault::{Fault, SessionError},
    record::{Codec, Field, FieldKey, FieldView, Fields, Record, Space},
};

/// One recorded change.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// Puts a field in the place of one of the same key, or at the end.
    Set(Field),
    /// Appends a value, encoded by that codec, to the list under a key.
    Push { key: FieldKey, codec: Codec, item: Box<[u8]> },
    /// Removes a key.
    Remove { key: FieldKey },
    /// Removes every field.
    Clear,
    /// Removes every field that is not listed: free keys, or namespaces of typed data.
    Retain(Vec<String>),
}

impl Op {
    /// The key whose value it makes another one, whatever it was before.
    fn key(&self) -> Option<FieldKey> {
        match self {
            Self::Set(field) => Some(field.key()),
            Self::Remove { key } => Some(key.clone()),
            Self::Push { .. } | Self::Clear | Self::Retain(_) => None,
        }
    }
}

/// The changes of one request to one session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    ops: Vec<Op>,
    /// The fields as the request sees them, once it has changed one.
    view: Option<Arc<Vec<Field>>>,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Whether everything was cleared at some point.
    pub(crate) fn clears(&self) -> bool {
        self.ops.iter().any(|op| matches!(op, Op::Clear))
    }

    /// The fields as the request sees them, over those of the base, if it has one.
    pub(crate) fn fields<'a>(&'a self, base: Option<&'a Fields>) -> &'a [Field] {
        match &self.view {
            Some(view) => view,
            None => base.map_or(&[], Fields::list),
        }
    }

    /// One field as the request sees it.
    pub(crate) fn find<'a>(
        &'a self,
        base: Option<&'a Fields>,
        space: Space,
        name: &str,
    ) -> Option<FieldView<'a>> {
        match &self.view {
            Some(view) => view.iter().find(|field| field.is(space, name)).map(Field::view),
            None => base?.find(space, name),
        }
    }

    /// The fields as the request sees them, to be stored.
    pub(crate) fn to_fields(&self, base: Option<&Fields>) -> Fields {
        match &self.view {
            Some(view) => Arc::clone(view).into(),
            None => base.map_or_else(|| Vec::new().into(), Clone::clone),
        }
    }

    /// The one door: every change goes through here.
    pub(crate) fn record(&mut self, base: Option<&Fields>, op: Op) {
        let view = self.view.get_or_insert_with(|| base.map(Fields::shared).unwrap_or_default());
        apply(Arc::make_mut(view), &op);
        self.ops.push(op);
    }

    /// The recorded changes on other fields than those that they were recorded over.
    pub(crate) fn replay(&self, base: Option<&Fields>) -> Vec<Field> {
        let mut fields = base.map_or_else(Vec::new, |base| base.list().to_vec());
        for op in &self.ops {
            apply(&mut fields, op);
        }
        fields
    }

    /// Goes on over another base: what was recorded so far is seen, and will be written, on its fields.
    pub(crate) fn rebase(&mut self, base: Option<&Fields>) {
        self.view = (!self.ops.is_empty()).then(|| Arc::new(self.replay(base)));
    }

    /// Puts changes that were recorded earlier in front of these.
    pub(crate) fn prepend(&mut self, mut earlier: Self, base: Option<&Fields>) {
        earlier.ops.append(&mut self.ops);
        self.ops = earlier.ops;
        self.rebase(base);
    }

    /// Drops everything recorded and starts from nothing: another principal's data is never seen.
    pub(crate) fn discard_all(&mut self) {
        self.ops.clear();
        self.ops.push(Op::Clear);
        self.view = Some(Arc::default());
    }

    /// The fields to write over `current`, and how many keys another request had changed since `base` was read.
    pub(crate) fn merge(
        &self,
        base: &Record,
        current: &Record,
        on_conflict: OnConflict,
    ) -> Result<(Fields, u64), SessionError> {
        if base.version == current.version {
            return Ok((self.to_fields(Some(&base.fields)), 0));
        }
        let mut overwritten = 0;
        let mut fields = current.fields.clone();
        for op in &self.ops {
            if let Some(key) = op.key()
                && changed(base, current, &key)
            {
                if on_conflict == OnConflict::Reject {
                    return Err(SessionError::new(
                        Fault::Conflict,
                        format!("another request changed `{}` since it was read", key.name),
                    ));
                }
                overwritten += 1;
            }
            apply(fields.edit(), op);
        }
        Ok((fields, overwritten))
    }
}

fn changed(base: &Record, current: &Record, key: &FieldKey) -> bool {
    let before = base.field(key.space, &key.name).map(FieldView::value);
    let now = current.field(key.space, &key.name).map(FieldView::value);
    before != now
}

fn apply(fields: &mut Vec<Field>, op: &Op) {
    match op {
        Op::Set(field) => put(fields, field.clone()),
        Op::Push { key, codec, item } => push(fields, key, *codec, item),
        Op::Remove { key } => fields.retain(|field| !field.is(key.space, &key.name)),
        Op::Clear => fields.clear(),
        Op::Retain(keys) => fields.retain(|field| {
            let name = if field.is_in(Space::Free) {
                field.name()
            } else {
                field.name().split('.').next().unwrap_or_default()
            };
            keys.iter().any(|key| key == name)
        }),
    }
}

/// Appends to a list, which may be in parts. A part that can't be added to as it is stays as it is, and one more begins:
/// nothing has to be read to be added to.
fn push(fields: &mut Vec<Field>, key: &FieldKey, codec: Codec, item: &[u8]) {
    let last = fields.iter_mut().rfind(|field| field.is_part_of(key));
    if let Some((last, longer)) =
        last.and_then(|last| last.appended(codec, item).map(|longer| (last, longer)))
    {
        *last = longer;
        return;
    }
    let part = |number: usize| match number {
        1 => key.clone(),
        _ => FieldKey { name: format!("{}.{number}", key.name).into(), ..key.clone() },
    };
    let is_free = |key: &FieldKey| !fields.iter().any(|field| field.is(key.space, &key.name));
    if let Some(key) = (1..=fields.len() + 1).map(part).find(is_free) {
        fields.push(Field::new(&key, codec, &codec.list_of(item)));
    }
}

/// The changes that lead from one state of some fields to another, key by key.
pub(crate) fn difference(before: &[Field], after: Vec<Field>) -> Vec<Op> {
    let removed = before.iter().filter(|field| !after.iter().any(|other| other.is_same_key(field)));
    let mut ops: Vec<_> = removed.map(|field| Op::Remove { key: field.key() }).collect();
    let same =
        |field: &Field| before.iter().any(|other| other.is_same_key(field) && other.value() == field.value());
    ops.extend(after.into_iter().filter(|field| !same(field)).map(Op::Set));
    ops
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
        Op::Set(Field::new(&key(name), Codec::Json, value.as_bytes()))
    }

    fn texts(fields: &[Field]) -> Vec<String> {
        fields.iter().map(|f| format!("{}={}", f.name(), String::from_utf8_lossy(f.value()))).collect()
    }

    #[test]
    fn operations_apply_in_order() {
        let mut changes = Changes::default();
        for op in [set("a", "1"), set("b", "2"), set("a", "3"), Op::Remove { key: key("b") }] {
            changes.record(None, op);
        }
        changes
            .record(None, Op::Push { key: key("l"), codec: Codec::Json, item: b"\"x\"".as_slice().into() });
        changes
            .record(None, Op::Push { key: key("l"), codec: Codec::Json, item: b"\"y\"".as_slice().into() });
        assert_eq!(texts(changes.fields(None)), ["a=3", "l=[\"x\",\"y\"]"]);
        changes.record(None, Op::Retain(vec!["l".to_owned()]));
        assert_eq!(texts(changes.fields(None)), ["l=[\"x\",\"y\"]"]);
        changes.record(None, Op::Clear);
        assert!(changes.fields(None).is_empty());
    }

    #[test]
    fn a_list_of_another_codec_stays_and_a_part_of_its_own_begins() {
        let key = FieldKey { space: Space::Own, name: "l".into() };
        let unknown = Field::new(&key, Codec::Unknown(9), b"?");
        let mut fields = vec![unknown];
        let pushes: [(_, &[u8]); 4] = [
            (Codec::Json, b"1"),
            (Codec::Json, b"2"),
            (Codec::MessagePack, &[3]),
            (Codec::MessagePack, &[4]),
        ];
        for (codec, item) in pushes {
            apply(&mut fields, &Op::Push { key: key.clone(), codec, item: item.into() });
        }
        let parts: Vec<_> = fields.iter().map(|field| (field.name(), field.value())).collect();
        assert_eq!(parts, [("l", &b"?"[..]), ("l.2", b"[1,2]"), ("l.3", &[0x92, 3, 4])]);
        apply(&mut fields, &Op::Retain(vec!["l".to_owned()]));
        assert_eq!(fields.len(), 3);
    }

    #[test]
    fn other_keys_survive_a_merge_and_the_same_key_is_counted() {
        let mut base = crate::record::tests::sample();
        base.fields = vec![Field::new(&key("a"), Codec::Json, b"0")].into();
        let mut current = base.clone();
        current.version = base.version.next();
        current.fields =
            vec![Field::new(&key("a"), Codec::Json, b"9"), Field::new(&key("other"), Codec::Json, b"1")]
                .into();
        let mut changes = Changes::default();
        changes.record(Some(&base.fields), set("mine", "5"));
        let (fields, overwritten) = changes.merge(&base, &current, OnConflict::Reject).unwrap();
        assert_eq!(
            (texts(fields.list()), overwritten),
            (vec!["a=9".into(), "other=1".into(), "mine=5".into()], 0)
        );
        changes.record(Some(&base.fields), set("a", "5"));
        let (fields, overwritten) = changes.merge(&base, &current, OnConflict::LastWrite).unwrap();
        assert_eq!((texts(fields.list())[0].as_str(), overwritten), ("a=5", 1));
        let refused = changes.merge(&base, &current, OnConflict::Reject).unwrap_err();
        assert_eq!(refused.fault(), Fault::Conflict);
    }
}
