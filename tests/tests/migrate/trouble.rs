//! A migration that dies, a new store that is away, nodes that know only the old store.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::FutureExt as _;
use sessions::{
    MemoryStore, SharedStore,
    store::{Cas, EndReason, Expected, Loaded, MigrateError, MigratingStore, MigrationPhase, SessionStore},
    testing::SpyStore,
};

use crate::common::{Pair, SOME_TIME, admitted, anonymous, filled, of, owner, phase, stored};

fn pair() -> Pair {
    Pair::of(MemoryStore::new(100_000), MemoryStore::new(100_000))
}

/// A pair whose new store can be taken away.
fn watched() -> (Pair, SpyStore<MemoryStore>) {
    let spy = SpyStore::new(MemoryStore::new(100_000));
    (Pair::of(MemoryStore::new(100_000), spy.clone()), spy)
}

#[tokio::test]
async fn every_session_is_the_same_afterwards() {
    let pair = pair();
    filled(&pair, 250).await;
    for number in 0..30 {
        admitted(&pair.old, pair.login(owner(number % 3), number, 100)).await;
    }
    let before: Vec<_> =
        [pair.live_of(&pair.old, owner(0)).await, pair.live_of(&pair.old, owner(1)).await].into();
    let progress = pair.node().migration().run().await.unwrap();
    assert_eq!((progress.phase, progress.total), (MigrationPhase::Done, 280));
    assert_eq!((progress.copied, progress.verified), (280, 280), "{progress}");
    assert_eq!((progress.repaired, progress.ended, progress.failed, progress.restarts), (0, 0, 0, 0));
    for number in 0..250 {
        assert_eq!(pair.counted(&pair.new, anonymous(number)).await, Some(number));
    }
    let after: Vec<_> =
        [pair.live_of(&pair.new, owner(0)).await, pair.live_of(&pair.new, owner(1)).await].into();
    assert_eq!(after, before, "in the order of their logins");
    let login = pair.login(owner(1), 1_000, 10);
    assert_eq!(admitted(&pair.node(), login).await, [before[1][0]], "the oldest goes");
}

#[tokio::test]
async fn a_migration_that_died_goes_on_where_it_was() {
    let pair = pair();
    filled(&pair, 300).await;
    let node = pair.node();
    let first = node.migration().page(10).on_progress(|progress| assert!(progress.copied < 100, "it dies"));
    assert!(tokio::spawn(first.run()).await.unwrap_err().is_panic());
    let done = node.progress().await.unwrap();
    assert_eq!(done.phase, MigrationPhase::Copying);
    let progress = pair.node().migration().run().await.unwrap();
    assert_eq!(progress.copied, 300, "none is copied twice: {progress}");
    assert_eq!(progress.verified, 300);
}

/// Else what ended just before the copy began would be forgotten, and a write from before could bring it back.
#[tokio::test]
async fn a_migration_that_died_while_it_waited_is_not_over_sooner() {
    let pair = pair();
    filled(&pair, 20).await;
    let minute = Duration::from_secs(60);
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let run = || {
        let told = told.clone();
        let migration = pair.node().migration().settle(minute);
        tokio::spawn(
            migration
                .on_progress(move |progress| {
                    let _ = told.send(*progress);
                })
                .run(),
        )
    };
    for _ in 0..2 {
        let first = run();
        // The beginning, the two passes, and more than one sign of waiting.
        for _ in 0..6 {
            let progress = heard.recv().await.unwrap();
            assert_eq!((progress.phase, progress.verified), (MigrationPhase::Copying, 0), "{progress}");
        }
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
    }
    let last = run();
    pair.clock.advance(minute);
    let progress = last.await.unwrap().unwrap();
    assert_eq!((progress.phase, progress.verified), (MigrationPhase::Done, 20));
}

#[tokio::test]
async fn two_migrations_at_once_are_one() {
    let pair = pair();
    filled(&pair, 50).await;
    let node = pair.copying().await;
    let second = pair.node().migration().run().await;
    assert!(matches!(second, Err(MigrateError::Busy)), "{second:?}");
    assert_eq!(node.progress().await.unwrap().phase, MigrationPhase::Copying);
}

#[tokio::test]
async fn a_new_store_that_is_away_takes_nothing_down_and_the_copy_begins_anew() {
    let (pair, new) = watched();
    filled(&pair, 50).await;
    let node = pair.copying().await;
    assert_eq!(pair.counted(&pair.new, anonymous(7)).await, Some(7), "it was copied");
    new.set_down(true);
    for _ in 0..5 {
        assert_eq!(pair.increment(&node, anonymous(7), None).await, Some(true));
    }
    assert_eq!(node.progress().await.unwrap().phase, MigrationPhase::NotBegun, "the copy can't be relied on");
    assert!(!node.end(pair.logout(anonymous(8), None)).await.unwrap().ids.is_empty());
    assert_eq!(admitted(&node, pair.login(owner(1), 1, 1)).await, []);
    new.set_down(false);
    // The run that waited has noticed by itself, or another takes its place.
    let progress = loop {
        match pair.node().migration().run().await {
            Err(MigrateError::Busy) => tokio::time::sleep(Duration::from_millis(50)).await,
            other => break other.unwrap(),
        }
        if node.progress().await.unwrap().phase == MigrationPhase::Copying {
            break node.progress().await.unwrap();
        }
    };
    assert!(progress.restarts > 0, "{progress}");
    let has_followed = async {
        while pair.counted(&pair.new, anonymous(7)).await != Some(12)
            || pair.counted(&pair.new, anonymous(8)).await.is_some()
            || pair.counted(&pair.new, of(owner(1), 1)).await.is_none()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOME_TIME, has_followed).await.unwrap();
}

#[tokio::test]
async fn what_ended_before_its_copy_meets_a_tombstone() {
    let pair = pair();
    let node = pair.copying().await;
    stored(&pair.old, pair.creation(anonymous(1), 1)).await;
    admitted(&pair.old, pair.login(owner(2), 2, 1)).await;
    node.end(pair.logout(anonymous(1), None)).await.unwrap();
    let evicted = admitted(&node, pair.login(owner(2), 3, 1)).await;
    assert_eq!(evicted, [of(owner(2), 2)]);
    for (id, expected) in [(anonymous(1), EndReason::LoggedOut), (of(owner(2), 2), EndReason::Evicted)] {
        let loaded = pair.new.load(id, pair.now()).await.unwrap();
        assert!(matches!(loaded, Loaded::Ended(reason) if reason == expected), "{loaded:?}");
    }
}

#[tokio::test]
async fn a_write_is_in_both_stores_before_it_is_acknowledged() {
    let pair = pair();
    filled(&pair, 3).await;
    let node = pair.copying().await;
    assert_eq!(pair.increment(&node, anonymous(1), None).await, Some(true));
    stored(&node, pair.creation(anonymous(9), 9)).await;
    admitted(&node, pair.login(owner(1), 1, 1)).await;
    for (id, expected) in [(anonymous(1), 2), (anonymous(9), 9), (of(owner(1), 1), 0)] {
        assert_eq!(pair.counted(&pair.new, id).await, Some(expected));
    }
    // Others were quicker in the old store, and have not been followed yet.
    let Loaded::Live(before) = pair.old.load(anonymous(2), pair.now()).await.unwrap() else { unreachable!() };
    let by_others = Cas { expected: Expected::Version(before.version()), ..pair.creation(anonymous(2), 40) };
    stored(&pair.old, by_others).await;
    assert_eq!(pair.increment(&node, anonymous(2), None).await, Some(true));
    assert_eq!(pair.counted(&pair.new, anonymous(2)).await, Some(41));
}

#[tokio::test]
async fn a_login_stays_behind_those_that_are_not_copied_yet() {
    let pair = pair();
    filled(&pair, 50).await;
    admitted(&pair.old, pair.login(owner(1), 1, 9)).await;
    let (other, node) = (pair.clone(), pair.node());
    let mut is_first = true;
    let migration = pair.node().migration().on_progress(move |_| {
        if std::mem::take(&mut is_first) {
            let now = admitted(&node, other.login(owner(1), 2, 9)).now_or_never();
            assert_eq!(now, Some(vec![]));
            let followed = other.live_of(&other.new, owner(1)).now_or_never();
            assert_eq!(followed, Some(vec![]), "the copy brings both, in their order");
        }
    });
    migration.run().await.unwrap();
    assert_eq!(pair.live_of(&pair.new, owner(1)).await, [of(owner(1), 1), of(owner(1), 2)]);
}

/// Two that log in at the same time see each other in the old store, and neither in the new one.
#[tokio::test]
async fn a_login_brings_those_along_that_no_copy_will_bring() {
    let pair = pair();
    let node = pair.copying().await;
    admitted(&pair.old, pair.login(owner(1), 1, 9)).await;
    admitted(&node, pair.login(owner(1), 2, 9)).await;
    assert_eq!(pair.live_of(&pair.new, owner(1)).await, [of(owner(1), 1), of(owner(1), 2)]);
}

/// A node may go by what it read a moment ago: that the copy is under way.
#[tokio::test]
async fn no_login_leaves_itself_to_a_copy_that_is_over() {
    let pair = pair();
    filled(&pair, 10).await;
    let (node, other) = (pair.node(), pair.clone());
    let (mut has_read, mut has_logged_in) = (false, false);
    let migration = pair.node().migration().page(5).on_progress(move |progress| {
        if progress.copied > 0 && !std::mem::replace(&mut has_read, true) {
            assert_eq!(other.increment(&node, anonymous(1), None).now_or_never(), Some(Some(true)));
        }
        if progress.verified == 10 && !std::mem::replace(&mut has_logged_in, true) {
            // The first one's node has not followed yet.
            admitted(&other.old, other.login(owner(1), 1, 9)).now_or_never().unwrap();
            admitted(&node, other.login(owner(1), 2, 9)).now_or_never().unwrap();
        }
    });
    migration.run().await.unwrap();
    assert_eq!(pair.live_of(&pair.new, owner(1)).await, [of(owner(1), 1), of(owner(1), 2)]);
}

/// What a login ends is told, although the new store, in which that has ended already, has come to decide meanwhile.
#[tokio::test]
async fn a_login_that_outlasts_the_migration_tells_what_it_has_ended() {
    let (pair, spy) = watched();
    let new = spy.clone();
    for number in [1, 2] {
        admitted(&pair.old, pair.login(owner(1), number, 2)).await;
    }
    let (node, other) = (pair.node(), pair.clone());
    let login = async move { admitted(&node, other.login(owner(1), 3, 2)).await };
    let login = Arc::new(Mutex::new(Box::pin(login)));
    let (begun, now) = (Arc::clone(&login), pair.now());
    let mut is_begun = false;
    let migration = pair.node().migration().on_progress(move |progress| {
        if progress.verified == 2 && !std::mem::replace(&mut is_begun, true) {
            spy.set_slow(true);
            let has_ended = || {
                let found = spy.inner().load(of(owner(1), 1), now).now_or_never();
                matches!(found, Some(Ok(Loaded::Ended(EndReason::Evicted))))
            };
            let mut login = begun.lock().unwrap();
            // So far, and then it stands still.
            for _ in 0..100 {
                if !has_ended() {
                    assert_eq!(login.as_mut().now_or_never(), None);
                }
            }
            assert!(has_ended());
            spy.set_slow(false);
        }
    });
    migration.run().await.unwrap();
    // What it sends by what it knew comes too late.
    new.set_lag(&pair.clock, Duration::ZERO);
    pair.clock.advance(Duration::from_secs(1));
    let login = Arc::into_inner(login).unwrap().into_inner().unwrap();
    assert_eq!(login.await, [of(owner(1), 1)]);
    assert_eq!(pair.live_of(&pair.new, owner(1)).await, [of(owner(1), 2), of(owner(1), 3)]);
}

/// Else the new store would have more sessions of them than their limit.
#[tokio::test]
async fn nobody_is_brought_beside_those_whom_they_have_evicted() {
    let pair = pair();
    let node = pair.copying().await;
    for number in [1, 2] {
        admitted(&node, pair.login(owner(1), number, 2)).await;
    }
    // Its node has not followed yet.
    assert_eq!(admitted(&pair.old, pair.login(owner(1), 3, 2)).await, [of(owner(1), 1)]);
    admitted(&node, pair.login(owner(1), 4, 9)).await;
    let live = [2, 3, 4].map(|number| of(owner(1), number));
    assert_eq!(pair.live_of(&pair.new, owner(1)).await, live);
    let evicted = pair.new.load(of(owner(1), 1), pair.now()).await.unwrap();
    assert!(matches!(evicted, Loaded::Ended(EndReason::Evicted)), "{evicted:?}");
}

#[tokio::test]
async fn what_only_the_old_store_was_told_is_repaired() {
    let pair = pair();
    filled(&pair, 20).await;
    let node = pair.node();
    let run = tokio::spawn(node.migration().settle(Duration::from_secs(60)).run());
    let is_copied = async {
        while pair.counted(&pair.new, anonymous(19)).await.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOME_TIME, is_copied).await.unwrap();
    for number in 0..5 {
        assert_eq!(pair.increment(&pair.old, anonymous(number), None).await, Some(true));
    }
    pair.clock.advance(Duration::from_secs(61));
    let progress = run.await.unwrap().unwrap();
    assert_eq!(progress.repaired, 5, "{progress}");
    assert_eq!(pair.counted(&pair.new, anonymous(4)).await, Some(5));
}

#[tokio::test]
async fn nodes_that_know_only_the_old_store_are_found_out() {
    let pair = pair();
    filled(&pair, 20).await;
    let node = pair.node();
    let other = pair.clone();
    let migration = node.migration().on_progress(move |_| {
        // Between two pages, every time.
        let incremented = other.increment(&other.old, anonymous(3), None);
        assert_eq!(incremented.now_or_never(), Some(Some(true)));
    });
    let told = migration.run().await;
    assert!(matches!(told, Err(MigrateError::Unfollowed)), "{told:?}");
    assert_eq!(node.progress().await.unwrap().phase, MigrationPhase::Copying);
}

#[tokio::test]
async fn a_closing_that_was_left_alone_is_opened_again() {
    let pair = pair();
    filled(&pair, 5).await;
    let node = pair.node();
    let run = tokio::spawn(node.migration().run());
    phase(&node, MigrationPhase::Closing).await;
    run.abort();
    assert_eq!(pair.increment(&pair.node(), anonymous(1), None).await, Some(true));
    assert_eq!(node.progress().await.unwrap().phase, MigrationPhase::Copying);
    assert_eq!(pair.node().migration().run().await.unwrap().phase, MigrationPhase::Done);
    assert_eq!(pair.counted(&pair.new, anonymous(1)).await, Some(2));
}

#[tokio::test]
async fn the_old_store_may_be_emptied_afterwards() {
    let pair = pair();
    filled(&pair, 5).await;
    pair.node().migration().run().await.unwrap();
    let emptied = Pair { old: SharedStore::new(MemoryStore::new(10)), ..pair.clone() };
    let node = emptied.node();
    assert_eq!(pair.counted(&node, anonymous(3)).await, Some(3));
    assert_eq!(pair.increment(&node, anonymous(3), None).await, Some(true));
    assert_eq!(pair.counted(&pair.new, anonymous(3)).await, Some(4));
}

#[tokio::test]
async fn sessions_can_move_back_and_forth() {
    let pair = pair();
    filled(&pair, 5).await;
    let back = pair.back();
    for (way, expected) in [(&pair, 2), (&back, 3), (&pair, 4)] {
        let progress = way.node().migration().run().await.unwrap();
        assert_eq!(progress.verified, 5, "{progress}");
        assert_eq!(pair.increment(&way.node(), anonymous(1), None).await, Some(true));
        assert_eq!(pair.counted(&way.new, anonymous(1)).await, Some(expected));
    }
}

/// A node that goes by what it read before: nothing of it may reach the old store once the new one decides.
#[tokio::test]
async fn a_node_that_was_away_does_not_decide_by_what_it_knew() {
    let pair = pair();
    filled(&pair, 5).await;
    let slow: MigratingStore = pair.node();
    assert_eq!(pair.increment(&slow, anonymous(1), None).await, Some(true));
    pair.node().migration().run().await.unwrap();
    assert_eq!(pair.increment(&slow, anonymous(1), None).await, Some(true));
    assert_eq!(pair.counted(&pair.new, anonymous(1)).await, Some(3));
    assert_eq!(pair.counted(&pair.old, anonymous(1)).await, Some(2), "the old store is left alone");
}
