//! Time: expiry to the millisecond, touches, deadlines, and clocks that step back.

use std::time::{Duration, Instant};

use super::{
    clause,
    kit::{HOUR, Kit, Look, NOW, Wrote, ada, anonymous, change, creation, login, of, record, seen, stored},
};
use crate::store::{
    Admit, Admitted, BehaviorOnLimit, Cas, EndReason, Limit, Millis, SessionStore, TOMBSTONE_MS, Touched,
};

/// A load judges the end itself: no one has to sweep first.
pub async fn expiry_is_exact_without_a_sweep<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    kit.log_in(of(ada(), 1), ada(), NOW).await;
    for id in [anonymous(1), of(ada(), 1)] {
        let look = kit.look(id, NOW + HOUR - 1).await;
        kit.same(clause::EXPIRY, "a load a millisecond before the end", look, Look::Live(1, NOW));
        let look = kit.look(id, NOW + HOUR).await;
        kit.holds(clause::EXPIRY, look.is_expired(), format_args!("a load at the end: {look:?}"));
    }
}

/// No write, touch, end or list finds a session that has expired.
pub async fn what_has_expired_is_dead_to_every_operation<S: SessionStore>(kit: Kit<S>) {
    let at = NOW + HOUR;
    for number in 0..4 {
        kit.log_in(of(ada(), number), ada(), NOW).await;
    }
    let late = kit.cas(Cas { owner: Some(ada()), ..change(of(ada(), 0), 1, at) }).await;
    kit.holds(clause::EXPIRY, late.is_expired(), format_args!("a write at the end: {late:?}"));
    let same = Cas { now: at, deadline: at + HOUR, ..change(of(ada(), 3), 1, NOW) };
    let same = kit.cas(Cas { owner: Some(ada()), ..same }).await;
    kit.holds(clause::EXPIRY, same.is_expired(), format_args!("one that moves no end: {same:?}"));
    let touched = kit.touch(seen(of(ada(), 1), Some(ada()), at, at + HOUR)).await;
    kit.same(clause::EXPIRY, "a touch at the end", touched, Touched::Gone);
    let ended = kit.end_of(of(ada(), 2), Some(ada()), EndReason::LoggedOut, at).await;
    kit.same(clause::ENDED, "an end at the end", ended, vec![]);
    kit.same(clause::LIST, "the owner's sessions at the end", kit.ids_of(ada(), at).await, vec![]);
    kit.same(clause::ENDED, "a revocation at the end", kit.end_all(ada(), None, at).await, vec![]);
    for number in 0..4 {
        let look = kit.look(of(ada(), number), at).await;
        kit.holds(clause::EXPIRY, look.is_expired(), format_args!("a load afterwards: {look:?}"));
    }
}

/// What expired long ago is merely absent.
pub async fn what_expired_long_ago_is_absent<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    let later = NOW + HOUR + TOMBSTONE_MS;
    kit.sweep_all(later).await;
    kit.same(clause::SWEPT, "a load", kit.look(anonymous(1), later).await, Look::Absent);
    let outcome = kit.cas(change(anonymous(1), 1, later)).await;
    kit.same(clause::NEVER_REVIVES, "a write", outcome, Wrote::Gone(None));
}

/// An end that is never reached is one too.
pub async fn a_session_may_never_expire<S: SessionStore>(kit: Kit<S>) {
    let year_10000 = 253_402_300_800_000;
    let outcome = kit.cas(Cas { expires: Millis::MAX, ..creation(anonymous(1), NOW) }).await;
    kit.same(clause::CREATION, "a creation without an end", outcome, Wrote::Stored);
    let admit = Admit { expires: Millis::MAX, ..login(of(ada(), 1), ada(), NOW) };
    kit.same(clause::ADMIT, "a login without an end", kit.admit(admit).await, stored([]));
    kit.sweep_all(year_10000).await;
    for id in [anonymous(1), of(ada(), 1)] {
        let look = kit.look(id, year_10000).await;
        kit.same(clause::EXPIRY, "a load in the year 10000", look, Look::Live(1, NOW));
    }
    kit.same(clause::LIST, "the owner's sessions", kit.ids_of(ada(), year_10000).await, vec![of(ada(), 1)]);
}

/// A touch keeps a session alive, to the millisecond.
pub async fn a_touch_prolongs_a_session<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    kit.log_in(of(ada(), 1), ada(), NOW).await;
    for (id, owner) in [(anonymous(1), None), (of(ada(), 1), Some(ada()))] {
        let touched = kit.touch(seen(id, owner, NOW + 100, NOW + 2 * HOUR)).await;
        kit.same(clause::TOUCH, "a touch of a live session", touched, Touched::Noted);
        let look = kit.look(id, NOW + 2 * HOUR - 1).await;
        kit.same(clause::TOUCH, "a load before the new end", look, Look::Live(1, NOW + 100));
        let look = kit.look(id, NOW + 2 * HOUR).await;
        kit.holds(clause::TOUCH, look.is_expired(), format_args!("a load at the new end: {look:?}"));
    }
}

/// A touch that comes late, after a later one, shortens nothing.
pub async fn a_touch_never_shortens_a_session<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    let touched = kit.touch(seen(anonymous(1), None, NOW + 1, NOW + 60)).await;
    kit.same(clause::TOUCH, "a touch of a live session", touched, Touched::Noted);
    let is_live = kit.is_live(anonymous(1), NOW + HOUR - 1).await;
    kit.holds(clause::TOUCH_NEVER, is_live, "dead before the end that it had before the touch");
}

/// A touch that comes late does not move the last use back.
pub async fn a_touch_never_moves_the_last_use_back<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    kit.touch(seen(anonymous(1), None, NOW + 100, NOW + HOUR)).await;
    kit.touch(seen(anonymous(1), None, NOW + 50, NOW + HOUR)).await;
    let look = kit.look(anonymous(1), NOW + 101).await;
    kit.same(clause::TOUCH_NEVER, "a load after both", look, Look::Live(1, NOW + 100));
}

/// A touch is no write: who has read before it may still write.
pub async fn a_touch_changes_no_version<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    kit.touch(seen(anonymous(1), None, NOW + 100, NOW + HOUR)).await;
    let outcome = kit.cas(change(anonymous(1), 1, NOW + 101)).await;
    kit.same(clause::TOUCH_VERSION, "a write on the version before the touch", outcome, Wrote::Stored);
}

/// The last use is told wherever a record is read: load, list and conflict.
pub async fn the_last_use_is_told_with_every_record<S: SessionStore>(kit: Kit<S>) {
    let id = of(ada(), 1);
    kit.log_in(id, ada(), NOW).await;
    kit.touch(seen(id, Some(ada()), NOW + 100, NOW + HOUR)).await;
    let look = kit.look(id, NOW + 101).await;
    kit.same(clause::LAST_SEEN, "a load", look, Look::Live(1, NOW + 100));
    let listed = kit.listed(ada(), None, 9, NOW + 101).await;
    let seen = listed.iter().map(|listed| listed.stored.last_seen).collect();
    kit.same(clause::LAST_SEEN, "a list", seen, vec![NOW + 100]);
    let stale = kit.cas(Cas { owner: Some(ada()), ..change(id, 9, NOW + 101) }).await;
    kit.same(clause::LAST_SEEN, "a conflict", stale, Wrote::Conflict(1, NOW + 100));
}

/// A write that comes after its deadline is not applied; at the deadline it still is, unless it had to wait.
pub async fn a_write_after_its_deadline_is_not_applied<S: SessionStore>(kit: Kit<S>) {
    let id = anonymous(1);
    let late = kit.cas(Cas { deadline: NOW - 1, ..creation(id, NOW) }).await;
    kit.same(clause::DEADLINE, "a creation after its deadline", late, Wrote::Late);
    kit.same(clause::DEADLINE, "a load afterwards", kit.look(id, NOW).await, Look::Absent);
    let called = Instant::now();
    let mut in_time = kit.cas(Cas { deadline: NOW, ..creation(id, NOW) }).await;
    if in_time == Wrote::Late && waited(called) {
        in_time = kit.cas(creation(id, NOW)).await;
    }
    kit.same(clause::DEADLINE, "a creation at its deadline", in_time, Wrote::Stored);
    let late = kit.cas(Cas { deadline: NOW, ..change(id, 1, NOW + 1) }).await;
    kit.same(clause::DEADLINE, "a write after its deadline", late, Wrote::Late);
    kit.same(clause::DEADLINE, "a load afterwards", kit.look(id, NOW + 1).await, Look::Live(1, NOW));
}

/// Whether a call took so long that a store which counts the wait may have found it late.
fn waited(called: Instant) -> bool {
    called.elapsed() >= Duration::from_millis(1)
}

/// A login that comes after its deadline is not admitted, and evicts no one.
pub async fn a_login_after_its_deadline_is_not_admitted<S: SessionStore>(kit: Kit<S>) {
    kit.log_in(of(ada(), 1), ada(), NOW).await;
    let limit = Some(Limit { max: 1, behavior: BehaviorOnLimit::EvictOldest });
    let admit = |deadline| Admit { limit, deadline, ..login(of(ada(), 2), ada(), NOW + 1) };
    let late = kit.admit(admit(NOW)).await;
    kit.same(clause::ADMIT_DEADLINE, "a login after its deadline", late, Admitted::Late);
    let ids = kit.ids_of(ada(), NOW + 1).await;
    kit.same(clause::REFUSED, "the owner's sessions afterwards", ids, vec![of(ada(), 1)]);
    let called = Instant::now();
    let mut in_time = kit.admit(admit(NOW + 1)).await;
    if in_time == Admitted::Late && waited(called) {
        in_time = kit.admit(admit(NOW + 1 + HOUR)).await;
    }
    kit.same(clause::ADMIT_DEADLINE, "a login at its deadline", in_time, stored([of(ada(), 1)]));
}

/// To a clock that is behind, the dead are dead: the ended, the swept, and what a login has pruned.
pub async fn a_clock_that_steps_back_revives_nothing<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    kit.end_one(anonymous(1), EndReason::LoggedOut, NOW + 60_000).await;
    let look = kit.look(anonymous(1), NOW).await;
    kit.same(clause::CLOCKS, "an ended session, a minute before", look, Look::Ended(EndReason::LoggedOut));
    let touched = kit.touch(seen(anonymous(1), None, NOW, NOW + HOUR)).await;
    kit.same(clause::CLOCKS, "a touch of it", touched, Touched::Gone);

    kit.create(anonymous(2), NOW).await;
    kit.sweep_all(NOW + HOUR).await;
    let look = kit.look(anonymous(2), NOW + HOUR - 1).await;
    kit.holds(clause::CLOCKS, look.is_expired(), format_args!("a session that was swept: {look:?}"));

    kit.log_in(of(ada(), 3), ada(), NOW).await;
    let limit = Some(Limit { max: 1, behavior: BehaviorOnLimit::Reject });
    let admit = Admit { limit, ..login(of(ada(), 4), ada(), NOW + HOUR) };
    kit.same(clause::LIMIT, "a login when the other has expired", kit.admit(admit).await, stored([]));
    let ids = kit.ids_of(ada(), NOW + HOUR - 1).await;
    kit.same(clause::CLOCKS, "the owner's sessions after a login pruned one", ids, vec![of(ada(), 4)]);
}

/// To a clock that is behind, the living live, and nothing about them moves back.
pub async fn a_clock_that_steps_back_loses_nothing<S: SessionStore>(kit: Kit<S>) {
    let id = of(ada(), 1);
    kit.log_in(id, ada(), NOW).await;
    kit.touch(seen(id, Some(ada()), NOW + 100_000, NOW + HOUR + 100_000)).await;
    let touched = kit.touch(seen(id, Some(ada()), NOW - 100_000, NOW + HOUR - 100_000)).await;
    kit.same(clause::TOUCH, "a touch by an earlier clock", touched, Touched::Noted);
    let write = Cas { owner: Some(ada()), record: record(2, NOW - 50_000), ..change(id, 1, NOW - 50_000) };
    let write = Cas { expires: NOW + HOUR, ..write };
    kit.same(clause::CAS, "a write by an earlier clock", kit.cas(write).await, Wrote::Stored);
    let look = kit.look(id, NOW - 50_000).await;
    kit.same(clause::NEVER_BACK, "a load by an earlier clock", look, Look::Live(2, NOW + 100_000));
    let ids = kit.ids_of(ada(), NOW - 50_000).await;
    kit.same(clause::LIST, "a list by an earlier clock", ids, vec![id]);
}
