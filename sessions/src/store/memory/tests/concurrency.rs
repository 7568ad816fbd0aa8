//! Many threads at once: nothing is lost, nothing is counted twice, nothing is fuller than it may be.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use super::*;
use crate::store::{BehaviorOnLimit, Stored};

/// Runs the same thing on so many threads that begin together.
fn together<T: Send>(threads: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(threads);
    let begin = |thread| {
        barrier.wait();
        run(thread)
    };
    thread::scope(|scope| {
        let mut handles = Vec::new();
        for thread in 0..threads {
            let begin = &begin;
            handles.push(scope.spawn(move || begin(thread)));
        }
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    })
}

#[test]
fn fifty_logins_at_once_leave_exactly_as_many_as_allowed() {
    for behavior in [BehaviorOnLimit::Reject, BehaviorOnLimit::EvictOldest, BehaviorOnLimit::EvictAll] {
        for round in 0..20 {
            let (store, user) = (MemoryStore::new(1_000), owner(round));
            let limit = Some(Limit { max: 3, behavior });
            let answers = together(50, |thread| {
                at_once(store.admit(Admit { limit, ..login(of(user, thread), user, NOW) }))
            });
            let stored = answers.iter().filter(|answer| matches!(answer, Admitted::Stored { .. })).count();
            let evicted: usize = answers
                .iter()
                .map(|answer| if let Admitted::Stored { evicted } = answer { evicted.len() } else { 0 })
                .sum();
            let live = store.ids_of(user, NOW).len();
            assert_eq!(stored - evicted, live, "each session was admitted once and evicted at most once");
            match behavior {
                BehaviorOnLimit::EvictAll => assert!((1..=3).contains(&live)),
                _ => assert_eq!(live, 3),
            }
            assert_eq!(store.counts().sessions, live as u64);
        }
    }
}

#[test]
fn a_counter_under_versions_loses_no_increment_and_repeats_no_answer() {
    const EACH: u64 = 500;
    let store = MemoryStore::new(10);
    let first = Cas { record: record(0, NOW), ..creation(anonymous(1), NOW) };
    assert!(matches!(store.write(first), CasOutcome::Stored));
    let answers = together(8, |_| {
        let (mut from, mut answers) = (0, Vec::new());
        while answers.len() < usize::try_from(EACH).unwrap() {
            match store.write(change(anonymous(1), from, NOW)) {
                CasOutcome::Stored => {
                    from += 1;
                    answers.push(from);
                }
                CasOutcome::Conflict(stored) => from = Stored::version(&stored).as_u64(),
                other => panic!("{other:?}"),
            }
        }
        answers
    });
    let mut answers: Vec<_> = answers.concat();
    answers.sort_unstable();
    assert!(answers.into_iter().eq(1..=8 * EACH));
}

#[test]
fn one_of_many_creations_wins() {
    let store = MemoryStore::new(1_000);
    for number in 0..200 {
        let answers = together(4, |_| store.write(creation(anonymous(number), NOW)));
        assert_eq!(answers.iter().filter(|answer| matches!(answer, CasOutcome::Stored)).count(), 1);
    }
    assert_eq!(store.counts().sessions, 200);
}

#[test]
fn revoke_all_misses_no_login_that_began_before() {
    for round in 0..200 {
        let (store, user) = (MemoryStore::new(1_000), owner(round));
        let clock = AtomicU64::new(stamp(NOW));
        let revocations = together(6, |thread| {
            let stamp = clock.fetch_add(1, SeqCst);
            if thread == 0 {
                let target = EndTarget::Owner { owner: user, except: None };
                at_once(SessionStore::end(
                    &store,
                    End { target, reason: EndReason::Revoked, now: NOW, stamp },
                ));
                return Some(stamp);
            }
            // The sid says when the login began.
            let id = SessionId::new(user.bucket(), u128::from(stamp).to_be_bytes());
            at_once(store.admit(Admit { began: stamp, ..login(id, user, NOW) }));
            None
        });
        let revoked = u128::from(revocations[0].unwrap());
        let left = store.ids_of(user, NOW);
        assert!(left.iter().all(|id| u128::from_be_bytes(*id.sid()) > revoked));
    }
}

#[test]
fn the_bound_holds_at_every_moment() {
    const MAX: usize = 200;
    let store = MemoryStore::new(MAX);
    let (running, fullest) = (AtomicUsize::new(4), AtomicU64::new(0));
    together(5, |thread| {
        if thread == 4 {
            while running.load(SeqCst) > 0 {
                fullest.fetch_max(store.counts().sessions, SeqCst);
            }
            return;
        }
        for step in 0..5_000 {
            let number = step * 4 + thread;
            let now = NOW + step as u64;
            let user = owner(number % 97);
            match number % 3 {
                0 => drop(at_once(store.admit(login(of(user, number), user, now)))),
                1 => drop(store.write(Cas { expires: now + 100, ..creation(anonymous(number), now) })),
                _ => drop(store.end_all(owner(step % 97), None, now)),
            }
        }
        running.fetch_sub(1, SeqCst);
    });
    assert!(fullest.into_inner() <= MAX as u64);
    store.space.assert_whole();
}
