//! Single sessions: what is written is read, and versions decide who writes.

use std::sync::Arc;

use super::{
    clause,
    kit::{
        HOUR, Kit, Look, NOW, Wrote, ada, anonymous, change, creation, login, of, record, seen, stored,
        version,
    },
};
use crate::store::{Admit, Cas, Loaded, SessionId, SessionStore, Touched};

/// A record comes back byte for byte, with the instant that it says it was last seen.
pub async fn what_was_written_is_read_back_byte_for_byte<S: SessionStore>(kit: Kit<S>) {
    for (number, length) in [(0, 16), (1, 17), (2, 4_096), (3, 70_000)] {
        let every_byte = (0..=u8::MAX).cycle().take(length - 16);
        let record: Arc<[u8]> = record(7, NOW)[..16].iter().copied().chain(every_byte).collect();
        let id = anonymous(number);
        let outcome = kit.cas(Cas { record: Arc::clone(&record), ..creation(id, NOW) }).await;
        kit.same(clause::CREATION, "a creation under a new id", outcome, Wrote::Stored);
        let login = Admit { record: Arc::clone(&record), ..login(of(ada(), number), ada(), NOW) };
        kit.same(clause::ADMIT, "a login under a new id", kit.admit(login).await, stored([]));
        for id in [id, of(ada(), number)] {
            let Loaded::Live(found) = kit.load(id, NOW).await else {
                return kit.holds(
                    clause::LOAD,
                    false,
                    format_args!("no record of {length} bytes after its write"),
                );
            };
            let is_same = found.record == record && found.last_seen == NOW;
            kit.holds(clause::LOAD, is_same, format_args!("another record than the one of {length} bytes"));
        }
    }
}

/// The bucket is part of the id.
pub async fn the_same_sid_in_another_bucket_is_another_session<S: SessionStore>(kit: Kit<S>) {
    let id = anonymous(1);
    kit.create(id, NOW).await;
    let other = SessionId::new(id.bucket() + 1, *id.sid());
    kit.same(clause::IDS, "a load in another bucket", kit.look(other, NOW).await, Look::Absent);
    kit.same(clause::IDS, "a creation in another bucket", kit.cas(creation(other, NOW)).await, Wrote::Stored);
    kit.end_one(other, crate::store::EndReason::LoggedOut, NOW).await;
    kit.holds(clause::IDS, kit.is_live(id, NOW).await, "the end of the one ended the other");
}

/// An id that no one wrote is absent, and not ended.
pub async fn an_unknown_id_is_absent<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    kit.same(
        clause::FOUR,
        "a load of an id that no one wrote",
        kit.look(anonymous(2), NOW).await,
        Look::Absent,
    );
}

/// What is asked for at once is answered as one by one: live, ended, expired and unknown ones, in any order, also twice.
pub async fn many_loads_are_answered_as_each_alone_in_their_order<S: SessionStore>(kit: Kit<S>) {
    let (ended, short, unknown) = (anonymous(200), anonymous(201), anonymous(202));
    let live: Vec<_> = (0..150).map(anonymous).collect();
    for id in live.iter().copied().chain([ended]) {
        kit.create(id, NOW).await;
    }
    kit.cas(Cas { expires: NOW + 10, ..creation(short, NOW) }).await;
    kit.end_one(ended, crate::store::EndReason::Revoked, NOW).await;
    let now = NOW + 10;
    let ids: Vec<_> = [ended, unknown].into_iter().chain(live).chain([short, unknown, ended]).collect();
    let mut alone = Vec::with_capacity(ids.len());
    for id in &ids {
        alone.push(kit.look(*id, now).await);
    }
    kit.same(clause::MANY, "many loads at once", kit.look_many(&ids, now).await, alone);
    kit.same(clause::MANY, "no load at all", kit.look_many(&[], now).await, Vec::new());
}

/// A creation never takes over what is there.
pub async fn a_creation_never_takes_over_a_session<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    let again = Cas { record: record(9, NOW), ..creation(anonymous(1), NOW) };
    kit.same(clause::CAS, "a second creation", kit.cas(again).await, Wrote::Conflict(1, NOW));
    kit.same(
        clause::CREATION,
        "the session afterwards",
        kit.look(anonymous(1), NOW).await,
        Look::Live(1, NOW),
    );
}

/// Who expects another version than the stored one writes nothing.
pub async fn only_the_expected_version_is_replaced<S: SessionStore>(kit: Kit<S>) {
    let id = anonymous(1);
    kit.create(id, NOW).await;
    kit.same(clause::CAS, "a write on version 1", kit.cas(change(id, 1, NOW + 1)).await, Wrote::Stored);
    let stale = kit.cas(change(id, 1, NOW + 2)).await;
    kit.same(clause::CAS, "a second write on version 1", stale, Wrote::Conflict(2, NOW + 1));
    kit.same(clause::CAS, "the session afterwards", kit.look(id, NOW + 2).await, Look::Live(2, NOW + 1));
}

/// All 64 bits of a version count, the highest and the lowest too.
pub async fn every_bit_of_a_version_counts<S: SessionStore>(kit: Kit<S>) {
    for (number, bit) in [0, 1, 31, 32, 62, 63].into_iter().enumerate() {
        let (id, kept) = (anonymous(number), 0x0123_4567_89ab_cdef_u64 ^ (1 << bit));
        let first = Cas { record: record(kept, NOW), ..creation(id, NOW) };
        kit.same(clause::CREATION, "a creation under a new id", kit.cas(first).await, Wrote::Stored);
        let write = |from| Cas { expected: version(from), record: record(5, NOW), ..creation(id, NOW) };
        let other = kit.cas(write(kept ^ (1 << bit))).await;
        kit.same(
            clause::CAS,
            "a write on a version that differs in one bit",
            other,
            Wrote::Conflict(kept, NOW),
        );
        kit.same(clause::CAS, "a write on the stored version", kit.cas(write(kept)).await, Wrote::Stored);
    }
}

/// A refused write shows the record that is stored, as the last touch left it.
pub async fn a_conflict_shows_the_current_record<S: SessionStore>(kit: Kit<S>) {
    let id = anonymous(1);
    kit.create(id, NOW).await;
    let outcome = kit.cas(Cas { record: record(2, NOW + 5), ..change(id, 1, NOW + 5) }).await;
    kit.same(clause::CAS, "a write on the stored version", outcome, Wrote::Stored);
    let touched = kit.touch(seen(id, None, NOW + 9, NOW + HOUR)).await;
    kit.same(clause::TOUCH, "a touch of a live session", touched, Touched::Noted);
    let Some(current) = kit.conflicting(change(id, 1, NOW + 10)).await else {
        return kit.holds(clause::CAS, false, "a write on an old version was no conflict");
    };
    let bytes = current.record[..8] == record(2, 0)[..8] && current.record[16..] == record(2, 0)[16..];
    kit.holds(clause::CAS, bytes, "the conflict shows another record than the stored one");
    kit.same(clause::LAST_SEEN, "the conflict's last use", current.last_seen, NOW + 9);
}

/// A write on a session that isn't there creates none.
pub async fn a_write_never_creates_what_it_expected_to_find<S: SessionStore>(kit: Kit<S>) {
    let id = anonymous(1);
    let outcome = kit.cas(change(id, 1, NOW)).await;
    kit.same(clause::NEVER_REVIVES, "a write on an absent session", outcome, Wrote::Gone(None));
    let touched = kit.touch(seen(id, None, NOW, NOW + HOUR)).await;
    kit.same(clause::TOUCH_NEVER, "a touch of an absent session", touched, Touched::Gone);
    kit.same(clause::NEVER_REVIVES, "the session afterwards", kit.look(id, NOW).await, Look::Absent);
    kit.same(clause::STATS, "sessions afterwards", kit.stats().await.sessions, 0);
}

/// A write states the end, sooner or later than before.
pub async fn a_write_states_when_the_session_expires<S: SessionStore>(kit: Kit<S>) {
    for (number, expires) in [NOW + 10, NOW + 3 * HOUR].into_iter().enumerate() {
        let id = anonymous(number);
        kit.create(id, NOW).await;
        let outcome = kit.cas(Cas { expires, ..change(id, 1, NOW) }).await;
        kit.same(clause::CAS, "a write on the stored version", outcome, Wrote::Stored);
        let before = kit.is_live(id, expires - 1).await;
        kit.holds(clause::WRITE_EXPIRES, before, "dead before the end that the write stated");
        let after = kit.look(id, expires).await;
        kit.holds(clause::WRITE_EXPIRES, after.is_expired(), format_args!("{after:?} at that end"));
    }
}

/// A record that says it was last seen earlier than a touch does not move the last use back.
pub async fn a_write_never_moves_the_last_use_back<S: SessionStore>(kit: Kit<S>) {
    let id = anonymous(1);
    kit.create(id, NOW).await;
    kit.touch(seen(id, None, NOW + 100, NOW + HOUR)).await;
    let write = Cas { record: record(2, NOW + 50), ..change(id, 1, NOW + 110) };
    kit.same(clause::CAS, "a write on the stored version", kit.cas(write).await, Wrote::Stored);
    let look = kit.look(id, NOW + 110).await;
    kit.same(clause::NEVER_BACK, "version and last use after it", look, Look::Live(2, NOW + 100));
    // Nor the end that it has given, until a write tells of a later use.
    kit.touch(seen(id, None, NOW + 105, NOW + 2 * HOUR)).await;
    let write = Cas { record: record(3, NOW + 50), expires: NOW + HOUR, ..change(id, 2, NOW + 110) };
    kit.same(clause::CAS, "a write on the stored version", kit.cas(write).await, Wrote::Stored);
    let look = kit.look(id, NOW + 2 * HOUR - 1).await;
    kit.same(clause::NEVER_BACK, "before the end of the later use", look, Look::Live(3, NOW + 105));
    let write = Cas { record: record(4, NOW + 120), expires: NOW + HOUR, ..change(id, 3, NOW + 120) };
    kit.same(clause::CAS, "a write on the stored version", kit.cas(write).await, Wrote::Stored);
    let look = kit.look(id, NOW + HOUR).await;
    kit.holds(clause::WRITE_EXPIRES, look.is_expired(), format_args!("{look:?} at its end"));
    let id = anonymous(2);
    kit.create(id, NOW).await;
    let write = Cas { record: record(2, NOW + 120), ..change(id, 1, NOW + 120) };
    kit.same(clause::CAS, "a write on the stored version", kit.cas(write).await, Wrote::Stored);
    let look = kit.look(id, NOW + 120).await;
    kit.same(clause::LAST_SEEN, "version and last use after a later one", look, Look::Live(2, NOW + 120));
}
