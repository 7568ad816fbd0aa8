//! Logins: the limit of an owner, what is evicted for it, and what a login replaces.

use super::{
    clause,
    kit::{
        HOUR, Kit, Look, NOW, Wrote, ada, adas, anonymous, change, limited, login, of, owner, seen, sorted,
        stored,
    },
};
use crate::store::{Admit, Admitted, BehaviorOnLimit, Cas, EndReason, Limit, Owner, SessionStore};

/// At the limit, `reject` refuses the new login and touches no other.
pub async fn reject_refuses_only_the_new_login<S: SessionStore>(kit: Kit<S>) {
    for number in 0..3 {
        let admitted = kit.admit(limited(number, 3, BehaviorOnLimit::Reject, NOW + 1)).await;
        kit.same(clause::LIMIT, "a login below the limit", admitted, stored([]));
    }
    let refused = kit.admit(limited(3, 3, BehaviorOnLimit::Reject, NOW + 2)).await;
    kit.same(clause::LIMIT, "a fourth login of three", refused, Admitted::LimitReached { live: 3 });
    kit.same(clause::REFUSED, "the owner's sessions", kit.ids_of(ada(), NOW + 2).await, adas([0, 1, 2]));
    kit.same(clause::REFUSED, "the refused id", kit.look(of(ada(), 3), NOW + 2).await, Look::Absent);
}

/// At the limit, `evict_oldest` ends as many as needed, in the order of their logins.
pub async fn evict_oldest_goes_by_the_order_of_logins<S: SessionStore>(kit: Kit<S>) {
    for (order, number) in [3, 1, 2, 0].into_iter().enumerate() {
        kit.log_in(of(ada(), number), ada(), NOW + order as u64).await;
    }
    // A session is no younger for being used.
    kit.touch(seen(of(ada(), 3), Some(ada()), NOW + 10, NOW + 2 * HOUR)).await;
    kit.cas(Cas { owner: Some(ada()), ..change(of(ada(), 1), 1, NOW + 11) }).await;
    let admitted = evicted(kit.admit(limited(9, 2, BehaviorOnLimit::EvictOldest, NOW + 12)).await);
    kit.same(clause::ADMIT, "who was evicted for the second of two", admitted, Some(sorted(adas([3, 1, 2]))));
    kit.same(clause::LIMIT, "the owner's sessions", kit.ids_of(ada(), NOW + 12).await, adas([0, 9]));
    let look = kit.look(of(ada(), 3), NOW + 12).await;
    kit.same(clause::ADMIT, "an evicted session", look, Look::Ended(EndReason::Evicted));
}

/// At the limit, and only there, `evict_all` leaves the new session alone.
pub async fn evict_all_leaves_only_the_new_one_and_only_at_the_limit<S: SessionStore>(kit: Kit<S>) {
    for number in 0..3 {
        let admitted = kit.admit(limited(number, 3, BehaviorOnLimit::EvictAll, NOW + 1)).await;
        kit.same(clause::LIMIT, "a login below the limit", admitted, stored([]));
    }
    let admitted = evicted(kit.admit(limited(3, 3, BehaviorOnLimit::EvictAll, NOW + 2)).await);
    kit.same(clause::ADMIT, "who was evicted for a fourth of three", admitted, Some(sorted(adas([0, 1, 2]))));
    kit.same(clause::LIMIT, "the owner's sessions", kit.ids_of(ada(), NOW + 2).await, adas([3]));
}

/// Without a limit no one is evicted.
pub async fn an_unlimited_login_evicts_no_one<S: SessionStore>(kit: Kit<S>) {
    for number in 0..20 {
        kit.log_in(of(ada(), number), ada(), NOW).await;
    }
    kit.same(clause::ADMIT, "how many sessions there are", kit.ids_of(ada(), NOW).await.len(), 20);
}

/// Expired sessions do not count, whether a login stated their end or a write did.
pub async fn expired_sessions_do_not_count<S: SessionStore>(kit: Kit<S>) {
    kit.admit(Admit { expires: NOW + 5, ..login(of(ada(), 0), ada(), NOW) }).await;
    kit.log_in(of(ada(), 1), ada(), NOW).await;
    kit.log_in(of(ada(), 2), ada(), NOW).await;
    let write = Cas { owner: Some(ada()), expires: NOW + 8, ..change(of(ada(), 2), 1, NOW + 1) };
    kit.same(clause::CAS, "a write on the stored version", kit.cas(write).await, Wrote::Stored);
    let admitted = kit.admit(limited(8, 2, BehaviorOnLimit::Reject, NOW + 8)).await;
    kit.same(clause::LIMIT, "a login when two of three have expired", admitted, stored([]));
    kit.same(clause::LIST, "the owner's sessions", kit.ids_of(ada(), NOW + 8).await, adas([1, 8]));
}

/// Sessions that use has kept alive do count.
pub async fn prolonged_sessions_count<S: SessionStore>(kit: Kit<S>) {
    for number in 0..2 {
        kit.admit(Admit { expires: NOW + 5, ..login(of(ada(), number), ada(), NOW) }).await;
    }
    kit.touch(seen(of(ada(), 0), Some(ada()), NOW + 1, NOW + HOUR)).await;
    kit.cas(Cas { owner: Some(ada()), ..change(of(ada(), 1), 1, NOW + 1) }).await;
    let refused = kit.admit(limited(8, 2, BehaviorOnLimit::Reject, NOW + 6)).await;
    kit.same(clause::LIMIT, "a third login of two", refused, Admitted::LimitReached { live: 2 });
}

/// Ended sessions do not count.
pub async fn ended_sessions_do_not_count<S: SessionStore>(kit: Kit<S>) {
    for number in 0..2 {
        kit.log_in(of(ada(), number), ada(), NOW).await;
    }
    kit.end_of(of(ada(), 0), Some(ada()), EndReason::LoggedOut, NOW + 1).await;
    let admitted = kit.admit(limited(8, 2, BehaviorOnLimit::Reject, NOW + 2)).await;
    kit.same(clause::LIMIT, "a second login of two", admitted, stored([]));
}

/// The session that a login replaces does not count, and has ended as superseded.
pub async fn a_replaced_session_does_not_count_and_is_superseded<S: SessionStore>(kit: Kit<S>) {
    kit.log_in(of(ada(), 1), ada(), NOW).await;
    let again = Admit { replaces: Some(of(ada(), 1)), ..limited(2, 1, BehaviorOnLimit::Reject, NOW + 1) };
    kit.same(clause::REPLACES, "a login that replaces the only one", kit.admit(again).await, stored([]));
    let look = kit.look(of(ada(), 1), NOW + 2).await;
    kit.same(clause::REPLACES, "the replaced session", look, Look::Ended(EndReason::Superseded));
    kit.same(clause::REPLACES, "the owner's sessions", kit.ids_of(ada(), NOW + 2).await, adas([2]));
}

/// A login that names a session which is not there replaces nothing and is none the worse.
pub async fn a_login_may_replace_what_has_gone<S: SessionStore>(kit: Kit<S>) {
    kit.log_in(of(ada(), 1), ada(), NOW).await;
    kit.end_of(of(ada(), 1), Some(ada()), EndReason::LoggedOut, NOW + 1).await;
    for (number, gone) in [(2, of(ada(), 1)), (3, of(ada(), 77))] {
        let admit = Admit { replaces: Some(gone), ..login(of(ada(), number), ada(), NOW + 2) };
        kit.same(clause::REPLACES, "a login that replaces nothing", kit.admit(admit).await, stored([]));
    }
    let look = kit.look(of(ada(), 1), NOW + 2).await;
    kit.same(clause::REASON, "the session that had ended", look, Look::Ended(EndReason::LoggedOut));
    kit.same(clause::REPLACES, "the owner's sessions", kit.ids_of(ada(), NOW + 2).await, adas([2, 3]));
}

/// A login that the limit refuses replaces nothing either.
pub async fn a_refused_login_changes_nothing<S: SessionStore>(kit: Kit<S>) {
    for number in 0..3 {
        kit.log_in(of(ada(), number), ada(), NOW).await;
    }
    let admit = Admit { replaces: Some(of(ada(), 1)), ..limited(8, 2, BehaviorOnLimit::Reject, NOW + 1) };
    let refused = kit.admit(admit).await;
    kit.same(clause::LIMIT, "a login over the limit", refused, Admitted::LimitReached { live: 2 });
    kit.same(clause::REFUSED, "the owner's sessions", kit.ids_of(ada(), NOW + 1).await, adas([0, 1, 2]));
}

/// No one replaces the session of another owner.
pub async fn no_one_replaces_another_owners_session<S: SessionStore>(kit: Kit<S>) {
    let other = owner(2);
    kit.log_in(of(other, 1), other, NOW).await;
    let admit = Admit { replaces: Some(of(other, 1)), ..login(of(ada(), 2), ada(), NOW) };
    kit.same(clause::ADMIT, "a login without a limit", kit.admit(admit).await, stored([]));
    kit.holds(clause::REPLACES, kit.is_live(of(other, 1), NOW).await, "another owner's session ended");
}

/// A login never takes over an id.
pub async fn an_id_that_is_taken_is_not_admitted<S: SessionStore>(kit: Kit<S>) {
    kit.log_in(of(ada(), 1), ada(), NOW).await;
    let again = Admit { record: super::kit::record(9, NOW), ..login(of(ada(), 1), ada(), NOW + 1) };
    kit.same(clause::TAKEN, "a login under an id that lives", kit.admit(again).await, Admitted::Exists);
    let look = kit.look(of(ada(), 1), NOW + 1).await;
    kit.same(clause::TAKEN, "the session afterwards", look, Look::Live(1, NOW));
}

/// A limit is one owner's: the same id as another kind, or under another policy, is another owner.
pub async fn a_limit_is_one_owners<S: SessionStore>(kit: Kit<S>) {
    let owners = ["user", "service"].map(|kind| Owner::of("site", kind, "7"));
    let owners = owners.into_iter().chain([Owner::of("admin", "user", "7")]);
    let limit = Some(Limit { max: 1, behavior: BehaviorOnLimit::Reject });
    for (number, owner) in owners.clone().enumerate() {
        let admit = Admit { limit, ..login(of(owner, number), owner, NOW) };
        kit.same(clause::OWNERS, "the first login of an owner", kit.admit(admit).await, stored([]));
    }
    for (number, owner) in owners.enumerate() {
        let ids = kit.ids_of(owner, NOW).await;
        kit.same(clause::OWNERS, "an owner's sessions", ids, vec![of(owner, number)]);
    }
}

/// Anonymous sessions count for no one, also in an owner's bucket.
pub async fn anonymous_sessions_count_for_no_one<S: SessionStore>(kit: Kit<S>) {
    let visitor = crate::store::SessionId::new(ada().bucket(), *anonymous(1).sid());
    kit.create(visitor, NOW).await;
    let admitted = kit.admit(limited(1, 1, BehaviorOnLimit::EvictAll, NOW)).await;
    kit.same(clause::LIMIT, "the first login", admitted, stored([]));
    kit.holds(clause::LIMIT, kit.is_live(visitor, NOW).await, "the visitor's session ended");
    kit.same(clause::LIST, "the owner's sessions", kit.ids_of(ada(), NOW).await, adas([1]));
}

/// Who was evicted, in order, if the login was stored.
fn evicted(admitted: Admitted) -> Option<Vec<crate::store::SessionId>> {
    match admitted {
        Admitted::Stored { evicted } => Some(sorted(evicted)),
        _ => None,
    }
}
