//! A store that is closed and opened again: what it has acknowledged is still true.

use super::{
    clause,
    kit::{HOUR, Kit, Look, NOW, Wrote, ada, adas, anonymous, change, limited, login, of, seen, stamp},
};
use crate::store::{Admit, Admitted, BehaviorOnLimit, Cas, EndReason, SessionStore, TOMBSTONE_MS};

/// Records, versions, last uses and ends are what they were.
pub async fn records_survive_a_restart<S: SessionStore>(kit: Kit<S>, reopen: impl AsyncFn() -> S) {
    kit.create(anonymous(1), NOW).await;
    kit.log_in(of(ada(), 2), ada(), NOW).await;
    kit.cas(change(anonymous(1), 1, NOW + 1)).await;
    kit.touch(seen(of(ada(), 2), Some(ada()), NOW + 9, NOW + 2 * HOUR)).await;
    let kit = kit.restarted(reopen).await;
    let look = kit.look(anonymous(1), NOW + 10).await;
    kit.same(clause::SHUTDOWN, "a session that was written", look, Look::Live(2, NOW + 1));
    let look = kit.look(of(ada(), 2), NOW + 2 * HOUR - 1).await;
    kit.same(clause::SHUTDOWN, "a session that was touched", look, Look::Live(1, NOW + 9));
    let look = kit.look(anonymous(1), NOW + 1 + HOUR).await;
    kit.holds(clause::EXPIRY, look.is_expired(), format_args!("a session that has expired since: {look:?}"));
    let stale = kit.cas(change(anonymous(1), 1, NOW + 10)).await;
    kit.same(clause::SHUTDOWN, "a write on the version before", stale, Wrote::Conflict(2, NOW + 1));
    let outcome = kit.cas(change(anonymous(1), 2, NOW + 10)).await;
    kit.same(clause::SHUTDOWN, "a write on the stored version", outcome, Wrote::Stored);
}

/// What has ended stays ended, with its reason and for its time.
pub async fn endings_survive_a_restart<S: SessionStore>(kit: Kit<S>, reopen: impl AsyncFn() -> S) {
    kit.create(anonymous(1), NOW).await;
    kit.log_in(of(ada(), 2), ada(), NOW).await;
    kit.end_one(anonymous(1), EndReason::Reuse, NOW + 1).await;
    kit.end_of(of(ada(), 2), Some(ada()), EndReason::LoggedOut, NOW + 1).await;
    let kit = kit.restarted(reopen).await;
    let at = NOW + TOMBSTONE_MS;
    for (id, reason) in [(anonymous(1), EndReason::Reuse), (of(ada(), 2), EndReason::LoggedOut)] {
        kit.same(clause::SHUTDOWN, "a load", kit.look(id, at).await, Look::Ended(reason));
        let late = kit.cas(change(id, 1, at)).await;
        kit.same(clause::SHUTDOWN, "a late write", late, Wrote::Gone(Some(reason)));
    }
    kit.same(clause::SHUTDOWN, "the owner's sessions", kit.ids_of(ada(), at).await, vec![]);
}

/// Whose each session is, the order of logins and the limit are what they were.
pub async fn owners_survive_a_restart<S: SessionStore>(kit: Kit<S>, reopen: impl AsyncFn() -> S) {
    for (order, number) in [3, 1, 2].into_iter().enumerate() {
        kit.log_in(of(ada(), number), ada(), NOW + order as u64).await;
    }
    let kit = kit.restarted(reopen).await;
    kit.same(clause::SHUTDOWN, "the owner's sessions", kit.ids_of(ada(), NOW + 9).await, adas([3, 1, 2]));
    let refused = kit.admit(limited(7, 3, BehaviorOnLimit::Reject, NOW + 10)).await;
    kit.same(clause::LIMIT, "a fourth login of three", refused, Admitted::LimitReached { live: 3 });
    let admitted = kit.admit(limited(8, 3, BehaviorOnLimit::EvictOldest, NOW + 11)).await;
    let evicted = Admitted::Stored { evicted: adas([3]) };
    kit.same(clause::LIMIT, "a fourth login that evicts the oldest", admitted, evicted);
    kit.same(clause::LIST, "the owner's sessions", kit.ids_of(ada(), NOW + 12).await, adas([1, 2, 8]));
    let stats = kit.stats().await;
    kit.same(clause::STATS, "sessions and principals", (stats.sessions, stats.principals), (3, 1));
}

/// A login that began before a revocation of all is refused after a restart too.
pub async fn revocations_survive_a_restart<S: SessionStore>(kit: Kit<S>, reopen: impl AsyncFn() -> S) {
    kit.log_in(of(ada(), 1), ada(), NOW).await;
    kit.end_all(ada(), None, NOW + 10).await;
    let kit = kit.restarted(reopen).await;
    let look = kit.look(of(ada(), 1), NOW + 11).await;
    kit.same(clause::SHUTDOWN, "a revoked session", look, Look::Ended(EndReason::Revoked));
    let admit = |number, began| Admit { began, ..login(of(ada(), number), ada(), NOW + 12) };
    let before = kit.admit(admit(2, stamp(NOW + 10) - 1)).await;
    kit.same(clause::SHUTDOWN, "a login that began before", before, Admitted::Revoked);
    let after = kit.admit(admit(3, stamp(NOW + 10))).await;
    kit.same(clause::BEGAN, "a login that began after", after, super::kit::stored([]));
}

/// A session of an owner that was written before is still the owner's: it is revoked with the others.
pub async fn a_written_session_stays_its_owners_over_a_restart<S: SessionStore>(
    kit: Kit<S>,
    reopen: impl AsyncFn() -> S,
) {
    kit.log_in(of(ada(), 1), ada(), NOW).await;
    kit.cas(Cas { owner: Some(ada()), ..change(of(ada(), 1), 1, NOW + 1) }).await;
    let kit = kit.restarted(reopen).await;
    let ended = kit.end_all(ada(), None, NOW + 10).await;
    kit.same(clause::SHUTDOWN, "the sessions that a revocation of all ends", ended, adas([1]));
}
