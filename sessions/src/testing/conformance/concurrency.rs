//! Many at once: one winner a version, no limit exceeded, no end undone.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Barrier, task::JoinSet};

use super::{
    clause,
    kit::{Kit, Look, NOW, Wrote, anonymous, change, creation, login, of, owner, record, seen, stamp},
};
use crate::store::{
    Admit, Admitted, BehaviorOnLimit, Cas, End, EndReason, EndTarget, Limit, SessionId, SessionStore,
};

/// So many rounds at least, and more while a second has not passed.
fn rounds(least: usize, most: usize) -> impl Iterator<Item = usize> {
    let begin = Instant::now();
    (0..most).take_while(move |round| *round < least || begin.elapsed() < Duration::from_secs(1))
}

/// What so many tasks come to that begin together, in their order.
async fn together<T, F>(tasks: usize, mut task: impl FnMut(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (barrier, mut running) = (Arc::new(Barrier::new(tasks)), JoinSet::new());
    for number in 0..tasks {
        let (barrier, task) = (Arc::clone(&barrier), task(number));
        running.spawn(async move {
            barrier.wait().await;
            (number, task.await)
        });
    }
    let mut answers = Vec::with_capacity(tasks);
    while let Some(answer) = running.join_next().await {
        match answer {
            Ok(answer) => answers.push(answer),
            Err(failed) => match failed.try_into_panic() {
                Ok(complaint) => std::panic::resume_unwind(complaint),
                Err(_) => unreachable!("no one cancels a task"),
            },
        }
    }
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Of many that create one session at once, one does.
pub async fn one_of_many_creations_wins<S: SessionStore>(kit: Kit<S>) {
    for round in rounds(5, 100) {
        let answers = together(8, |task| {
            let kit = kit.clone();
            let write = Cas { record: record(task as u64, NOW), ..creation(anonymous(round), NOW) };
            async move { kit.cas(write).await }
        })
        .await;
        let winners = answers.iter().filter(|answer| **answer == Wrote::Stored).count();
        kit.same(clause::ATOMIC, "creations that were stored, of 8 at once", winners, 1);
    }
}

/// Of many that write on one version at once, one does, and the others are shown what it wrote.
pub async fn one_of_many_writes_on_a_version_wins<S: SessionStore>(kit: Kit<S>) {
    for round in rounds(5, 100) {
        let id = anonymous(round);
        kit.create(id, NOW).await;
        let answers = together(8, |task| {
            let (kit, record) = (kit.clone(), record(100 + task as u64, NOW));
            async move { kit.cas(Cas { record, ..change(id, 1, NOW) }).await }
        })
        .await;
        let winners: Vec<_> = (0..8).filter(|task| answers[*task] == Wrote::Stored).collect();
        kit.same(clause::ATOMIC, "writes on version 1 that were stored, of 8 at once", winners.len(), 1);
        let stored = 100 + winners[0] as u64;
        let refused = answers.iter().filter(|answer| **answer == Wrote::Conflict(stored, NOW)).count();
        kit.same(clause::CAS, "conflicts that show what the winner wrote", refused, 7);
    }
}

/// Nothing that was acknowledged is lost: a counter under versions counts every increment once.
pub async fn a_counter_under_versions_loses_no_increment<S: SessionStore>(kit: Kit<S>) {
    const TASKS: usize = 8;
    let each = 25;
    let id = anonymous(1);
    kit.cas(Cas { record: record(0, NOW), ..creation(id, NOW) }).await;
    let counted = together(TASKS, |_| {
        let kit = kit.clone();
        async move {
            let (mut from, mut counted) = (0, Vec::new());
            while counted.len() < each {
                match kit.cas(change(id, from, NOW)).await {
                    Wrote::Stored => {
                        from += 1;
                        counted.push(from);
                    }
                    Wrote::Conflict(current, _) => from = current,
                    other => {
                        kit.holds(clause::CAS, false, format_args!("a write on a live session: {other:?}"));
                    }
                }
            }
            counted
        }
    })
    .await;
    let mut counted = counted.concat();
    counted.sort_unstable();
    let all = (1..=(TASKS * each) as u64).collect::<Vec<_>>();
    kit.same(clause::ATOMIC, "what 8 tasks counted", counted, all);
}

/// However many log in at once, the limit holds, and each was admitted and evicted at most once.
pub async fn simultaneous_logins_keep_to_the_limit<S: SessionStore>(kit: Kit<S>) {
    for round in rounds(2, 20) {
        let behaviors = [BehaviorOnLimit::Reject, BehaviorOnLimit::EvictOldest, BehaviorOnLimit::EvictAll];
        for (number, behavior) in behaviors.into_iter().enumerate() {
            let user = owner(1_000 + 10 * round + number);
            let limit = Some(Limit { max: 3, behavior });
            let answers = together(24, |task| {
                let kit = kit.clone();
                async move { kit.admit(Admit { limit, ..login(of(user, task), user, NOW) }).await }
            })
            .await;
            let mut evicted: Vec<SessionId> = Vec::new();
            let mut admitted = Vec::new();
            for (task, answer) in answers.into_iter().enumerate() {
                match answer {
                    Admitted::Stored { evicted: ids } => {
                        admitted.push(of(user, task));
                        evicted.extend(ids);
                    }
                    Admitted::LimitReached { live } if behavior == BehaviorOnLimit::Reject => {
                        kit.same(clause::LIMIT, "sessions told by a refusal", live, 3);
                    }
                    other => {
                        kit.holds(
                            clause::ADMIT,
                            false,
                            format_args!("a login under {behavior:?}: {other:?}"),
                        );
                    }
                }
            }
            let ended = evicted.len();
            evicted.sort_unstable();
            evicted.dedup();
            kit.same(clause::ADMIT, "evictions, each counted once", evicted.len(), ended);
            let live = kit.ids_of(user, NOW).await;
            let is_kept = if behavior == BehaviorOnLimit::EvictAll {
                (1..=3).contains(&live.len())
            } else {
                live.len() == 3
            };
            kit.holds(clause::ATOMIC, is_kept, format_args!("{} sessions of at most 3", live.len()));
            admitted.retain(|id| evicted.binary_search(id).is_err());
            admitted.sort_unstable();
            kit.same(clause::ATOMIC, "who is left", super::kit::sorted(live), admitted);
        }
    }
}

/// An end beats every write and touch that runs beside it: afterwards the session has ended.
pub async fn an_end_beats_what_runs_beside_it<S: SessionStore>(kit: Kit<S>) {
    for round in rounds(5, 100) {
        let (user, id) = (owner(2_000 + round), of(owner(2_000 + round), 1));
        kit.log_in(id, user, NOW).await;
        let ended = together(6, |task| {
            let kit = kit.clone();
            async move {
                match task {
                    0 => return kit.end_of(id, Some(user), EndReason::LoggedOut, NOW).await == [id],
                    1 | 2 => drop(kit.touch(seen(id, Some(user), NOW + 1, NOW + 9_000_000)).await),
                    _ => drop(kit.cas(Cas { owner: Some(user), ..change(id, 1, NOW) }).await),
                }
                false
            }
        })
        .await;
        kit.holds(clause::ENDED, ended[0], "the end of a live session ended nothing");
        let look = kit.look(id, NOW).await;
        kit.same(clause::NEVER_REVIVES, "a load after all of them", look, Look::Ended(EndReason::LoggedOut));
        kit.same(clause::NEVER_REVIVES, "the owner's sessions", kit.ids_of(user, NOW).await, vec![]);
    }
}

/// Of many that end one session at once, one has ended it.
pub async fn one_of_many_ends_has_ended_it<S: SessionStore>(kit: Kit<S>) {
    for round in rounds(5, 100) {
        let id = anonymous(round);
        kit.create(id, NOW).await;
        let answers = together(6, |_| {
            let kit = kit.clone();
            async move { kit.end_one(id, EndReason::LoggedOut, NOW).await }
        })
        .await;
        kit.same(clause::ENDED, "who ended it, of 6 at once", answers.concat(), vec![id]);
    }
}

/// Whatever order they come in, no login that began before a revocation of all is left.
pub async fn a_revocation_of_all_misses_no_login_that_began_before<S: SessionStore>(kit: Kit<S>) {
    for round in rounds(5, 100) {
        let user = owner(3_000 + round);
        // The number of a login is that of its stamp, and the revocation is in the middle.
        let middle = 4;
        together(9, |task| {
            let (kit, began) = (kit.clone(), stamp(NOW) + task as u64);
            async move {
                if task == middle {
                    let target = EndTarget::Owner { owner: user, except: None };
                    kit.end(End { target, reason: EndReason::Revoked, now: NOW, stamp: began }).await;
                } else {
                    kit.admit(Admit { began, ..login(of(user, task), user, NOW) }).await;
                }
            }
        })
        .await;
        let before: Vec<_> = (0..middle).map(|task| of(user, task)).collect();
        let left: Vec<_> = kit.ids_of(user, NOW).await.into_iter().filter(|id| before.contains(id)).collect();
        kit.same(clause::END_OWNER, "logins from before the revocation", left, vec![]);
    }
}

/// Owners don't stand in each other's way, and nobody's session is lost.
pub async fn owners_log_in_beside_each_other<S: SessionStore>(kit: Kit<S>) {
    let answers = together(16, |task| {
        let (kit, user) = (kit.clone(), owner(4_000 + task));
        async move {
            for number in 0..5 {
                kit.log_in(of(user, number), user, NOW).await;
            }
            kit.ids_of(user, NOW).await == (0..5).map(|number| of(user, number)).collect::<Vec<_>>()
        }
    })
    .await;
    kit.same(clause::ATOMIC, "owners who found all of their sessions", answers, vec![true; 16]);
}
