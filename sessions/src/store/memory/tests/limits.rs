//! Owners, beyond the contract: shards that they share, and when they are forgotten.

use super::*;
use crate::store::{BehaviorOnLimit, Limit, TOMBSTONE_MS};

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
fn no_one_replaces_the_session_of_an_owner_in_the_same_shard() {
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
fn an_id_outside_the_bucket_of_its_owner_is_refused() {
    let store = MemoryStore::new(100);
    let stray = SessionId::new(owner(1).bucket() ^ 1, sid(1));
    let mut context = Context::from_waker(Waker::noop());
    let answer = pin!(store.admit(login(stray, owner(1), NOW))).poll(&mut context);
    assert!(matches!(answer, Poll::Ready(Err(StoreError::Unavailable(Some(_))))));
    assert_eq!(store.counts().sessions, 0);
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
fn a_page_after_a_session_that_has_ended_begins_anew() {
    let store = MemoryStore::new(100);
    let id = |number| of(owner(1), number);
    for number in [4, 2, 0] {
        store.log_in(id(number), owner(1), NOW);
    }
    store.end_one(id(2), EndReason::LoggedOut, NOW);
    let listed = at_once(store.list(owner(1), Some(id(2)), 2, NOW));
    assert!(listed.iter().map(|listed| listed.id).eq([id(4), id(0)]), "the order is lost with the session");
}

/// More sessions of an owner than one step ends or frees.
fn crowded() -> MemoryStore {
    let store = MemoryStore::new(1_000);
    for number in 0..9 {
        store.log_in(of(owner(1), number), owner(1), NOW);
    }
    store
}

#[test]
fn a_revocation_in_steps_ends_and_tells_each_session_once_but_the_one_that_stays() {
    let store = crowded();
    let stays = of(owner(1), 4);
    let mut ended = store.end_all(owner(1), Some(stays), NOW + 1);
    ended.sort_unstable();
    let others: Vec<_> = (0..9).filter(|number| *number != 4).map(|number| of(owner(1), number)).collect();
    assert_eq!(ended, others);
    assert!(others.iter().all(|id| store.look(*id, NOW + 1) == Look::Ended(EndReason::Revoked)));
    assert_eq!(store.ids_of(owner(1), NOW + 1), [stays]);
    store.space.assert_whole();
}

#[test]
fn expired_sessions_that_are_freed_in_steps_are_neither_counted_nor_listed() {
    let store = crowded();
    let now = NOW + HOUR - 1;
    store.log_in(of(owner(1), 10), owner(1), now);
    let limit = Some(Limit { max: 2, behavior: BehaviorOnLimit::Reject });
    let admit = |number| Admit { limit, ..login(of(owner(1), number), owner(1), now + 1) };
    assert_eq!(at_once(store.admit(admit(11))), Admitted::Stored { evicted: vec![] });
    assert_eq!(at_once(store.admit(admit(12))), Admitted::LimitReached { live: 2 });
    let store = crowded();
    store.log_in(of(owner(1), 10), owner(1), now);
    assert_eq!(store.ids_of(owner(1), now + 1), [of(owner(1), 10)]);
    store.space.assert_whole();
}

#[test]
fn an_owner_that_is_forgotten_beside_a_crowded_one_leaves_a_number_to_the_next() {
    let store = MemoryStore::new(1_000);
    let shares = |other: &Owner| other.bucket() % 16 == owner(1).bucket() % 16;
    let others: Vec<_> = (2..10_000).map(owner).filter(shares).take(3).collect();
    store.log_in(of(others[0], 1), others[0], NOW);
    store.log_in(of(others[1], 1), others[1], NOW);
    for number in 0..9 {
        store.log_in(of(owner(1), number), owner(1), NOW);
    }
    for other in &others[..2] {
        store.end_one(of(*other, 1), EndReason::LoggedOut, NOW);
        store.space.assert_whole();
    }
    assert_eq!(store.counts().principals, 1);
    store.log_in(of(others[2], 1), others[2], NOW);
    assert_eq!((store.counts().principals, store.ids_of(owner(1), NOW).len()), (2, 9));
    store.space.assert_whole();
    store.end_all(owner(1), None, NOW);
    store.end_one(of(others[2], 1), EndReason::LoggedOut, NOW);
    store.space.assert_whole();
    assert_eq!(store.counts().principals, 0);
}
