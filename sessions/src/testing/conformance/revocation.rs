//! Revoking all sessions of an owner: the living, and the logins that are under way.

use super::{
    clause,
    kit::{Kit, Look, NOW, ada, adas, anonymous, login, of, owner, sorted, stamp, stored},
};
use crate::store::{Admit, Admitted, EndReason, Millis, Owner, SessionStore, TOMBSTONE_MS};

async fn three_sessions<S: SessionStore>(kit: &Kit<S>) {
    for number in 0..3 {
        kit.log_in(of(ada(), number), ada(), NOW).await;
    }
}

/// A login that began at one time and comes at another.
fn began(number: usize, began: Millis, now: Millis) -> Admit {
    Admit { began: stamp(began), ..login(of(ada(), number), ada(), now) }
}

/// Every session of the owner ends, and no one else's.
pub async fn a_revocation_of_all_ends_every_session_of_the_owner<S: SessionStore>(kit: Kit<S>) {
    three_sessions(&kit).await;
    kit.log_in(of(owner(2), 9), owner(2), NOW).await;
    kit.create(anonymous(9), NOW).await;
    let ended = kit.end_all(ada(), None, NOW + 10).await;
    kit.same(clause::ENDED, "the ended sessions", ended, sorted(adas([0, 1, 2])));
    for number in 0..3 {
        let look = kit.look(of(ada(), number), NOW + 10).await;
        kit.same(clause::END_OWNER, "a load afterwards", look, Look::Ended(EndReason::Revoked));
    }
    for id in [of(owner(2), 9), anonymous(9)] {
        kit.holds(clause::END_OWNER, kit.is_live(id, NOW + 10).await, format_args!("{id:?} ended too"));
    }
    kit.same(clause::LIST, "the owner's sessions", kit.ids_of(ada(), NOW + 10).await, vec![]);
}

/// A login that began before is refused, to the stamp; one that began after is not.
pub async fn a_login_that_began_before_a_revocation_of_all_is_refused<S: SessionStore>(kit: Kit<S>) {
    three_sessions(&kit).await;
    kit.end_all(ada(), None, NOW + 10).await;
    let admit = |began| Admit { began, ..login(of(ada(), 5), ada(), NOW + 11) };
    let before = kit.admit(admit(stamp(NOW + 10) - 1)).await;
    kit.same(clause::BEGAN, "a login that began a stamp before", before, Admitted::Revoked);
    let look = kit.look(of(ada(), 5), NOW + 11).await;
    kit.same(clause::REFUSED, "the refused id", look, Look::Absent);
    let after = kit.admit(admit(stamp(NOW + 10))).await;
    kit.same(clause::BEGAN, "a login that began at the stamp", after, stored([]));
}

/// A revocation needs no session to be remembered: at least as long as a login may be under way.
pub async fn a_revocation_is_remembered_without_a_session<S: SessionStore>(kit: Kit<S>) {
    kit.same(clause::ENDED, "the ended sessions", kit.end_all(ada(), None, NOW).await, vec![]);
    kit.sweep_all(NOW + TOMBSTONE_MS - 1).await;
    let late = kit.admit(began(1, NOW - 1, NOW + TOMBSTONE_MS - 1)).await;
    kit.same(clause::REMEMBERED, "a login that began before", late, Admitted::Revoked);
}

/// A revocation is remembered while the owner has a session, and a minute longer.
pub async fn a_revocation_outlives_the_owners_last_session<S: SessionStore>(kit: Kit<S>) {
    kit.end_all(ada(), None, NOW).await;
    kit.log_in(of(ada(), 1), ada(), NOW + 1).await;
    let gone = NOW + 30 * TOMBSTONE_MS;
    kit.sweep_all(gone).await;
    let late = kit.admit(began(2, NOW - 1, gone)).await;
    kit.same(clause::REMEMBERED, "a login that began before", late, Admitted::Revoked);
    kit.end_of(of(ada(), 1), Some(ada()), EndReason::LoggedOut, gone).await;
    kit.sweep_all(gone + TOMBSTONE_MS - 1).await;
    let late = kit.admit(began(2, NOW - 1, gone + TOMBSTONE_MS - 1)).await;
    kit.same(clause::REMEMBERED, "a login that began before, a minute later", late, Admitted::Revoked);
}

/// Of two revocations the later stamp holds, in whichever order they come.
pub async fn a_revocation_that_comes_late_does_not_undo_a_later_one<S: SessionStore>(kit: Kit<S>) {
    kit.end_all(ada(), None, NOW + 10).await;
    kit.end_all(ada(), None, NOW + 5).await;
    let between = kit.admit(began(1, NOW + 7, NOW + 11)).await;
    kit.same(clause::REMEMBERED, "a login that began between the two", between, Admitted::Revoked);
}

/// One session may be kept; logins under way are refused all the same.
pub async fn a_revocation_of_the_others_keeps_one<S: SessionStore>(kit: Kit<S>) {
    three_sessions(&kit).await;
    let ended = kit.end_all(ada(), Some(of(ada(), 1)), NOW + 10).await;
    kit.same(clause::EXCEPT, "the ended sessions", ended, sorted(adas([0, 2])));
    kit.same(clause::EXCEPT, "the owner's sessions", kit.ids_of(ada(), NOW + 10).await, adas([1]));
    let under_way = kit.admit(began(5, NOW + 9, NOW + 11)).await;
    kit.same(clause::BEGAN, "a login that began before", under_way, Admitted::Revoked);
}

/// Who keeps a session that isn't the owner's keeps none of the owner's.
pub async fn a_revocation_keeps_only_what_is_the_owners<S: SessionStore>(kit: Kit<S>) {
    three_sessions(&kit).await;
    let ended = kit.end_all(ada(), Some(of(ada(), 77)), NOW + 10).await;
    kit.same(clause::EXCEPT, "the ended sessions", ended, sorted(adas([0, 1, 2])));
}

/// The same id as another kind, or under another policy, is another owner.
pub async fn a_revocation_is_one_owners<S: SessionStore>(kit: Kit<S>) {
    let user = Owner::of("site", "user", "7");
    let others = [Owner::of("site", "service", "7"), Owner::of("admin", "user", "7")];
    for (number, owner) in others.into_iter().chain([user]).enumerate() {
        kit.log_in(of(owner, number), owner, NOW).await;
    }
    kit.end_all(user, None, NOW + 10).await;
    for (number, other) in others.into_iter().enumerate() {
        let ids = kit.ids_of(other, NOW + 10).await;
        kit.same(clause::OWNERS, "another owner's sessions", ids, vec![of(other, number)]);
        let admit = Admit { began: stamp(NOW), ..login(of(other, 50), other, NOW + 11) };
        kit.same(clause::OWNERS, "another owner's login", kit.admit(admit).await, stored([]));
    }
}

/// A login after a revocation is a session like any other.
pub async fn a_login_after_a_revocation_lives<S: SessionStore>(kit: Kit<S>) {
    three_sessions(&kit).await;
    kit.end_all(ada(), None, NOW + 10).await;
    let admitted = kit.admit(began(7, NOW + 11, NOW + 11)).await;
    kit.same(clause::BEGAN, "a login that began after", admitted, stored([]));
    kit.same(clause::LIST, "the owner's sessions", kit.ids_of(ada(), NOW + 12).await, adas([7]));
}
