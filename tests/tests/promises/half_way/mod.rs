//! A request that stops half-way, at every place where it can: its client hangs up, the store fails, loses an answer, or
//! panics. What is left is a whole session, or none, and it can be used.

mod actix;
mod hanging;
mod layer;
mod operation;
mod view;

use std::{
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::pin,
    task::Poll::{Pending, Ready},
};

use futures_util::FutureExt;
use sessions::{Fault, SessionError};
use sessions_tests::{Trouble, Visitor, second, user};

use self::{
    operation::{ALL, Operation, Order, Scene},
    view::{View, is_held_by, opens},
};

/// More polls and calls than any of the operations takes.
const MOST: u64 = 200;

/// Each operation, with requests in any order and one at a time.
fn all() -> impl Iterator<Item = (Operation, Order)> {
    ALL.into_iter().flat_map(|operation| [(operation, Order::Any), (operation, Order::Serial)])
}

/// Polls so often, then gives up; lets other tasks run in between.
pub(super) async fn poll_times<T>(future: impl Future<Output = T>, polls: u64) -> Option<T> {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|cx| {
        if left == 0 {
            return Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Ready(answer) => Ready(Some(answer)),
            Pending => {
                cx.waker().wake_by_ref();
                Pending
            }
        }
    })
    .await
}

/// Lets what goes on by itself come to its end.
pub(super) async fn settle() {
    for _ in 0..MOST {
        tokio::task::yield_now().await;
    }
}

/// How things look before an operation, and after one that nothing disturbs.
async fn before_and_after(operation: Operation, order: Order) -> (View, View) {
    let scene = Scene::of(operation, order).await;
    let before = View::of(&scene).await;
    let answer = scene.request(operation).await;
    let refused = answer.err().map(|error| error.fault());
    assert_eq!(refused, (operation == Operation::LoginRefused).then_some(Fault::ConcurrencyViolation));
    (before, View::of(&scene).await)
}

/// The visitor goes on with the cookie from before, and the person can log in.
async fn assert_usable(scene: &Scene, what: &str) {
    let mut session = scene.engine.resolve(&scene.visitor.request()).await.unwrap();
    let found = session.handle().is_some();
    session.set("again", 1).unwrap();
    match scene.finish(&session, true).await {
        Ok(_) => {}
        Err(error) => assert!(!found && error.fault() == Fault::Gone, "{what}: {error}"),
    }
    let max = scene.engine.policy().concurrency().max_sessions_per_principal().unwrap();
    let live = scene.engine.sessions_of(&user("ada")).await.unwrap().len();
    assert!(live <= max as usize, "{what}: {live} sessions");
}

#[tokio::test]
async fn a_request_whose_client_hangs_up_is_all_or_nothing() {
    for (operation, order) in all() {
        let (before, after) = before_and_after(operation, order).await;
        for polls in 0..MOST {
            let what = format!("{operation:?} in order {order:?} after {polls} polls");
            let scene = Scene::of(operation, order).await;
            let answer = poll_times(scene.request(operation), polls).await;
            settle().await;
            let view = View::of(&scene).await;
            assert!(view == before || view == after, "{what}: {view:?}");
            if answer.is_some() {
                assert_eq!(view, after, "{what}: it was answered");
                assert!(polls > 1, "{operation:?} waits nowhere");
                break;
            }
            assert!(polls + 1 < MOST, "{what}");
            assert_usable(&scene, &what).await;
        }
    }
}

#[tokio::test]
async fn an_early_commit_that_is_given_up_is_made_up_for_at_the_end() {
    for (operation, order) in all() {
        if operation == Operation::LoginRefused {
            continue;
        }
        let (_, after) = before_and_after(operation, order).await;
        for polls in 0..MOST {
            let what = format!("{operation:?} in order {order:?} after {polls} polls");
            let scene = Scene::of(operation, order).await;
            let mut session = scene.engine.resolve(&scene.visitor.request()).await.unwrap();
            // What waits by itself is not part of what is given up.
            operation.handle(&mut session).await.unwrap();
            let early = poll_times(session.commit(), polls).await;
            let cookie = scene.finish(&session, true).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            settle().await;
            assert_eq!(View::of(&scene).await, after, "{what}");
            if after.who != Some("ada".into()) && (after.ada, after.eve) != (0, 0) && !after.other {
                let new = Visitor { cookie };
                assert!(opens(&scene, &new).await, "{what}: the client has no session");
            }
            if early.is_some() {
                break;
            }
            assert!(polls + 1 < MOST, "{what}");
        }
    }
}

#[tokio::test]
async fn an_update_that_is_given_up_leaves_its_request_knowing_the_id() {
    for operation in [Operation::RotateByPrivilege, Operation::Confirm, Operation::ChangeOfPrincipal] {
        for polls in 0..MOST {
            let what = format!("{operation:?} after {polls} polls");
            let scene = Scene::of(operation, Order::Any).await;
            let mut session = scene.engine.resolve(&scene.visitor.request()).await.unwrap();
            operation.handle(&mut session).await.unwrap();
            let updated = poll_times(session.update("new", |n: &mut u8| *n += 1), polls).await;
            settle().await;
            let cookie = scene.finish(&session, true).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(opens(&scene, &Visitor { cookie }).await, "{what}: the client has no session");
            if updated.is_some() {
                break;
            }
            assert!(polls + 1 < MOST, "{what}");
        }
    }
}

/// Runs an operation with trouble in one call of the store; `None` once there are fewer calls.
async fn troubled(
    (operation, order): (Operation, Order),
    call: u64,
    trouble: Trouble,
) -> Option<(Scene, Result<Option<String>, Option<SessionError>>)> {
    let scene = Scene::of(operation, order).await;
    scene.store.begin(Some((call, trouble)));
    let answer = AssertUnwindSafe(scene.request(operation)).catch_unwind().await;
    settle().await;
    if scene.store.finish() <= call {
        assert!(call > 0, "{operation:?} calls the store at least once");
        return None;
    }
    let answer = answer.map_or(Err(None), |answer| answer.map_err(Some));
    Some((scene, answer))
}

async fn assert_whole_after(trouble: Trouble) {
    std::panic::set_hook(Box::new(|info| {
        let text = info.payload().downcast_ref::<String>();
        let expected = text.is_some_and(|text| text.starts_with("in the store"));
        if !expected {
            eprintln!("{info}");
        }
    }));
    for (operation, order) in all() {
        let (before, after) = before_and_after(operation, order).await;
        for call in 0..MOST {
            let Some((scene, answer)) = troubled((operation, order), call, trouble).await else { break };
            let what = format!("{operation:?} in order {order:?} with {trouble:?} in call {call}");
            // A login that is cut in half by its store leaves a seal, which runs out.
            scene.clock.advance(second(31));
            let view = View::of(&scene).await;
            if answer.is_ok() {
                assert_eq!(view, after, "{what}: it was answered");
                continue;
            }
            if operation.takes_steps() {
                let max = scene.engine.policy().concurrency().max_sessions_per_principal().unwrap();
                assert!(view.ada <= max as usize && view.eve <= 1, "{what}: {view:?}");
                assert!(
                    view.is_as_for_the_visitor(&before)
                        || view.is_as_for_the_visitor(&after)
                        || view.who.is_none() && view.keys.is_empty(),
                    "{what}: {view:?}"
                );
            } else {
                assert!(view == before || view == after, "{what}: {view:?}");
            }
            let kept = view.keys.iter().any(|key| key == "kept") || is_held_by(&scene, "ada", "kept").await;
            let closed = operation == Operation::LogoutKeeping && view.who.is_none();
            let there = before.keys.iter().any(|key| key == "kept");
            assert!(kept || !there || operation.discards() || closed, "{what}: lost an acknowledged write");
            assert_usable(&scene, &what).await;
            if operation == Operation::Login && trouble != Trouble::PanicAfter {
                // At a limit of one that refuses: a login that failed must not lock the person out.
                scene.arrive(async |session| session.mark_authenticated(user("ada"))).await;
            }
        }
    }
}

#[tokio::test]
async fn a_store_that_fails_in_any_call_leaves_something_whole() {
    assert_whole_after(Trouble::Before).await;
}

#[tokio::test]
async fn a_store_that_loses_any_answer_leaves_something_whole() {
    assert_whole_after(Trouble::After).await;
}

#[tokio::test]
async fn a_store_that_panics_before_any_call_leaves_something_whole() {
    assert_whole_after(Trouble::PanicBefore).await;
}

#[tokio::test]
async fn a_store_that_panics_after_any_call_leaves_something_whole() {
    assert_whole_after(Trouble::PanicAfter).await;
}
