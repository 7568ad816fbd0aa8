//! Keys and values, flash messages, instants, and the atomic update.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Session,
    state::{Inner, SENT},
};
use crate::{
    engine::mutate::{Op, put},
    event::{EventKind, instant},
    fault::{Fault, SessionError},
    observe,
    record::{Binding, CodecError, Field, FieldKey, FieldView, Space},
    token::Handle,
};

const FLASH: &str = "flash";

impl<P, G> Session<P, G> {
    /// Reads a value; `None` if there is none under the key.
    ///
    /// # Errors
    /// [`Fault::StoreCorrupted`] if the stored value is not a `T`. The other keys stay readable.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        self.read(Space::Free, key)
    }

    /// Whether there is a value under a key.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.state.lock().find(Space::Free, key).is_some()
    }

    /// The keys that hold a value, in the order in which they were first set.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let inner = self.state.lock();
        let free = inner.fields().iter().filter(|field| field.is_in(Space::Free));
        free.map(|field| field.name().to_owned()).collect()
    }

    /// Records a value under a key, to be written when the response is ready.
    ///
    /// If another request changes the same key meanwhile, the policy's `on_conflict` says what happens; other keys are
    /// never in each other's way. To change a value depending on what it was, use [`update`](Self::update).
    ///
    /// # Errors
    /// - [`Fault::Unusable`]: the value can't be written by the policy's codec, or the response head has been sent.
    #[doc(alias = "insert")]
    pub fn set(&mut self, key: &str, value: impl Serialize) -> Result<(), SessionError> {
        let field = Field::of(Space::Free, key, self.state.engine.codec(), &value).map_err(unwritable)?;
        self.record(Op::Set(field))
    }

    /// Records that a key is removed.
    ///
    /// # Errors
    /// [`Fault::Unusable`]: the response head has been sent.
    #[doc(alias = "delete")]
    pub fn remove(&mut self, key: &str) -> Result<(), SessionError> {
        self.record(Op::Remove { key: free(key) })
    }

    /// Records that all data is removed: keys, typed data and flash messages. An anonymous session ends by it.
    #[doc(alias("clear", "flush"))]
    pub fn clear_data(&mut self) {
        let mut inner = self.state.lock();
        if inner.is_open() {
            inner.change(Op::Clear);
        }
    }

    /// Changes a value depending on what it is, exactly once, whatever other requests do.
    ///
    /// What is recorded so far is written together with it in one step; a login or a rotation, just before it. Where another
    /// request was faster, `f` runs again on the newer value, so it must be free of side effects; what it returned for the version that was written is
    /// returned. A missing value starts as `T::default()`. What was written stands even if the handler then fails. On a
    /// session that no one else can know yet, nothing is sent before the commit.
    ///
    /// # Errors
    /// - [`Fault::Gone`]: the session has ended meanwhile. - [`Fault::StoreUnavailable`]: the store can't tell whether it
    ///   was written. - [`Fault::StoreCorrupted`]: the stored value is not a `T`. - [`Fault::TooLarge`],
    ///   [`Fault::Conflict`], [`Fault::Unusable`]: as for [`commit`](Self::commit).
    ///
    /// # Cancel safety
    /// Dropping the future leaves the update written or not written. What was recorded before it stays recorded for the
    /// next commit, also if it was written with it: a flash message may then be there twice.
    ///
    /// ```
    /// # use sessions::{SessionEngine, MemoryStore, SessionPolicy};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessions::SessionError> {
    /// # let engine = SessionEngine::new(SessionPolicy::user_default(), MemoryStore::new(100));
    /// # let session = engine.resolve(&http::Request::new(())).await?;
    /// let visits = session.update("visits", |n: &mut u64| { *n += 1; *n }).await?;
    /// assert_eq!(visits, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update<T, R, F>(&self, key: &str, mut f: F) -> Result<R, SessionError>
    where
        T: Default + Serialize + DeserializeOwned,
        R: Send,
        F: FnMut(&mut T) -> R + Send,
    {
        let (key, codec) = (free(key), self.state.engine.codec());
        let mut answer = None;
        self.change_atomically(|fields, binding| {
            let mut value: T = find(fields, &key)
                .map(|field| decode(&key.name, field.view(), binding))
                .transpose()?
                .unwrap_or_default();
            answer = Some(f(&mut value));
            put(fields, Field::of(key.space, &key.name, codec, &value).map_err(unwritable)?);
            Ok(())
        })
        .await?;
        answer.ok_or_else(|| SessionError::new(Fault::Unusable, "the update did not run"))
    }

    /// Takes a value out: of all requests that take it, exactly one gets it.
    ///
    /// # Errors
    /// As for [`update`](Self::update).
    pub async fn take<T>(&self, key: &str) -> Result<Option<T>, SessionError>
    where
        T: DeserializeOwned + Send,
    {
        self.take_field(free(key)).await
    }

    /// Records a message for the next page that reads [`flashes`](Self::flashes).
    ///
    /// # Errors
    /// [`Fault::Unusable`]: the message can't be written by the policy's codec, or the response head has been sent.
    pub fn flash(&mut self, message: impl Serialize) -> Result<(), SessionError> {
        let (codec, mut item) = (self.state.engine.codec(), Vec::new());
        codec.write(&message, &mut item).map_err(unwritable)?;
        self.record(Op::Push { key: own(FLASH), codec, item: item.into() })
    }

    /// Takes the messages out: each is returned once, over all requests.
    ///
    /// # Errors
    /// As for [`update`](Self::update).
    pub async fn flashes<T>(&self) -> Result<Vec<T>, SessionError>
    where
        T: DeserializeOwned + Send,
    {
        let key = own(FLASH);
        if self.state.lock().find(key.space, &key.name).is_none() {
            return Ok(Vec::new());
        }
        let mut taken = Vec::new();
        self.change_atomically(|fields, binding| {
            taken.clear();
            for part in fields.iter().filter(|field| field.is_part_of(&key)) {
                taken.append(&mut decode::<Vec<T>>(FLASH, part.view(), binding)?);
            }
            fields.retain(|field| !field.is_part_of(&key));
            Ok(())
        })
        .await?;
        Ok(taken)
    }

    /// Writes what is recorded so far, before the response is ready.
    ///
    /// # Errors
    /// As for [`SessionEngine::commit`](crate::SessionEngine::commit).
    ///
    /// # Cancel safety
    /// All of it is written, or nothing, and what was recorded stays recorded for the next commit. What gives the session
    /// another id, or its first one, goes on by itself, and the next commit waits for it.
    #[doc(alias = "save")]
    pub async fn commit(&self) -> Result<(), SessionError> {
        if self.state.lock().sent {
            return Err(SessionError::new(Fault::Unusable, SENT));
        }
        self.state.engine.commit_early(&self.state).await
    }

    /// The public name of the session: stable over rotation, no credential. `None` while nothing is stored.
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        self.state.lock().record().map(|record| record.handle)
    }

    /// Whether nothing is stored of it yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.state.lock().base.is_none()
    }

    /// When it began.
    #[must_use]
    pub fn created_at(&self) -> Option<DateTime<Utc>> {
        self.state.lock().record().map(|record| instant(record.created))
    }

    /// When it was last active before this request, as precisely as the policy's `touch_every` notes it; with `activity =
    /// "change"`, when it was last changed.
    #[must_use]
    pub fn last_seen_at(&self) -> Option<DateTime<Utc>> {
        self.state.lock().record().map(|record| instant(record.last_seen))
    }

    /// When it ends if it is not used again.
    #[must_use]
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        let inner = self.state.lock();
        inner.record().map(|record| instant(self.state.engine.expires(record)))
    }

    /// When its principal last logged in or confirmed who it is.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<DateTime<Utc>> {
        self.state.lock().record().and_then(|record| record.authenticated).map(instant)
    }

    /// Whether the login is at most so old (ASVS 7.5.3).
    #[must_use]
    pub fn is_fresh(&self, within: Duration) -> bool {
        self.state.engine.is_fresh(&self.state.lock(), within)
    }

    fn record(&self, op: Op) -> Result<(), SessionError> {
        observe::enter!("session.mutate", self.state.engine);
        let mut inner = self.state.lock();
        if inner.sent {
            let error = SessionError::new(Fault::Unusable, SENT);
            self.state.engine.tell_not_written(&inner, &error);
            return Err(error);
        }
        inner.change(op);
        Ok(())
    }

    fn read<T: DeserializeOwned>(&self, space: Space, name: &str) -> Result<Option<T>, SessionError> {
        let inner = self.state.lock();
        let Some(field) = inner.find(space, name) else { return Ok(None) };
        let value = decode(name, field, self.state.engine.binding(inner.id()));
        if value.is_err() {
            self.corrupted(&inner);
        }
        value.map(Some)
    }

    fn corrupted(&self, inner: &Inner) {
        self.state.engine.event(EventKind::Corrupted, |event| {
            if let Some(record) = inner.record() {
                event.of(record);
            }
            event.fault = Some(Fault::StoreCorrupted);
            event.reason = Some("value");
        });
    }

    async fn take_field<T: DeserializeOwned + Send>(&self, key: FieldKey) -> Result<Option<T>, SessionError> {
        if self.state.lock().find(key.space, &key.name).is_none() {
            return Ok(None);
        }
        let mut taken = None;
        self.change_atomically(|fields, binding| {
            taken = find(fields, &key).map(|field| decode(&key.name, field.view(), binding)).transpose()?;
            fields.retain(|field| !field.is(key.space, &key.name));
            Ok(())
        })
        .await?;
        Ok(taken)
    }

    pub(super) async fn change_atomically<F>(&self, change: F) -> Result<(), SessionError>
    where
        F: FnMut(&mut Vec<Field>, Binding<'_>) -> Result<(), SessionError> + Send,
    {
        let update = self.state.engine.update_state(&self.state, change);
        observe::instrument(update, observe::span!("session.mutate", self.state.engine)).await
    }
}

fn free(name: &str) -> FieldKey {
    FieldKey { space: Space::Free, name: name.into() }
}

fn own(name: &str) -> FieldKey {
    FieldKey { space: Space::Own, name: name.into() }
}

fn find<'a>(fields: &'a [Field], key: &FieldKey) -> Option<&'a Field> {
    fields.iter().find(|field| field.is(key.space, &key.name))
}

pub(super) fn unwritable(error: CodecError) -> SessionError {
    SessionError::new(Fault::Unusable, "the value can't be written by the policy's codec").because(error)
}

fn decode<T: DeserializeOwned>(
    name: &str,
    field: FieldView<'_>,
    binding: Binding<'_>,
) -> Result<T, SessionError> {
    field.read(binding).map_err(|error| unreadable(name, error))
}

/// What a field says that can't be read: what to do about it where something can be done, else that it is of another type.
pub(super) fn unreadable(name: &str, error: CodecError) -> SessionError {
    let detail = if error.is_about_the_type() {
        format!("the value of `{name}` is not of the type that was asked for")
    } else {
        format!("the value of `{name}` can't be read: {error}")
    };
    SessionError::new(Fault::StoreCorrupted, detail).because(error)
}
