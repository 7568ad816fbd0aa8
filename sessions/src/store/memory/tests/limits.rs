//! Owners, beyond the contract: shards that they share, and when they are forgotten.

use super::*;
use crate::store::TOMBSTONE_MS;

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
