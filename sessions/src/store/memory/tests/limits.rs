//! Owners: limits, order, revocation.

use super::*;
use crate::store::{BehaviorOnLimit, TOMBSTONE_MS};

fn limited(number: usize, max: u32, behavior: BehaviorOnLimit) -> Admit {
    let now = NOW + number as u64;
    Admit { limit: Some(Limit { max, behavior }), ..login(of(owner(1), number), owner(1), now) }
}

fn ids(numbers: impl IntoIterator<Item = usize>) -> Vec<SessionId> {
    numbers.into_iter().map(|number| of(owner(1), number)).collect()
}

#[test]
fn reject_refuses_only_the_new_login() {
    let store = MemoryStore::new(100);
    for number in 0..3 {
        assert_eq!(
            at_once(store.admit(limited(number, 3, BehaviorOnLimit::Reject))),
            Admitted::Stored { evicted: vec![] }
        );
    }
    assert_eq!(
        at_once(store.admit(limited(3, 3, BehaviorOnLimit::Reject))),
        Admitted::LimitReached { live: 3 }
    );
    assert_eq!(store.ids_of(owner(1), NOW + 9), ids(0..3));
    assert_eq!(store.look(of(owner(1), 3), NOW + 9), Look::Absent);
}

#[test]
fn evict_oldest_ends_as_many_as_needed_in_the_order_of_their_logins() {
    let store = MemoryStore::new(100);
    for number in [3, 1, 2, 0] {
        store.log_in(of(owner(1), number), owner(1), NOW);
    }
    let answer = at_once(store.admit(limited(9, 2, BehaviorOnLimit::EvictOldest)));
    assert_eq!(answer, Admitted::Stored { evicted: ids([3, 1, 2]) });
    assert_eq!(store.ids_of(owner(1), NOW + 9), ids([0, 9]));
    assert_eq!(store.look(of(owner(1), 3), NOW + 9), Look::Ended(EndReason::Evicted));
}

#[test]
fn evict_all_leaves_only_the_new_one_and_only_at_the_limit() {
    let store = MemoryStore::new(100);
    for number in 0..3 {
        let answer = at_once(store.admit(limited(number, 3, BehaviorOnLimit::EvictAll)));
        assert_eq!(answer, Admitted::Stored { evicted: vec![] });
    }
    let answer = at_once(store.admit(limited(3, 3, BehaviorOnLimit::EvictAll)));
    assert_eq!(answer, Admitted::Stored { evicted: ids(0..3) });
    assert_eq!(store.ids_of(owner(1), NOW + 9), ids([3]));
}

#[test]
fn expired_sessions_do_not_count() {
    let store = MemoryStore::new(100);
    for number in 0..3 {
        let expires = if number == 1 { NOW + HOUR } else { NOW + 5 };
        store.write(Cas { owner: Some(owner(1)), expires, ..creation(of(owner(1), number), NOW) });
    }
    let answer = at_once(store.admit(limited(8, 2, BehaviorOnLimit::Reject)));
    assert_eq!(answer, Admitted::Stored { evicted: vec![] });
    assert_eq!(store.ids_of(owner(1), NOW + 8), ids([1, 8]));
}

#[test]
fn a_replaced_session_does_not_count_and_is_superseded() {
    let store = MemoryStore::new(100);
    store.log_in(of(owner(1), 1), owner(1), NOW);
    let again = |id| Admit { replaces: Some(id), ..limited(2, 1, BehaviorOnLimit::Reject) };
    assert_eq!(at_once(store.admit(again(of(owner(1), 1)))), Admitted::Stored { evicted: vec![] });
    assert_eq!(store.look(of(owner(1), 1), NOW + 3), Look::Ended(EndReason::Superseded));
    assert_eq!(store.ids_of(owner(1), NOW + 3), ids([2]));
}

#[test]
fn a_replaced_anonymous_session_of_the_same_bucket_is_superseded() {
    let store = MemoryStore::new(100);
    let before = SessionId::new(owner(1).bucket(), sid(5));
    store.create(before, NOW);
    let admit = Admit { replaces: Some(before), ..login(of(owner(1), 1), owner(1), NOW) };
    assert_eq!(at_once(store.admit(admit)), Admitted::Stored { evicted: vec![] });
    assert_eq!(store.look(before, NOW), Look::Ended(EndReason::Superseded));
}

#[test]
fn a_refused_login_changes_nothing() {
    let store = MemoryStore::new(100);
    let before = SessionId::new(owner(1).bucket(), sid(5));
    store.create(before, NOW);
    store.log_in(of(owner(1), 1), owner(1), NOW);
    let refused = Admit { replaces: Some(before), ..limited(2, 1, BehaviorOnLimit::Reject) };
    assert_eq!(at_once(store.admit(refused)), Admitted::LimitReached { live: 1 });
    assert!(store.is_live(before, NOW + 2) && store.is_live(of(owner(1), 1), NOW + 2));
}

#[test]
fn no_one_replaces_the_session_of_another_owner() {
    // A small store has 16 shards: some other owner shares one.
    let store = MemoryStore::new(100);
    let shares = |other: &Owner| other.bucket() % 16 == owner(1).bucket() % 16;
    let other = (2..10_000).map(owner).find(shares).unwrap();
    store.log_in(of(other, 1), other, NOW);
    let admit = Admit { replaces: Some(of(other, 1)), ..login(of(owner(1), 2), owner(1), NOW) };
    assert_eq!(at_once(store.admit(admit)), Admitted::Stored { evicted: vec![] });
    assert!(store.is_live(of(other, 1), NOW));
}

#[test]
fn an_id_that_is_taken_is_not_admitted() {
    let store = MemoryStore::new(100);
    store.log_in(of(owner(1), 1), owner(1), NOW);
    assert_eq!(at_once(store.admit(login(of(owner(1), 1), owner(1), NOW))), Admitted::Exists);
}

#[test]
fn an_id_outside_the_bucket_of_its_owner_is_refused() {
    let store = MemoryStore::new(100);
    let stray = SessionId::new(owner(1).bucket() ^ 1, sid(1));
    let mut context = Context::from_waker(Waker::noop());
    let answer = pin!(store.admit(login(stray, owner(1), NOW))).poll(&mut context);
    assert!(matches!(answer, Poll::Ready(Err(StoreError::Unavailable(Some(_))))));
    assert_eq!(store.counts().sessions, 0);
}

#[test]
fn revoke_all_ends_every_session_and_every_login_that_began_before() {
    let store = MemoryStore::new(100);
    for number in 0..3 {
        store.log_in(of(owner(1), number), owner(1), NOW);
    }
    store.log_in(of(owner(2), 9), owner(2), NOW);
    assert_eq!(store.end_all(owner(1), None, NOW + 10), ids(0..3));
    assert_eq!(store.look(of(owner(1), 1), NOW + 10), Look::Ended(EndReason::Revoked));
    assert!(store.is_live(of(owner(2), 9), NOW + 10), "another owner's stays");
    let began = |began| at_once(store.admit(Admit { began, ..login(of(owner(1), 5), owner(1), NOW + 11) }));
    assert_eq!(began(stamp(NOW + 10) - 1), Admitted::Revoked);
    assert_eq!(began(stamp(NOW + 10)), Admitted::Stored { evicted: vec![] });
}

#[test]
fn a_revocation_that_comes_late_does_not_undo_a_later_one() {
    let store = MemoryStore::new(100);
    store.end_all(owner(1), None, NOW + 10);
    store.end_all(owner(1), None, NOW + 5);
    let between = Admit { began: stamp(NOW + 7), ..login(of(owner(1), 1), owner(1), NOW + 11) };
    assert_eq!(at_once(store.admit(between)), Admitted::Revoked);
}

#[test]
fn revoking_the_others_keeps_one_and_stops_logins_under_way() {
    let store = MemoryStore::new(100);
    for number in 0..3 {
        store.log_in(of(owner(1), number), owner(1), NOW);
    }
    assert_eq!(store.end_all(owner(1), Some(of(owner(1), 1)), NOW + 10), ids([0, 2]));
    assert_eq!(store.ids_of(owner(1), NOW + 10), ids([1]));
    assert_eq!(at_once(store.admit(limited(5, 9, BehaviorOnLimit::Reject))), Admitted::Revoked);
}

#[test]
fn a_revocation_is_remembered_without_a_session_and_then_forgotten() {
    let store = MemoryStore::new(100);
    assert_eq!(store.end_all(owner(1), None, NOW), []);
    let at = |now| Admit { began: stamp(NOW) - 1, ..login(of(owner(1), 1), owner(1), now) };
    assert_eq!(store.counts().principals, 0);
    assert_eq!(at_once(store.admit(at(NOW + TOMBSTONE_MS - 1))), Admitted::Revoked);
    at_once(store.sweep(NOW + TOMBSTONE_MS, 10));
    assert_eq!(at_once(store.admit(at(NOW + TOMBSTONE_MS))), Admitted::Stored { evicted: vec![] });
}

#[test]
fn a_revocation_outlives_the_last_session_by_the_time_of_a_tombstone() {
    let store = MemoryStore::new(100);
    store.end_all(owner(1), None, NOW);
    store.log_in(of(owner(1), 1), owner(1), NOW + 1);
    let gone = NOW + 30 * TOMBSTONE_MS;
    store.end_one(of(owner(1), 1), EndReason::LoggedOut, gone);
    let login = Admit { began: 0, ..login(of(owner(1), 2), owner(1), gone + TOMBSTONE_MS - 1) };
    at_once(store.sweep(gone + TOMBSTONE_MS - 1, 10));
    assert_eq!(at_once(store.admit(login)), Admitted::Revoked);
}

#[test]
fn a_list_is_paged_in_the_order_of_logins() {
    let store = MemoryStore::new(100);
    for number in [4, 2, 0, 1, 3] {
        store.log_in(of(owner(1), number), owner(1), NOW);
    }
    let page = |after: Option<usize>, limit| {
        let listed = at_once(store.list(owner(1), after.map(|number| of(owner(1), number)), limit, NOW));
        listed.iter().map(|listed| listed.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2), ids([4, 2]));
    assert_eq!(page(Some(2), 2), ids([0, 1]));
    assert_eq!(page(Some(1), 2), ids([3]));
    assert_eq!(page(Some(3), 2), []);
    assert_eq!(page(None, 0), []);
    store.end_one(of(owner(1), 2), EndReason::LoggedOut, NOW);
    assert_eq!(page(Some(2), 2), ids([4, 0]), "the order is lost with the session: the list begins anew");
}

#[test]
fn principals_are_those_with_a_session() {
    let store = MemoryStore::new(100);
    store.log_in(of(owner(1), 1), owner(1), NOW);
    store.log_in(of(owner(1), 2), owner(1), NOW);
    store.log_in(of(owner(2), 3), owner(2), NOW);
    store.create(anonymous(4), NOW);
    assert_eq!((store.counts().principals, store.counts().sessions), (2, 4));
    store.end_all(owner(1), None, NOW);
    assert_eq!((store.counts().principals, store.counts().sessions), (1, 2));
}
