//! What this store says of single sessions beyond the contract: when the expired are freed, and how long they are told.

use super::*;

#[test]
fn what_one_clock_found_dead_is_dead_to_a_clock_that_is_behind() {
    let (id, user, at) = (of(owner(1), 1), owner(1), NOW + HOUR);
    let judges: [fn(&MemoryStore, SessionId, Owner, Millis); 4] = [
        |store, id, _, at| assert!(!store.is_live(id, at)),
        |store, id, user, at| {
            let touch = Touch { id, owner: Some(user), seen: at, expires: at + HOUR };
            assert_eq!(at_once(store.touch(touch)), Touched::Gone);
        },
        |store, _, user, at| assert_eq!(store.ids_of(user, at), []),
        |store, _, user, at| assert_eq!(store.end_all(user, None, at), []),
    ];
    for judge in judges {
        let store = MemoryStore::new(10);
        store.log_in(id, user, NOW);
        judge(&store, id, user, at);
        assert_eq!(store.look(id, at - 1), Look::Ended(EndReason::Expired));
        assert_eq!(store.counts().sessions, 0, "it is freed when it is met");
    }
}

#[test]
fn a_session_that_expired_long_ago_is_absent_at_once() {
    let store = MemoryStore::new(10);
    store.create(anonymous(1), NOW);
    let later = NOW + HOUR + crate::store::TOMBSTONE_MS;
    assert!(matches!(store.write(change(anonymous(1), 1, later)), CasOutcome::Gone(None)));
    assert_eq!(store.counts().sessions, 0);
}

#[test]
fn expired_sessions_are_freed_by_writes_to_their_shard() {
    let store = MemoryStore::new(1_000);
    for number in 0..500 {
        store.create(SessionId::new(7, sid(number)), NOW);
    }
    let later = NOW + 2 * HOUR;
    for number in 0..200 {
        store.create(SessionId::new(7, sid(1_000 + number)), later);
    }
    assert_eq!(store.counts().sessions, 200, "500 that expired are gone, without a sweep");
}

#[test]
fn a_sweep_frees_what_expired_in_bounded_steps() {
    let store = MemoryStore::new(10_000);
    for number in 0..3_000 {
        store.create(anonymous(number), NOW);
    }
    store.create(anonymous(4_000), NOW + HOUR);
    assert_eq!(at_once(store.sweep(NOW + HOUR - 1, 100)), 0);
    let later = NOW + HOUR + crate::store::TOMBSTONE_MS;
    let mut freed = Vec::new();
    while let count @ 1.. = at_once(store.sweep(later, 700)) {
        freed.push(count);
    }
    assert_eq!(freed, [700, 700, 700, 700, 200]);
    assert_eq!(store.counts().sessions, 1);
    assert!(store.is_live(anonymous(4_000), later));
}

#[test]
fn a_swept_session_leaves_a_tombstone_for_the_rest_of_its_time() {
    let store = MemoryStore::new(10);
    store.create(anonymous(1), NOW);
    let at = NOW + HOUR;
    assert_eq!((at_once(store.sweep(at, 10)), store.counts().sessions), (1, 0));
    assert_eq!(store.look(anonymous(1), at), Look::Ended(EndReason::Expired));
    assert_eq!(at_once(store.sweep(at + crate::store::TOMBSTONE_MS, 10)), 1);
}

#[test]
fn debug_shows_counts_and_no_ids() {
    let store = MemoryStore::new(10);
    store.create(anonymous(1), NOW);
    let text = format!("{store:?}");
    assert!(text.contains("sessions: 1") && !text.contains("SessionId"), "{text}");
}
