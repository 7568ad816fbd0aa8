//! Changes a session in place: one compare-and-set, repeated on a newer record as often as others were faster.

use std::sync::Arc;

use super::{Done, Work};
use crate::{
    clock::millis,
    engine::{
        SessionEngine,
        copies::Noted,
        note::Says,
        turn,
        validate::{Standing, standing},
    },
    event::{EventKind, SessionEvent},
    fault::{Fault, SessionError},
    observe,
    principal::SessionPrincipal,
    record::{Binding, Field, Fields, Part, Previous, Record, Retirement},
    session::state::Base,
    soon::Soon,
    store::{Cas, CasOutcome, Expected, Millis, SharedStore, StoreError, Stored},
    token::{SessionId, Token},
    watch::{SessionEnding, is_ticket},
};

/// How often a write is tried against writers of other processes, should the time limit not end it before.
///
/// So many because luck is not shared fairly: a process that writes without a pause knows the newest record as soon as
/// it has written, one that lost learns it in the same trip and comes second again, in lockstep, until the other rests.
const ATTEMPTS: u32 = 1_024;

/// How often a new id is minted when one is taken: with 128 random bits, one that is taken is a broken generator.
const MINTS: u32 = 3;

/// What a rewrite makes of the current record.
pub(super) struct Next {
    pub(super) record: Record,
    /// What opens it from now on, if that changed.
    pub(super) token: Option<Token>,
    /// Whether someone asked for it: what time asks for is no activity.
    pub(super) asked: bool,
    /// What it means beside the change itself.
    pub(super) says: Says,
}

/// A write that the store was asked for, and what holds if it says yes.
struct Attempt<'a> {
    record: Arc<Record>,
    /// What opens it from then on, if that changed.
    token: Option<Token>,
    seen: Noted,
    outcome: Soon<'a, Result<CasOutcome, StoreError>>,
}

impl SessionEngine {
    /// Stores a session that no one knows yet.
    pub(super) async fn create(&self, work: &Work) -> Result<Done, SessionError> {
        self.create_with(work, work.changes.to_fields(None), None).await
    }

    /// Stores a session of these fields, which may come `from` another one, that no one knows yet.
    pub(super) async fn create_with(
        &self,
        work: &Work,
        fields: Fields,
        from: Option<SessionId>,
    ) -> Result<Done, SessionError> {
        let Some(store) = &self.shared.store else { return Ok(Done::Nothing) };
        for _ in 0..MINTS {
            let token = Token::mint(&*self.shared.entropy, None)?;
            let mut record = self.new_record(&token, token.id.handle(), work);
            record.fields.clone_from(&fields);
            record.agent = work.client.agent_text();
            record.address = work.client.address;
            self.check_size(&record)?;
            self.seal_fields(&mut record, from, token.id)?;
            let cas = Cas {
                id: token.id,
                owner: None,
                expected: Expected::Absent,
                announced: false,
                record: record.encode(&self.shared.name),
                expires: self.shared.lifetimes.expires(&record),
                now: work.now,
                deadline: self.write_deadline(work.now),
            };
            let created = |event: &mut SessionEvent| {
                event.of(&record);
                event.reason = Some("data");
            };
            let notes = self.notes(|notes| notes.event(EventKind::Created, created));
            let outcome = store.cas_soon(cas, notes).await;
            match outcome.map_err(|error| self.store_failed(error))? {
                CasOutcome::Stored => {
                    self.event(EventKind::Created, created);
                    let digest = record.digest;
                    let record = Arc::new(record);
                    let base =
                        Base { token, digest, record, by_previous: false, on_socket: false, hold: None };
                    return Ok(Done::Stored { base, issue: true });
                }
                CasOutcome::Conflict(_) | CasOutcome::Gone(_) => {}
                CasOutcome::Late => return Err(late()),
                CasOutcome::Full => return Err(full()),
            }
        }
        Err(SessionError::new(Fault::RotationFailed, "every new session id was taken already"))
    }

    /// Writes recorded changes, a rotation that is due, and the first use of a successor; else notes the use.
    pub(super) fn write(
        &self,
        work: &Work,
        base: &Base,
    ) -> impl Future<Output = Result<Done, SessionError>> + Send {
        self.write_with(work, base, None::<fn(&mut Vec<Field>, Binding<'_>) -> Result<(), SessionError>>)
    }

    /// The same, with a change that is computed from the fields as they are when it is written.
    pub(super) async fn write_with<F>(
        &self,
        work: &Work,
        base: &Base,
        mut update: Option<F>,
    ) -> Result<Done, SessionError>
    where
        F: FnMut(&mut Vec<Field>, Binding<'_>) -> Result<(), SessionError> + Send,
    {
        let due = !base.on_socket && self.rotation_is_due(&base.record, base.by_previous, work.now);
        let first_use = !base.by_previous
            && !base.on_socket
            && base.record.previous.as_ref().is_some_and(|previous| !previous.successor_used);
        let remember = work.remember.is_some_and(|remember| remember != base.record.remembered);
        let asked = !work.changes.is_empty() || work.rotate || remember || update.is_some();
        // What tells the client anything is written, so that an id that was superseded meanwhile is never sent.
        let tells = due || first_use || base.by_previous || self.cookie_is_due(&base.record, work.now);
        if !asked && !tells {
            return Ok(self.touch(base, work.now).await);
        }
        let loaded = Arc::clone(&base.record);
        let mut overwritten = 0;
        let done = self
            .rewrite(base, work.now, |current, by_previous| {
                let due = !base.on_socket && self.rotation_is_due(current, by_previous, work.now);
                if !asked && !due && by_previous && current.version != loaded.version {
                    return Ok(None);
                }
                let merged = work.changes.merge(&loaded, current, self.shared.policy.on_conflict())?;
                overwritten = merged.1;
                let mut next = current.with_fields(merged.0);
                if let Some(update) = &mut update {
                    update(next.fields.edit(), self.binding(Some(base.token.id)))?;
                }
                if let Some(remember) = work.remember {
                    self.set_remembered(&mut next, remember);
                }
                let token = if work.rotate {
                    Some(self.rotate_now(&mut next, base, work.now)?)
                } else {
                    if due {
                        self.rotate_by_time(&mut next, base, work.now)?;
                    } else if !by_previous
                        && !base.on_socket
                        && let Some(previous) = &mut next.previous
                    {
                        previous.successor_used = true;
                    }
                    None
                };
                Ok(Some(Next { record: next, token, asked, says: Says::Nothing }))
            })
            .await;
        let done = match done {
            // Nobody asked for this write: a request that only read is not refused.
            Err(error) if !asked && error.fault() == Fault::Conflict => return Ok(Done::Nothing),
            Err(error) if !asked && error.fault() == Fault::Gone => return Ok(Done::Ended { here: false }),
            done => done?,
        };
        if work.rotate {
            self.shared.hub.end(&[base.token.id], SessionEnding::Superseded);
        }
        if overwritten > 0 {
            self.event(EventKind::Overwritten, |event| {
                event.of(&loaded);
                event.count = overwritten;
            });
        }
        if !work.changes.is_empty() || update.is_some() {
            self.event(EventKind::Committed, |event| event.of(&loaded));
        }
        Ok(self.after_rewrite(&loaded, done))
    }

    /// The same principal confirms who it is: lifetimes start anew, the id changes at once, data and handle stay.
    pub(super) async fn confirm(
        &self,
        work: &Work,
        base: &Base,
        principal: &SessionPrincipal,
    ) -> Result<Done, SessionError> {
        let loaded = Arc::clone(&base.record);
        let encoded = Part::from(principal.encode());
        let done = self
            .rewrite(base, work.now, |current, _| {
                let merged = work.changes.merge(&loaded, current, self.shared.policy.on_conflict())?;
                let mut next = current.with_fields(merged.0);
                next.principal = Some(encoded.clone());
                next.authenticated = Some(work.now);
                next.started = work.now;
                self.set_remembered(&mut next, work.remember.unwrap_or(current.remembered));
                let token = self.rotate_now(&mut next, base, work.now)?;
                Ok(Some(Next { record: next, token: Some(token), asked: true, says: Says::Confirmed }))
            })
            .await?;
        self.shared.hub.end(&[base.token.id], SessionEnding::Superseded);
        self.event(EventKind::Authenticated, |event| {
            event.handle = Some(loaded.handle);
            event.of_principal(principal);
            event.reason = Some("confirmation");
        });
        Ok(self.after_rewrite(&loaded, done))
    }

    /// Whether this use prolongs a cookie that the client keeps.
    fn cookie_is_due(&self, record: &Record, now: Millis) -> bool {
        let lifetimes = &self.shared.lifetimes;
        self.is_persistent_cookie(record)
            && lifetimes.is_renewed_by_use(record)
            && lifetimes.touch_is_due(record, now)
    }

    fn after_rewrite(&self, loaded: &Record, base: Base) -> Done {
        let rotated = base.record.rotated != loaded.rotated || !base.record.digest.matches(&loaded.digest);
        if rotated {
            self.event(EventKind::Rotated, |event| {
                event.of(loaded);
                event.reason = Some(base.record.rotation());
            });
        }
        let issue = rotated
            || base.by_previous
            || base.record.remembered != loaded.remembered
            || (self.is_persistent_cookie(&base.record)
                && self.shared.lifetimes.is_renewed_by_use(&base.record));
        Done::Stored { base, issue }
    }

    /// Reads, changes and writes until no other writer was faster.
    ///
    /// `change` sees the current record and whether the client's secret is the previous one in it, and gives the record
    /// to store, or nothing where there is nothing (more) to write.
    pub(super) async fn rewrite(
        &self,
        base: &Base,
        now: Millis,
        mut change: impl FnMut(&Record, bool) -> Result<Option<Next>, SessionError> + Send,
    ) -> Result<Base, SessionError> {
        let Some(store) = &self.shared.store else { return Ok(base.clone()) };
        observe::handle(base.record.handle);
        let mut current = Arc::clone(&base.record);
        let mut by_previous = base.by_previous;
        let mut turn = None;
        for attempt in 0..ATTEMPTS {
            let sent = if attempt == 0 { now } else { self.shared.time.now() };
            let change_it = |current: &_| change(current, by_previous);
            let asked = self.attempt(store, base, (&current, change_it), (now, sent))?;
            let Some(Attempt { record, token, seen, outcome }) = asked else {
                return Ok(Base { record: current, by_previous, ..base.clone() });
            };
            match outcome.await.map_err(|error| self.store_failed(error))? {
                CasOutcome::Stored => {
                    self.keep_written(base.token.id, &record, seen);
                    return Ok(written(base, record, token));
                }
                CasOutcome::Conflict(stored) => {
                    // Boxed: waiting is rare, and its futures are large.
                    if turn.is_none() {
                        turn = Some(Box::pin(self.shared.queue.turn(base.token.id)).await);
                    }
                    // At once: a conflict means that someone has written, one a process tries, and whoever waits now
                    // comes with a record that is old again.
                    (current, by_previous) = self.look_again(base, &stored, now)?;
                    if base.hold.as_ref().is_some_and(|hold| !hold.allows(&current)) {
                        // Merging would be what turns are there to prevent.
                        return Err(turn::run_out());
                    }
                }
                CasOutcome::Gone(_) => {
                    self.shared.hub.near.ended(base.token.id);
                    return Err(self.gone("the session ended while the request was under way"));
                }
                CasOutcome::Late => return Err(late()),
                CasOutcome::Full => return Err(full()),
            }
        }
        Err(SessionError::new(Fault::Conflict, "other requests kept changing the session"))
    }

    /// Asks the store once for what takes the place of the current record; `None` where nothing has to be written.
    ///
    /// Not in the future of the write, which would hold each of its parts and be too large for the allocator's fast path.
    fn attempt<'a>(
        &self,
        store: &'a SharedStore,
        base: &Base,
        (current, change): (&Record, impl FnOnce(&Record) -> Result<Option<Next>, SessionError>),
        (now, sent): (Millis, Millis),
    ) -> Result<Option<Attempt<'a>>, SessionError> {
        let Some(Next { record, token, asked, says }) = change(current)? else { return Ok(None) };
        let record = self.successor(base, current, (record, asked), now)?;
        let cas = Cas {
            id: base.token.id,
            owner: self.owner_for(store, &record),
            expected: Expected::Version(current.version),
            announced: token.is_some() || self.announces_writes(),
            record: record.encode(&self.shared.name),
            expires: self.shared.lifetimes.expires(&record),
            now,
            deadline: self.write_deadline(sent),
        };
        let seen = self.note_write(&cas);
        let notes = self.notes(|notes| notes.rewrite(current, &record, says));
        let outcome = store.cas_soon(cas, notes);
        Ok(Some(Attempt { record: Arc::new(record), token, seen, outcome }))
    }

    /// The record that takes the place of the current one, from what was changed in it.
    fn successor(
        &self,
        base: &Base,
        current: &Record,
        (mut next, asked): (Record, bool),
        now: Millis,
    ) -> Result<Record, SessionError> {
        if base.on_socket {
            // A write in one step is a turn of its own: it waits for whoever has one, and follows one that has run out.
            self.refuse_while_leased(current)?;
            next.lease = None;
        }
        next.version = current.version.next();
        next.last_seen = if next.remembered == current.remembered {
            self.shared.lifetimes.seen(current, now, asked).max(next.started)
        } else {
            // Another idle timeout holds from here.
            current.no_earlier(now)
        };
        if let Some(hold) = &base.hold {
            next.lease = hold.goes_on(self.shared.time.now());
        }
        if let Err(error) = self.check_size(&next)
            && next.is_larger_than(current)
        {
            // A session that a shortened limit found too large may stay as it is, and shrink.
            return Err(error);
        }
        self.seal_fields(&mut next, None, base.token.id)?;
        Ok(next)
    }

    /// Judges the newer record that a write met: is it still this client's?
    fn look_again(
        &self,
        base: &Base,
        stored: &Stored,
        now: Millis,
    ) -> Result<(Arc<Record>, bool), SessionError> {
        let Some(record) = self.decode(stored) else {
            return Err(SessionError::new(Fault::StoreCorrupted, "the stored session can't be read"));
        };
        if base.on_socket {
            if record.is_moving(now) || record.has_other_privileges(&base.record) {
                return Err(self.gone("the session changed hands while the socket was open"));
            }
            return Ok((record, false));
        }
        let by_previous = match standing(&record, &base.digest, now) {
            Standing::Current => false,
            Standing::Previous => true,
            Standing::Superseded | Standing::Reused | Standing::Unknown => {
                return Err(self.gone("the session id was superseded while the request was under way"));
            }
        };
        if record.is_moving(now) {
            return Err(self.gone("the session moved while the request was under way"));
        }
        Ok((record, by_previous))
    }

    fn set_remembered(&self, record: &mut Record, remember: bool) {
        record.remembered = remember && self.shared.policy.remember().is_some();
        record.deadline = self.shared.lifetimes.deadline(record.started, record.remembered);
    }

    /// Whether time asks for a new id.
    ///
    /// Only the current secret rotates, and not before the grace of the one before it is over: who holds that one gets
    /// the successor, and never meets an id that was retired while it was still good.
    pub(super) fn rotation_is_due(&self, record: &Record, by_previous: bool, now: Millis) -> bool {
        let in_grace = record.previous.as_ref().is_some_and(|previous| now < previous.until);
        if in_grace || by_previous {
            // After the grace, only a successor that no one used lets the previous secret in: its response was lost.
            return by_previous && !in_grace;
        }
        let policy = &self.shared.policy;
        policy.rotate_on_use()
            || policy.rotate_every().is_some_and(|every| now.saturating_sub(record.rotated) >= millis(every))
    }

    /// Changes the id at once: the one before is of no use from the moment that this is stored.
    fn rotate_now(&self, next: &mut Record, held: &Base, now: Millis) -> Result<Token, SessionError> {
        let token = Token::renew(&*self.shared.entropy, held.token.id)?;
        next.retire(next.digest, Retirement::Privilege);
        if next.fields.list().iter().any(is_ticket) {
            // It stands for the id that was.
            next.fields.edit().retain(|field| !is_ticket(field));
        }
        if let Some(previous) = next.previous.take() {
            // A request that was sent within the grace is no theft, nor one of the client that never got the successor.
            let was_good = now < previous.until || previous.digest.matches(&held.digest);
            let how = if was_good { Retirement::Privilege } else { Retirement::Periodic };
            next.retire(previous.digest, how);
        }
        next.digest = token.secret.digest(&self.shared.tag);
        next.rotated = now;
        Ok(token)
    }

    /// Changes the id by time: the one before works for the grace, and leads its holders to this one.
    ///
    /// The request goes on with the secret that it came with; [`carried`](Self::carried) is what its response carries.
    fn rotate_by_time(&self, next: &mut Record, held: &Base, now: Millis) -> Result<(), SessionError> {
        let token = Token::renew(&*self.shared.entropy, held.token.id)?;
        if next.digest.matches(&held.digest) {
            if let Some(previous) = next.previous.take() {
                next.retire(previous.digest, Retirement::Periodic);
            }
        } else {
            // The response with the successor was lost: it is void, and one more is issued to who never got it.
            next.retire(next.digest, Retirement::Periodic);
        }
        let digest = token.secret.digest(&self.shared.tag);
        next.previous = Some(Box::new(Previous {
            digest: held.digest,
            until: now.saturating_add(millis(self.shared.policy.rotation_grace())),
            wrapped: held.token.secret.wrap(&digest, &token.secret),
            successor_used: false,
        }));
        next.digest = digest;
        next.rotated = now;
        Ok(())
    }
}

/// What a request holds once its write is stored.
fn written(base: &Base, record: Arc<Record>, token: Option<Token>) -> Base {
    let hold = base.hold.clone();
    if let Some(hold) = &hold {
        hold.was_written();
    }
    match token {
        Some(token) => {
            Base { token, digest: record.digest, record, by_previous: false, on_socket: false, hold }
        }
        None => Base {
            token: base.token.clone(),
            digest: base.digest,
            by_previous: !base.on_socket && !record.digest.matches(&base.digest),
            on_socket: base.on_socket,
            record,
            hold,
        },
    }
}

/// The token that a response carries: for a request that came with the previous secret its successor, which only who holds
/// that secret can read.
pub(super) fn carried(base: &Base) -> Token {
    let Some(previous) = base.record.previous.as_ref().filter(|_| base.by_previous) else {
        return base.token.clone();
    };
    let secret = base.token.secret.unwrap_successor(&base.record.digest, &previous.wrapped);
    Token { id: base.token.id, secret }
}

pub(super) fn late() -> SessionError {
    SessionError::new(Fault::StoreUnavailable, "the store was reached too late")
}

pub(super) fn full() -> SessionError {
    SessionError::new(Fault::StoreUnavailable, "the session store is full")
}
