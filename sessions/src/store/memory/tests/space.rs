//! The bound: who goes when the store is full, and that it is never fuller.

use super::*;
use crate::store::{BehaviorOnLimit, TOMBSTONE_MS};

/// A full store with so many sessions of owners and so many anonymous ones, in this order.
fn full(owned: usize, anonymous_ones: usize) -> MemoryStore {
    let store = MemoryStore::new(owned + anonymous_ones);
    for number in 0..owned {
        store.log_in(of(owner(number), number), owner(number), NOW + number as u64);
    }
    for number in 0..anonymous_ones {
        store.create(anonymous(number), NOW + number as u64);
    }
    store
}

fn live(ids: impl IntoIterator<Item = SessionId>, store: &MemoryStore, now: Millis) -> usize {
    ids.into_iter().filter(|id| store.is_live(*id, now)).count()
}

#[test]
fn a_flood_of_anonymous_sessions_evicts_only_anonymous_ones() {
    let store = full(50, 50);
    for number in 0..5_000 {
        store.create(anonymous(100 + number), NOW + 1_000);
        assert!(store.is_live(anonymous(100 + number), NOW + 1_000), "a newcomer is not its own victim");
    }
    assert_eq!(live((0..50).map(|number| of(owner(number), number)), &store, NOW + 1_000), 50);
    assert_eq!((store.counts().sessions, store.counts().evicted_for_space), (100, 5_000));
}

#[test]
fn an_anonymous_session_never_costs_an_authenticated_one() {
    let store = full(100, 0);
    assert!(matches!(store.write(creation(anonymous(1), NOW)), CasOutcome::Full));
    assert_eq!((store.counts().sessions, store.counts().evicted_for_space), (100, 0));
}

#[test]
fn a_login_takes_the_place_of_an_anonymous_session_first() {
    let store = full(90, 10);
    for number in 200..210 {
        store.log_in(of(owner(number), number), owner(number), NOW + 1_000);
    }
    assert_eq!(live((0..10).map(anonymous), &store, NOW + 1_000), 0);
    assert_eq!(live((0..90).map(|number| of(owner(number), number)), &store, NOW + 1_000), 90);
}

#[test]
fn among_authenticated_sessions_the_one_used_longest_ago_goes() {
    let store = full(100, 0);
    let (id, user) = (of(owner(0), 0), owner(0));
    at_once(store.touch(Touch { id, owner: Some(user), seen: NOW + 500, expires: NOW + HOUR }));
    store.log_in(of(owner(200), 200), owner(200), NOW + 1_000);
    assert!(store.is_live(id, NOW + 1_000), "it was touched");
    assert_eq!(store.look(of(owner(1), 1), NOW + 1_000), Look::Ended(EndReason::Evicted));
    assert_eq!((store.counts().sessions, store.counts().evicted_for_space), (100, 1));
}

#[test]
fn an_anonymous_session_that_was_used_gets_a_second_chance() {
    let store = full(0, 100);
    for number in (0..100).step_by(2) {
        assert!(store.is_live(anonymous(number), NOW + 1_000));
    }
    for number in 200..250 {
        store.log_in(of(owner(number), number), owner(number), NOW + 1_000);
    }
    assert_eq!(live((0..100).step_by(2).map(anonymous), &store, NOW + 1_000), 50);
}

#[test]
fn when_all_were_used_one_goes_all_the_same() {
    let store = full(0, 100);
    assert_eq!(live((0..100).map(anonymous), &store, NOW + 100), 100);
    store.create(anonymous(500), NOW + 100);
    assert_eq!(live((0..100).map(anonymous), &store, NOW + 100), 99);
}

#[test]
fn an_expired_session_makes_room_before_anyone_is_evicted() {
    let store = full(60, 40);
    store.end_one(anonymous(7), EndReason::LoggedOut, NOW);
    store.write(Cas { expires: NOW + 50, ..creation(anonymous(400), NOW) });
    let store = store.when_full(WhenFull::Refuse);
    assert!(matches!(store.write(creation(anonymous(500), NOW + 49)), CasOutcome::Full));
    assert!(matches!(store.write(creation(anonymous(500), NOW + 50)), CasOutcome::Stored));
    assert_eq!((store.counts().sessions, store.counts().evicted_for_space), (100, 0));
}

#[test]
fn a_store_that_refuses_evicts_no_one() {
    let store = full(10, 10).when_full(WhenFull::Refuse);
    assert!(matches!(store.write(creation(anonymous(99), NOW + 20)), CasOutcome::Full));
    assert_eq!(at_once(store.admit(login(of(owner(99), 99), owner(99), NOW + 20))), Admitted::Full);
    assert_eq!((store.counts().sessions, store.counts().evicted_for_space), (20, 0));
    store.end_one(anonymous(0), EndReason::LoggedOut, NOW + 20);
    store.create(anonymous(99), NOW + 20);
}

#[test]
fn a_login_that_ends_another_session_of_its_owner_needs_no_room() {
    let store = full(20, 0).when_full(WhenFull::Refuse);
    let limit = Some(Limit { max: 1, behavior: BehaviorOnLimit::EvictOldest });
    let admit = Admit { limit, ..login(of(owner(3), 99), owner(3), NOW + 20) };
    assert_eq!(at_once(store.admit(admit)), Admitted::Stored { evicted: vec![of(owner(3), 3)] });
    let replaces = Some(of(owner(4), 4));
    let admit = Admit { replaces, ..login(of(owner(4), 98), owner(4), NOW + 20) };
    assert_eq!(at_once(store.admit(admit)), Admitted::Stored { evicted: vec![] });
    assert_eq!(store.counts().sessions, 20);
}

#[test]
fn a_refused_login_costs_no_one_a_place() {
    let store = full(10, 10);
    let limit = Some(Limit { max: 1, behavior: BehaviorOnLimit::Reject });
    let admit = Admit { limit, ..login(of(owner(3), 99), owner(3), NOW + 20) };
    assert_eq!(at_once(store.admit(admit)), Admitted::LimitReached { live: 1 });
    assert!(matches!(store.write(creation(anonymous(3), NOW + 20)), CasOutcome::Conflict(_)));
    assert_eq!((store.counts().sessions, store.counts().evicted_for_space), (20, 0));
}

#[test]
fn a_store_for_none_keeps_one() {
    let store = MemoryStore::new(0);
    store.create(anonymous(1), NOW);
    store.create(anonymous(2), NOW);
    assert_eq!((store.is_live(anonymous(1), NOW), store.is_live(anonymous(2), NOW)), (false, true));
}

#[test]
fn tombstones_are_bounded_and_the_oldest_go_first() {
    let store = MemoryStore::new(100);
    for number in 0..20_000 {
        let id = SessionId::new(3, sid(number));
        store.create(id, NOW);
        store.end_one(id, EndReason::LoggedOut, NOW);
    }
    let ended = (0..20_000).filter(|&number| store.look(SessionId::new(3, sid(number)), NOW) != Look::Absent);
    assert!(ended.eq(20_000 - 1_024..20_000));
    assert_eq!(store.counts().sessions, 0);
}

#[test]
fn an_owner_may_be_revoked_whatever_the_room_for_tombstones() {
    let store = MemoryStore::new(5_000);
    for number in 0..5_000 {
        store.log_in(of(owner(1), number), owner(1), NOW);
    }
    assert_eq!(store.end_all(owner(1), None, NOW).len(), 5_000);
    assert_eq!(live((0..5_000).map(|number| of(owner(1), number)), &store, NOW), 0);
    assert_eq!((store.counts().sessions, store.counts().principals), (0, 0));
}

#[test]
fn a_large_shard_grows_and_shrinks_without_losing_a_session() {
    let store = MemoryStore::new(100_000);
    let ids = || (0..3_000).map(|number| of(owner(1), number));
    for (number, id) in ids().enumerate() {
        store.log_in(id, owner(1), NOW + number as u64);
        if number % 100 == 0 {
            store.space.assert_whole();
        }
    }
    assert!(ids().all(|id| store.is_live(id, NOW + HOUR - 1)));
    for gone in (0..3_000).step_by(100) {
        let now = NOW + HOUR + TOMBSTONE_MS + gone;
        while at_once(store.sweep(now, 64)) > 0 {}
        store.space.assert_whole();
        let told = ids().map(|id| store.look(id, now)).collect::<Vec<_>>();
        let (absent, ended) = told.split_at(usize::try_from(gone).unwrap() + 1);
        assert!(absent.iter().all(|look| *look == Look::Absent), "what is forgotten is absent");
        assert!(ended.iter().all(|look| *look == Look::Ended(EndReason::Expired)), "tombstones stay");
    }
}

/// Sixteen shards with sixty owners each, most of whom leave.
#[test]
fn room_that_is_no_longer_needed_is_given_back() {
    let store = MemoryStore::new(1_024);
    let ids = || (0..1_000).map(|number| (of(owner(number), number), owner(number)));
    for (id, owner) in ids() {
        store.log_in(id, owner, NOW);
    }
    store.space.assert_whole();
    let full = store.space.room();
    assert!(full[0] >= 1_334 && full[1] >= 1_000 && full[2] >= 1_000, "{full:?}");
    for (id, _) in ids().skip(32) {
        store.end_one(id, EndReason::LoggedOut, NOW);
    }
    // What is left of them is forgotten where it is met, as by late visitors: not all of it by a sweep.
    let later = NOW + TOMBSTONE_MS;
    for (id, _) in ids().skip(64) {
        assert_eq!(store.look(id, later), Look::Absent);
    }
    while at_once(store.sweep(later, 256)) > 0 {}
    store.space.assert_whole();
    let few = store.space.room();
    assert!(few[0] < 300 && few[1] < 300 && few[2] < 500, "{few:?} of {full:?}");
    for (id, _) in ids().take(32) {
        store.end_one(id, EndReason::LoggedOut, later);
    }
    while at_once(store.sweep(later + TOMBSTONE_MS, 256)) > 0 {}
    assert_eq!(store.space.room(), [0; 3]);
}
