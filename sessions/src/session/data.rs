//! Typed data: a struct whose top-level fields are keys of their own, so that they merge like keys.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Policy, Session,
    access::{unreadable, unwritable},
    evolution,
};
use crate::{
    engine::mutate::{difference, put},
    fault::{Fault, SessionError},
    record::{Codec, Field, Space},
};

/// What a session's typed data has to be: implemented for every type with these traits.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a session's typed data",
    label = "not usable as session data",
    note = "derive `Default`, `serde::Serialize` and `serde::Deserialize` on the struct"
)]
pub trait SessionData: Serialize + DeserializeOwned + Default + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Default + Send + Sync + 'static> SessionData for T {}

impl<P: Policy, G> Session<P, G> {
    /// The typed data, with defaults for what was never set.
    ///
    /// # Errors
    /// [`Fault::StoreCorrupted`] if a stored field is not of its type.
    pub fn data(&self) -> Result<P::Data, SessionError> {
        decode::<P>(self.state().lock().fields())
    }

    /// Changes the typed data; every top-level field that comes out different is recorded as a key of its own.
    ///
    /// ```
    /// # use sessions::{MemoryStore, Policy, Session, SessionEngine, SessionError, SessionPolicy};
    /// # #[derive(Default, serde::Serialize, serde::Deserialize)] struct Checkout { step: u8 }
    /// # impl Policy for Checkout { const NAME: &'static str = "checkout"; type Data = Self; }
    /// fn advance(session: &mut Session<Checkout>) -> Result<u8, SessionError> {
    ///     session.modify(|checkout| { checkout.step += 1; checkout.step })
    /// }
    /// ```
    ///
    /// # Errors
    /// - [`Fault::StoreCorrupted`]: a stored field is not of its type.
    /// - [`Fault::Unusable`]: a value can't be written by the policy's codec, or the response head has been sent.
    pub fn modify<R>(&mut self, f: impl FnOnce(&mut P::Data) -> R) -> Result<R, SessionError> {
        let codec = self.state().engine.codec();
        let mut data = self.data()?;
        let before = fields_of::<P>(&data, codec)?;
        let answer = f(&mut data);
        let after = fields_of::<P>(&data, codec)?;
        let mut inner = self.state().lock();
        if inner.sent {
            return Err(SessionError::new(Fault::Unusable, super::state::SENT));
        }
        for op in difference(&before, after) {
            inner.change(op);
        }
        Ok(answer)
    }

    /// Changes the typed data exactly once, whatever other requests do: [`update`](Session::update) for typed data.
    ///
    /// # Errors
    /// As for [`update`](Session::update).
    ///
    /// # Cancel safety
    /// Dropping the future leaves the update written or not written.
    pub async fn update_data<R, F>(&self, mut f: F) -> Result<R, SessionError>
    where
        R: Send,
        F: FnMut(&mut P::Data) -> R + Send,
    {
        let (codec, mut answer) = (self.state().engine.codec(), None);
        self.change_atomically(|fields| {
            let mut data = decode::<P>(fields)?;
            let before = fields_of::<P>(&data, codec)?;
            answer = Some(f(&mut data));
            merge(fields, &before, &fields_of::<P>(&data, codec)?);
            Ok(())
        })
        .await?;
        answer.ok_or_else(|| SessionError::new(Fault::Unusable, "the update did not run"))
    }
}

/// Puts what changed between two states of the data, and nothing else.
fn merge(fields: &mut Vec<Field>, before: &[Field], after: &[Field]) {
    fields.retain(|field| {
        let was = before.iter().any(|other| other.is_same_key(field));
        !was || after.iter().any(|other| other.is_same_key(field))
    });
    for field in after {
        let same = before.iter().any(|other| other.is_same_key(field) && other.value() == field.value());
        if !same {
            put(fields, field.clone());
        }
    }
}

/// The data as fields: one for each top-level field of the struct.
fn fields_of<P: Policy>(data: &P::Data, codec: Codec) -> Result<Vec<Field>, SessionError> {
    let value = serde_json::to_value(data).map_err(|error| {
        SessionError::new(Fault::Unusable, "the data can't be written as JSON").because(error)
    })?;
    let map = match value {
        Value::Object(map) => map,
        Value::Null => Map::new(),
        _ => {
            return Err(SessionError::new(
                Fault::Unusable,
                "a session's typed data is a struct with named fields",
            ));
        }
    };
    let field = |(name, value): (String, Value)| {
        let name = format!("{}.{name}", P::NAMESPACE);
        Field::of(Space::Typed, &name, codec, &value).map_err(unwritable)
    };
    map.into_iter().map(field).collect()
}

/// The struct of its fields, over its default.
fn decode<P: Policy>(fields: &[Field]) -> Result<P::Data, SessionError> {
    let corrupted = |error: serde_json::Error| {
        SessionError::new(Fault::StoreCorrupted, "the stored data is not of the struct's types")
            .because(error)
    };
    let typed = fields.iter().filter(|field| field.is_in(Space::Typed));
    let mut own = typed
        .filter_map(|field| Some((field.name().strip_prefix(P::NAMESPACE)?.strip_prefix('.')?, field)))
        .peekable();
    if own.peek().is_none() {
        return Ok(P::Data::default());
    }
    let read = |field: &Field| field.view().read().map_err(|error| unreadable(field.name(), error));
    let mut stored = Map::new();
    for (name, field) in own {
        stored.insert(name.to_owned(), read(field)?);
    }
    let defaults = match serde_json::to_value(P::Data::default()).map_err(corrupted)? {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    evolution::read(&defaults, &stored).map_err(corrupted)
}
