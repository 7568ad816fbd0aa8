//! Single sessions: versions, endings, tombstones, expiry.

use super::*;

#[test]
fn what_was_created_is_read_back() {
    let store = MemoryStore::new(10);
    assert_eq!(store.look(anonymous(1), NOW), Look::Absent);
    store.create(anonymous(1), NOW);
    assert_eq!(store.look(anonymous(1), NOW), Look::Live(1, NOW));
    let Loaded::Live(stored) = at_once(store.load(anonymous(1), NOW)) else { panic!("it is live") };
    assert_eq!(stored.record, record(1, NOW));
    assert_eq!(
        store.look(SessionId::new(2, *anonymous(1).sid()), NOW),
        Look::Absent,
        "the bucket is part of the id"
    );
}

#[test]
fn creating_twice_is_a_conflict_that_shows_what_is_stored() {
    let store = MemoryStore::new(10);
    store.create(anonymous(1), NOW);
    let again = Cas { record: record(9, NOW), ..creation(anonymous(1), NOW) };
    let CasOutcome::Conflict(stored) = store.write(again) else { panic!("it is taken") };
    assert_eq!(stored.version().as_u64(), 1);
}

#[test]
fn only_the_expected_version_is_replaced() {
    let store = MemoryStore::new(10);
    store.create(anonymous(1), NOW);
    assert!(matches!(store.write(change(anonymous(1), 1, NOW + 1)), CasOutcome::Stored));
    let CasOutcome::Conflict(stored) = store.write(change(anonymous(1), 1, NOW + 2)) else {
        panic!("it is stale")
    };
    assert_eq!((stored.version().as_u64(), stored.last_seen), (2, NOW + 1));
    assert_eq!(store.look(anonymous(1), NOW + 2), Look::Live(2, NOW + 1));
}

#[test]
fn a_write_states_when_the_session_expires_and_never_moves_its_last_use_back() {
    let store = MemoryStore::new(10);
    store.create(anonymous(1), NOW);
    let write = Cas { record: record(2, NOW - 5), expires: NOW + 10, ..change(anonymous(1), 1, NOW) };
    assert!(matches!(store.write(write), CasOutcome::Stored));
    assert_eq!(store.look(anonymous(1), NOW + 9), Look::Live(2, NOW));
    assert_eq!(store.look(anonymous(1), NOW + 10), Look::Ended(EndReason::Expired));
}

#[test]
fn a_late_write_is_not_applied() {
    let store = MemoryStore::new(10);
    let late = Cas { deadline: NOW - 1, ..creation(anonymous(1), NOW) };
    assert!(matches!(store.write(late), CasOutcome::Late));
    assert_eq!(store.look(anonymous(1), NOW), Look::Absent);
    assert!(matches!(store.write(Cas { deadline: NOW, ..creation(anonymous(1), NOW) }), CasOutcome::Stored));
    let late = Cas { deadline: NOW - 1, ..change(anonymous(1), 1, NOW) };
    assert!(matches!(store.write(late), CasOutcome::Late));
    let late = Admit { deadline: NOW - 1, ..login(of(owner(1), 1), owner(1), NOW) };
    assert_eq!(at_once(store.admit(late)), Admitted::Late);
}

#[test]
fn nothing_revives_an_ended_session() {
    let store = MemoryStore::new(10);
    let (id, user) = (of(owner(1), 1), owner(1));
    store.log_in(id, user, NOW);
    assert_eq!(store.end_one(id, EndReason::LoggedOut, NOW + 1), [id]);
    let now = NOW + 2;
    let touch = Touch { id, owner: Some(user), seen: now, expires: now + HOUR };
    assert_eq!(at_once(store.touch(touch)), Touched::Gone);
    for write in [change(id, 1, now), creation(id, now)] {
        let outcome = store.write(Cas { owner: Some(user), ..write });
        assert!(matches!(outcome, CasOutcome::Gone(Some(EndReason::LoggedOut))), "{outcome:?}");
    }
    assert_eq!(at_once(store.admit(login(id, user, now))), Admitted::Exists);
    assert_eq!(store.end_one(id, EndReason::Revoked, now), [], "it was not live");
    assert_eq!(store.look(id, now), Look::Ended(EndReason::LoggedOut));
    assert_eq!(store.ids_of(user, now), []);
}

#[test]
fn a_write_never_creates_what_it_expected_to_find() {
    let store = MemoryStore::new(10);
    assert!(matches!(store.write(change(anonymous(1), 1, NOW)), CasOutcome::Gone(None)));
    let touch = Touch { id: anonymous(1), owner: None, seen: NOW, expires: NOW + HOUR };
    assert_eq!(at_once(store.touch(touch)), Touched::Gone);
    assert_eq!(store.end_one(anonymous(1), EndReason::LoggedOut, NOW), []);
    assert_eq!((store.look(anonymous(1), NOW), store.counts().sessions), (Look::Absent, 0));
}

#[test]
fn a_tombstone_is_forgotten_after_its_time() {
    let store = MemoryStore::new(10);
    store.create(anonymous(1), NOW);
    store.end_one(anonymous(1), EndReason::Superseded, NOW);
    let end = NOW + crate::store::TOMBSTONE_MS;
    assert_eq!(store.look(anonymous(1), end - 1), Look::Ended(EndReason::Superseded));
    assert_eq!(store.look(anonymous(1), end), Look::Absent);
    assert!(matches!(store.write(creation(anonymous(1), end)), CasOutcome::Stored));
}

#[test]
fn expiry_is_exact_without_a_sweep_and_beats_every_write() {
    let at = NOW + HOUR;
    for attempt in 0..4 {
        let store = MemoryStore::new(10);
        let id = of(owner(1), 1);
        store.log_in(id, owner(1), NOW);
        assert!(store.is_live(id, at - 1));
        match attempt {
            0 => {
                let outcome = store.write(Cas { owner: Some(owner(1)), ..change(id, 1, at) });
                assert!(matches!(outcome, CasOutcome::Gone(Some(EndReason::Expired))), "{outcome:?}");
            }
            1 => {
                let touch = Touch { id, owner: Some(owner(1)), seen: at, expires: at + HOUR };
                assert_eq!(at_once(store.touch(touch)), Touched::Gone);
            }
            2 => assert_eq!(store.end_one(id, EndReason::LoggedOut, at), [], "it was dead before"),
            _ => assert_eq!(store.ids_of(owner(1), at), []),
        }
        assert_eq!(store.look(id, at), Look::Ended(EndReason::Expired));
        assert_eq!(store.look(id, at + crate::store::TOMBSTONE_MS), Look::Absent);
    }
}

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
fn a_touch_lengthens_and_never_shortens() {
    let store = MemoryStore::new(10);
    store.create(anonymous(1), NOW);
    let touch = |seen, expires| at_once(store.touch(Touch { id: anonymous(1), owner: None, seen, expires }));
    assert_eq!(touch(NOW + 100, NOW + 2 * HOUR), Touched::Noted);
    assert_eq!(touch(NOW + 50, NOW + 60), Touched::Noted);
    assert_eq!(store.look(anonymous(1), NOW + 2 * HOUR - 1), Look::Live(1, NOW + 100), "the version stays");
    assert_eq!(store.look(anonymous(1), NOW + 2 * HOUR), Look::Ended(EndReason::Expired));
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
fn sessions_that_never_expire_are_fine() {
    let store = MemoryStore::new(10);
    store.write(Cas { expires: Millis::MAX, ..creation(anonymous(1), NOW) });
    let year_10000 = 253_402_300_800_000;
    assert!(store.is_live(anonymous(1), year_10000));
    assert_eq!(at_once(store.sweep(year_10000, 10)), 0);
}

#[test]
fn debug_shows_counts_and_no_ids() {
    let store = MemoryStore::new(10);
    store.create(anonymous(1), NOW);
    let text = format!("{store:?}");
    assert!(text.contains("sessions: 1") && !text.contains("SessionId"), "{text}");
}
