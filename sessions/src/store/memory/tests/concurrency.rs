//! Many threads at once: the store is never fuller than it may be.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use super::*;

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
