//! The data of a watched session: the same operations as in a handler, and the same commit.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, sleep};

use super::{SessionWatch, watched::judge};
use crate::{
    fault::{Fault, SessionError},
    session::{Session, Untyped},
    store::SessionStore,
};

impl SessionWatch {
    /// Reads a value as it is stored now, with what was recorded here over it; `None` if there is none under the key. One
    /// read of the store.
    ///
    /// # Errors
    /// - [`Fault::Gone`]: the session has ended.
    /// - [`Fault::StoreUnavailable`]: the store can't tell.
    /// - [`Fault::StoreCorrupted`]: the stored value is not a `T`.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        self.refresh().await?;
        self.session().get(key)
    }

    /// The keys that hold a value now. One read of the store.
    ///
    /// # Errors
    /// As for [`get`](Self::get), but for the value's.
    pub async fn keys(&self) -> Result<Vec<String>, SessionError> {
        self.refresh().await?;
        Ok(self.session().keys())
    }

    /// Records a value under a key. Nothing is written before [`commit`](Self::commit) or [`update`](Self::update): a socket
    /// has no response that would be ready.
    ///
    /// # Errors
    /// - [`Fault::Gone`]: the session has ended.
    /// - [`Fault::Unusable`]: the value can't be written by the policy's codec.
    #[doc(alias = "insert")]
    pub fn set(&self, key: &str, value: impl Serialize) -> Result<(), SessionError> {
        self.check()?;
        self.session().set(key, value)
    }

    /// Records that a key is removed, as [`set`](Self::set) records a value.
    ///
    /// # Errors
    /// [`Fault::Gone`]: the session has ended.
    #[doc(alias = "delete")]
    pub fn remove(&self, key: &str) -> Result<(), SessionError> {
        self.check()?;
        self.session().remove(key)
    }

    /// Writes what is recorded. It is a change of the session, and counts as activity of it.
    ///
    /// # Errors
    /// As for [`Session::commit`]; and [`Fault::Locked`] under `on_conflict = "serial"`, where a request has the session to
    /// itself for longer than `serial.wait`.
    ///
    /// # Cancel safety
    /// All of it is written, or nothing, and then it stays recorded.
    #[doc(alias = "save")]
    pub async fn commit(&self) -> Result<(), SessionError> {
        self.check()?;
        if !self.shared.state.lock().has_changes() {
            return Ok(());
        }
        let until = self.patience();
        loop {
            let written = self.engine().commit_early(&self.shared.state).await;
            if !self.waits_for_its_turn(&written, until).await? {
                return self.settle(written);
            }
        }
    }

    /// Changes a value depending on what it is, exactly once, whatever requests and other sockets do, and writes it at once,
    /// with what was recorded before: see [`Session::update`].
    ///
    /// # Errors
    /// As for [`Session::update`] and [`commit`](Self::commit).
    ///
    /// # Cancel safety
    /// As for [`Session::update`].
    pub async fn update<T, R, F>(&self, key: &str, mut f: F) -> Result<R, SessionError>
    where
        T: Default + Serialize + DeserializeOwned,
        R: Send,
        F: FnMut(&mut T) -> R + Send,
    {
        self.check()?;
        let until = self.patience();
        loop {
            let written = self.session().update(key, &mut f).await;
            if !self.waits_for_its_turn(&written, until).await? {
                return self.settle(written);
            }
        }
    }

    /// Ends the session, here and everywhere: its record is removed, and this watch ends with
    /// [`SessionEnding::LoggedOut`](super::SessionEnding::LoggedOut), as do all others of the session. No cookie can be
    /// cleared from here: what the client still has opens nothing.
    ///
    /// # Errors
    /// [`Fault::StoreUnavailable`]: the store could not say that it has ended.
    ///
    /// # Cancel safety
    /// The session is ended or not.
    pub async fn logout(&self) -> Result<(), SessionError> {
        if self.ending().is_some_and(|ending| ending.fault() != Some(Fault::StoreUnavailable)) {
            return Ok(());
        }
        let mut session = self.session();
        session.clear_authentication();
        session.clear_data();
        let ended = self.engine().commit_early(&self.shared.state).await;
        if self.ending().is_none() {
            // Whoever else ended it: it is looked at why.
            self.engine().shared.hub.ask(&self.shared.watched);
        }
        ended
    }

    /// Reads the session as it is stored now.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn refresh(&self) -> Result<(), SessionError> {
        self.check()?;
        let (engine, watched) = (self.engine(), &self.shared.watched);
        let Some(store) = engine.store() else { return Ok(()) };
        let now = engine.shared.time.now();
        let loaded = store.load(watched.id, now).await.map_err(|error| engine.store_failed(error))?;
        match judge(engine, &watched.record(), loaded, now) {
            Ok(record) => {
                self.take_over(record);
                Ok(())
            }
            Err(ending) => {
                watched.end(ending);
                self.check()
            }
        }
    }

    fn session(&self) -> Session<Untyped> {
        Session::from_state(self.shared.state.clone())
    }

    /// Refuses what comes after the ending.
    fn check(&self) -> Result<(), SessionError> {
        match self.ending() {
            None => Ok(()),
            Some(ending) => Err(SessionError::new(Fault::Gone, ending.to_string())),
        }
    }

    /// Until when a write may wait for a request that has the session to itself (`on_conflict = "serial"`).
    fn patience(&self) -> Instant {
        Instant::now() + self.policy().serial().map(|serial| serial.wait()).unwrap_or_default()
    }

    /// Waits a little where a write was refused because a request has the session to itself, and tells whether it was.
    async fn waits_for_its_turn<T>(
        &self,
        written: &Result<T, SessionError>,
        until: Instant,
    ) -> Result<bool, SessionError> {
        let is_locked = written.as_ref().is_err_and(|error| error.fault() == Fault::Locked);
        if !is_locked || Instant::now() >= until {
            return Ok(false);
        }
        sleep(Duration::from_millis(rand::random_range(5..=25))).await;
        self.refresh().await?;
        Ok(true)
    }

    /// Takes over what a write came to. One that met an ended session learns why.
    fn settle<T>(&self, written: Result<T, SessionError>) -> Result<T, SessionError> {
        let record = self.shared.state.lock().base.as_ref().map(|base| base.record.clone());
        let Some(record) = record else {
            // Another of its clones met the end: what was recorded went nowhere.
            self.engine().shared.hub.ask(&self.shared.watched);
            return written.and_then(|_| Err(SessionError::new(Fault::Gone, "the session has ended")));
        };
        self.shared.watched.adopt(&record);
        if written.as_ref().is_err_and(|error| error.fault() == Fault::Gone) {
            self.engine().shared.hub.ask(&self.shared.watched);
        }
        written
    }
}
