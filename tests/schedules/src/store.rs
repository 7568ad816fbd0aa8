//! The memory store by itself: every operation is one step, whatever threads do at the same time.

use std::sync::Arc;

use sessions::{
    MemoryStore, SessionId, SessionStore, Version,
    store::{
        Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, End, EndReason, EndTarget, Expected, Limit,
        Loaded, Millis, Owner, Touch, Touched,
    },
};

use crate::world::{all, at_once, explore};

const NOW: Millis = 1_000_000_000;
const HOUR: Millis = 3_600_000;

fn owner(number: u32) -> Owner {
    Owner::of("test", "user", &number.to_string())
}

fn anonymous(number: u16) -> SessionId {
    SessionId::new(number, u128::from(number).to_be_bytes())
}

fn of(owner: &Owner, number: u64) -> SessionId {
    SessionId::new(owner.bucket(), u128::from(number).to_be_bytes())
}

fn record(version: u64) -> Arc<[u8]> {
    [version.to_be_bytes(), NOW.to_be_bytes()].concat().into()
}

fn creation(id: SessionId) -> Cas {
    Cas {
        id,
        owner: None,
        expected: Expected::Absent,
        announced: false,
        record: record(1),
        expires: NOW + HOUR,
        now: NOW,
        deadline: NOW + 2_000,
    }
}

fn change(id: SessionId, from: u64) -> Cas {
    let expected = Expected::Version(Version::of_record(&from.to_be_bytes()));
    Cas { expected, record: record(from + 1), ..creation(id) }
}

fn login(owner: Owner, number: u64, limit: Option<Limit>) -> Admit {
    Admit {
        id: of(&owner, number),
        owner,
        record: record(1),
        expires: NOW + HOUR,
        limit,
        replaces: None,
        began: number,
        now: NOW,
        deadline: NOW + 2_000,
    }
}

fn ending(target: EndTarget, stamp: u64) -> End {
    End { target, reason: EndReason::LoggedOut, now: NOW, stamp }
}

#[test]
fn a_counter_under_versions_loses_no_increment_and_repeats_no_answer() {
    explore(2_000, || async {
        let (store, id) = (MemoryStore::new(10), anonymous(1));
        store.cas(creation(id)).await.unwrap();
        let tasks = (0..3).map(|_| {
            let store = store.clone();
            at_once(async move {
                let (mut from, mut answers) = (1, Vec::new());
                while answers.len() < 2 {
                    match store.cas(change(id, from)).await.unwrap() {
                        CasOutcome::Stored => {
                            from += 1;
                            answers.push(from);
                        }
                        CasOutcome::Conflict(stored) => from = stored.version().as_u64(),
                        other => panic!("{other:?}"),
                    }
                }
                answers
            })
        });
        let mut answers = all(tasks.collect()).await.concat();
        answers.sort_unstable();
        assert!(answers.into_iter().eq(2..=7));
    });
}

#[test]
fn an_ended_session_is_revived_by_nothing() {
    explore(2_000, || async {
        let (store, id) = (MemoryStore::new(10), anonymous(1));
        store.cas(creation(id)).await.unwrap();
        let tasks = (0..4).map(|number| {
            let store = store.clone();
            at_once(async move {
                match number {
                    0 => {
                        let target = EndTarget::Session { id, owner: None };
                        assert_eq!(store.end(ending(target, 1)).await.unwrap().ids, [id]);
                        let loaded = store.load(id, NOW).await.unwrap();
                        assert!(matches!(loaded, Loaded::Ended(EndReason::LoggedOut)), "{loaded:?}");
                    }
                    1 => {
                        let written = store.cas(change(id, 1)).await.unwrap();
                        assert!(matches!(written, CasOutcome::Stored | CasOutcome::Gone(_)), "{written:?}");
                    }
                    2 => {
                        let touch = Touch { id, owner: None, seen: NOW + 1, expires: NOW + 2 * HOUR };
                        let _: Touched = store.touch(touch).await.unwrap();
                    }
                    _ => {
                        let again = store.cas(creation(id)).await.unwrap();
                        assert!(!matches!(again, CasOutcome::Stored), "an id is never taken twice");
                    }
                }
            })
        });
        all(tasks.collect()).await;
        assert!(matches!(store.load(id, NOW).await.unwrap(), Loaded::Ended(_)));
        assert_eq!(store.stats().await.unwrap().sessions, 0);
    });
}

#[test]
fn logins_logouts_and_a_revocation_keep_limit_index_and_sums() {
    explore(2_000, || async {
        let (store, user) = (MemoryStore::new(100), owner(7));
        let limit = Some(Limit { max: 2, behavior: BehaviorOnLimit::EvictOldest });
        let tasks = (1..=4).map(|number| {
            let store = store.clone();
            at_once(async move {
                if number == 3 {
                    let target = EndTarget::Owner { owner: user, except: None };
                    store.end(ending(target, number)).await.unwrap();
                    return;
                }
                let admitted = store.admit(login(user, number, limit)).await.unwrap();
                assert!(matches!(admitted, Admitted::Stored { .. } | Admitted::Revoked), "{admitted:?}");
                assert!(store.list(user, None, 10, NOW).await.unwrap().len() <= 2);
                if number == 4 {
                    let target = EndTarget::Session { id: of(&user, number), owner: Some(user) };
                    store.end(ending(target, 0)).await.unwrap();
                }
            })
        });
        all(tasks.collect()).await;
        let listed = store.list(user, None, 10, NOW).await.unwrap();
        assert!(listed.is_empty(), "what began before the revocation is gone, and the last has logged out");
        for number in 1..=4 {
            let loaded = store.load(of(&user, number), NOW).await.unwrap();
            assert!(!matches!(loaded, Loaded::Live(_)), "{number}: {loaded:?}");
        }
        assert_eq!(store.stats().await.unwrap().sessions, 0);
    });
}

#[test]
fn the_bound_holds_at_every_moment_and_nothing_is_counted_twice() {
    explore(2_000, || async {
        let store = MemoryStore::new(2);
        let tasks = (0_u16..4).map(|number| {
            let store = store.clone();
            at_once(async move {
                let stored = if number == 3 {
                    let admitted = store.admit(login(owner(1), 1, None)).await.unwrap();
                    matches!(admitted, Admitted::Stored { .. })
                } else {
                    matches!(store.cas(creation(anonymous(number))).await.unwrap(), CasOutcome::Stored)
                };
                assert!(store.stats().await.unwrap().sessions <= 2, "more than fit");
                (number, stored)
            })
        });
        let answers = all(tasks.collect()).await;
        let mut live = 0;
        for (number, _) in &answers {
            let id = if *number == 3 { of(&owner(1), 1) } else { anonymous(*number) };
            live += u64::from(matches!(store.load(id, NOW).await.unwrap(), Loaded::Live(_)));
        }
        let stats = store.stats().await.unwrap();
        assert_eq!(stats.sessions, live, "the sum is what is there");
        let stored = answers.iter().filter(|(_, stored)| *stored).count() as u64;
        assert_eq!(stored - stats.evicted_for_space, live, "each was stored once and evicted at most once");
        let kept = matches!(store.load(of(&owner(1), 1), NOW).await.unwrap(), Loaded::Live(_));
        let admitted = answers.iter().any(|&(number, stored)| number == 3 && stored);
        assert_eq!(kept, admitted, "no anonymous session takes the place of one with an owner");
    });
}

#[test]
fn a_sweep_frees_only_what_has_expired() {
    explore(2_000, || async {
        let store = MemoryStore::new(10);
        for number in 0..3 {
            store.cas(Cas { expires: NOW + 10, ..creation(anonymous(number)) }).await.unwrap();
        }
        let later = NOW + 10;
        let tasks = (0_u16..3).map(|number| {
            let store = store.clone();
            at_once(async move {
                if number == 0 {
                    store.sweep(later, 100).await.unwrap();
                    return;
                }
                let id = anonymous(number);
                let touch = Touch { id, owner: None, seen: later - 1, expires: later + HOUR };
                let noted = store.touch(touch).await.unwrap() == Touched::Noted;
                let lives = matches!(store.load(id, later).await.unwrap(), Loaded::Live(_));
                assert_eq!(noted, lives);
            })
        });
        all(tasks.collect()).await;
        assert!(!matches!(store.load(anonymous(0), later).await.unwrap(), Loaded::Live(_)));
    });
}
