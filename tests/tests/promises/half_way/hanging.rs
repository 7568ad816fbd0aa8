//! A store that hangs, or is slow: the answer comes within its time limit, whatever the request still has to undo.

use sessions::{Fault, SharedStore};
use sessions_tests::{Trouble, second, user};
use tokio::time::{Instant, sleep};

use super::{
    MOST, Operation, Order, all, assert_usable,
    operation::Scene,
    view::{View, opens},
};

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_from_any_call_on_is_answered_for_within_its_time_limit() {
    for (operation, order) in all() {
        for call in 0..MOST {
            let what = format!("{operation:?} in order {order:?}, hanging from call {call} on");
            let scene = Scene::of(operation, order).await;
            scene.store.begin(Some((call, Trouble::Hang)));
            let began = Instant::now();
            let answer = scene.request(operation).await;
            let took = began.elapsed();
            assert!(took <= SharedStore::DEFAULT_LIMIT, "{what}: it took {took:?}");
            match answer {
                Err(error) if error.fault() == Fault::StoreUnavailable => {
                    assert!(error.retry_after().is_some(), "{what}");
                }
                Err(error) => assert_eq!(operation, Operation::LoginRefused, "{what}: {error}"),
                // What no one asked for, or has been told of: a use that is noted, a lease that is given back.
                Ok(_) => {}
            }
            // What goes on by itself comes to its end.
            sleep(second(120)).await;
            if scene.store.finish() <= call {
                break;
            }
            scene.clock.advance(second(31));
            assert_usable(&scene, &what).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_stored_after_its_answer_is_undone() {
    for operation in [Operation::Login, Operation::LoginCarrying] {
        let calls = {
            let scene = Scene::of(operation, Order::Any).await;
            scene.store.begin(None);
            scene.request(operation).await.unwrap();
            scene.store.finish()
        };
        for slow in 0..calls.saturating_sub(1) {
            if operation == Operation::LoginCarrying && slow == 1 {
                // The next call is no later one: a visitor is sealed while the login is admitted.
                continue;
            }
            let what = format!("{operation:?}, slow in call {slow}");
            let scene = Scene::of(operation, Order::Any).await;
            // The call that uses the time up answers, and the one after it comes too late for the request.
            scene.store.begin_all(&[
                (slow, Trouble::Slow(second(1) + second(1) / 2)),
                (slow + 1, Trouble::Slow(second(1))),
            ]);
            let answer = scene.request(operation).await;
            assert_eq!(answer.unwrap_err().fault(), Fault::StoreUnavailable, "{what}");
            sleep(second(30)).await;
            scene.store.finish();
            scene.clock.advance(second(31));
            let view = View::of(&scene).await;
            assert_eq!(view.ada, 0, "{what}: a session that no one can use counts");
            if slow == 0 && operation == Operation::LoginCarrying {
                assert_eq!(view.keys, ["kept"], "{what}: nothing has happened");
            }
            let person = scene.arrive(async |session| session.mark_authenticated(user("ada"))).await;
            assert!(opens(&scene, &person).await, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_goes_on_for_long_goes_on_calling_its_store() {
    for pause in [0, 1] {
        let scene = Scene::of(Operation::Set, Order::Any).await;
        let slow: Vec<_> = (0..12).map(|call| (call, Trouble::Slow(second(1) / 2))).collect();
        scene.store.begin_all(&slow);
        let session = scene.engine.resolve(&scene.visitor.request()).await.unwrap();
        let mut failed = None;
        for _ in 0..10 {
            failed = failed.or(session.update("n", |n: &mut u8| *n += 1).await.err());
            sleep(second(pause)).await;
        }
        let fault = failed.map(|error| error.fault());
        assert_eq!(fault, (pause == 0).then_some(Fault::StoreUnavailable), "with {pause} s in between");
    }
}
