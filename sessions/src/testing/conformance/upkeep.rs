//! Upkeep: sweeping, counting, closing.

use super::{
    clause,
    kit::{HOUR, Kit, Look, NOW, ada, anonymous, of, owner, seen},
};
use crate::store::{EndReason, SessionStore, TOMBSTONE_MS};

/// A sweep frees at most what it may, and tells how much it freed.
pub async fn a_sweep_keeps_to_its_bound<S: SessionStore>(kit: Kit<S>) {
    for number in 0..30 {
        kit.create(anonymous(number), NOW).await;
    }
    kit.same(clause::SWEEP, "freed before anything has expired", kit.sweep(NOW + HOUR - 1, 9).await, 0);
    let (later, mut total) = (NOW + HOUR + TOMBSTONE_MS, 0);
    loop {
        let before = kit.stats().await.sessions;
        let freed = kit.sweep(later, 7).await;
        kit.holds(clause::SWEEP, freed <= 7, format_args!("{freed} freed by a sweep of at most 7"));
        let gone = before - kit.stats().await.sessions;
        kit.holds(clause::SWEEP, gone <= 7, format_args!("{gone} records gone by a sweep of at most 7"));
        total += freed;
        if freed == 0 {
            break;
        }
    }
    kit.holds(clause::SWEEP, total >= 30, format_args!("{total} freed of 30 that had expired"));
    kit.same(clause::SWEPT, "sessions afterwards", kit.stats().await.sessions, 0);
    kit.same(clause::SWEEP, "freed by a sweep of none", kit.sweep(later, 0).await, 0);
}

/// A sweep frees no live session, and goes by the end that a touch has moved.
pub async fn a_sweep_frees_no_live_session<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    kit.log_in(of(ada(), 1), ada(), NOW).await;
    kit.touch(seen(anonymous(1), None, NOW + 1, NOW + 2 * HOUR)).await;
    kit.touch(seen(of(ada(), 1), Some(ada()), NOW + 1, NOW + 2 * HOUR)).await;
    kit.sweep_all(NOW + 2 * HOUR - 1).await;
    for id in [anonymous(1), of(ada(), 1)] {
        let look = kit.look(id, NOW + 2 * HOUR - 1).await;
        kit.same(clause::SWEPT, "a load after a sweep", look, Look::Live(1, NOW + 1));
    }
    let ids = kit.ids_of(ada(), NOW + 2 * HOUR - 1).await;
    kit.same(clause::SWEPT, "the owner's sessions after a sweep", ids, vec![of(ada(), 1)]);
}

/// A session that was swept ends no other of its owner, and leaves the list in order.
pub async fn a_sweep_keeps_the_order_of_logins<S: SessionStore>(kit: Kit<S>) {
    for (number, order) in [(4, 0), (2, 1), (0, 2)] {
        kit.log_in(of(ada(), number), ada(), NOW + order * HOUR / 2).await;
    }
    let later = NOW + HOUR;
    kit.sweep_all(later).await;
    let ids = kit.ids_of(ada(), later).await;
    kit.same(clause::SWEPT, "the owner's sessions", ids, vec![of(ada(), 2), of(ada(), 0)]);
}

/// Once the expired are freed, the counts are exact.
pub async fn counts_are_exact_after_a_sweep<S: SessionStore>(kit: Kit<S>) {
    let counts = async |now| {
        kit.sweep_all(now).await;
        let stats = kit.stats().await;
        (stats.sessions, stats.principals)
    };
    kit.same(clause::STATS, "sessions and principals of a fresh store", counts(NOW).await, (0, 0));
    kit.log_in(of(ada(), 1), ada(), NOW).await;
    kit.log_in(of(ada(), 2), ada(), NOW).await;
    kit.log_in(of(owner(2), 3), owner(2), NOW).await;
    kit.create(anonymous(4), NOW).await;
    kit.same(clause::STATS, "sessions and principals", counts(NOW).await, (4, 2));
    kit.end_one(anonymous(4), EndReason::LoggedOut, NOW).await;
    kit.end_all(ada(), None, NOW).await;
    kit.same(clause::STATS, "sessions and principals after ends", counts(NOW).await, (1, 1));
    kit.same(
        clause::STATS,
        "sessions and principals after the last expired",
        counts(NOW + HOUR).await,
        (0, 0),
    );
}

/// A store may be told to close more than once.
pub async fn a_second_shutdown_is_fine<S: SessionStore>(kit: Kit<S>) {
    kit.create(anonymous(1), NOW).await;
    kit.shutdown().await;
    kit.shutdown().await;
}
