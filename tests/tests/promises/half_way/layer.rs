//! The same through the tower layer: the client hangs up, and the future of the response is dropped.

use axum::{Router, body::Body, extract::Path, http::Request, routing::post};
use sessions::{Session, SessionError, session};
use sessions_tests::{Trouble, second};
use tower::ServiceExt;

use super::{
    Operation, View,
    operation::{ALL, Order, Scene},
    poll_times, settle,
};

sessions::policies! {
    user_default: {
        extends: "user_default",
        concurrency: { max_sessions_per_principal: 3, behavior_on_limit: "evict_oldest" },
        persistence: { store_name: "main" },
    },
}

const FILE: &str = "[stores.main]\nkind = \"custom\"\n";

/// The handlers are told by number what to do.
#[session(policy = "user_default")]
async fn act(session: Session, Path(number): Path<usize>) -> Result<&'static str, SessionError> {
    ALL[number].handle(&mut session.untyped()).await?;
    Ok("done")
}

/// A service and the scene before it: of its own engine, so that what it stores is looked at from outside.
async fn service(operation: Operation) -> (Router, Scene) {
    let (registry, scene) = registry(operation).await;
    (Router::new().route("/{number}", post(act)).layer(registry.layer()), scene)
}

/// Whether it can be tried here. The policies of the others are others: they are tried without the layer.
pub(super) fn is_told(operation: Operation) -> bool {
    let policy = operation.policy(Order::Any);
    policy.rotate_every().is_none() && policy.concurrency().max_sessions_per_principal() != Some(1)
}

pub(super) async fn registry(operation: Operation) -> (policies::Registry, Scene) {
    let mut scene = Scene::of(operation, Order::Any).await;
    let registry = policies::Registry::builder()
        .with_settings(Some(FILE), [])
        .store("main", scene.store.clone())
        .clock(scene.clock.shared())
        .load()
        .await
        .unwrap();
    scene.engine = registry.engine::<policies::UserDefault>();
    (registry, scene)
}

fn request(scene: &Scene, number: usize) -> Request<Body> {
    let mut request = Request::post(format!("/{number}"));
    if let Some(cookie) = &scene.visitor.cookie {
        request = request.header("cookie", cookie);
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_response_that_is_dropped_leaves_all_or_nothing() {
    for (number, operation) in ALL.into_iter().enumerate() {
        if !is_told(operation) {
            continue;
        }
        let (router, scene) = service(operation).await;
        let before = View::of(&scene).await;
        let response = router.oneshot(request(&scene, number)).await.unwrap();
        assert_eq!(response.status(), 200, "{operation:?}");
        let after = View::of(&scene).await;
        for polls in 0.. {
            let (router, scene) = service(operation).await;
            let answer = poll_times(router.oneshot(request(&scene, number)), polls).await;
            settle().await;
            let view = View::of(&scene).await;
            assert!(view == before || view == after, "{operation:?} after {polls} polls: {view:?}");
            if answer.is_some() {
                assert_eq!(view, after, "{operation:?}: it was answered");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_what_a_request_has_left() {
    let (registry, scene) = registry(Operation::LoginCarrying).await;
    let service = Router::new().route("/{number}", post(act)).layer(registry.layer());
    let number = ALL.iter().position(|operation| *operation == Operation::LoginCarrying).unwrap();
    let the_admission = 2;
    scene.store.begin(Some((the_admission, Trouble::Slow(second(1)))));
    let answer = tokio::time::timeout(second(1) / 2, service.oneshot(request(&scene, number))).await;
    assert!(answer.is_err(), "the client has hung up");
    registry.shutdown().await.unwrap();
    let view = View::of(&scene).await;
    assert_eq!((view.ada, view.who, view.keys), (1, None, vec![]), "the login is whole");
}
