//! The same through actix-web, whose handlers stay on one thread: the client hangs up, and the future of the response is
//! dropped.

use actix_web::{
    App,
    dev::Service as _,
    http::header::COOKIE,
    test::{TestRequest, init_service},
    web::{Path, post},
};
use sessions::{Session, SessionError, session};

use super::{
    View,
    layer::{is_told, policies, registry},
    operation::ALL,
    poll_times, settle,
};

/// The handlers are told by number what to do.
#[session(policy = "user_default")]
async fn act(session: Session, number: Path<usize>) -> Result<&'static str, SessionError> {
    ALL[*number].handle(&mut session.untyped()).await?;
    Ok("done")
}

#[tokio::test]
async fn a_response_that_is_dropped_leaves_all_or_nothing() {
    for (number, operation) in ALL.into_iter().enumerate().filter(|(_, operation)| is_told(*operation)) {
        let mut views = None;
        // Once to its end, to know how things look then; after that with one more poll each time.
        for polls in std::iter::once(u64::MAX).chain(0..) {
            let (registry, scene) = registry(operation).await;
            let before = View::of(&scene).await;
            let app = App::new().route("/{number}", post().to(act)).wrap(registry.layer());
            let app = init_service(app).await;
            let mut request = TestRequest::post().uri(&format!("/{number}"));
            if let Some(cookie) = &scene.visitor.cookie {
                request = request.insert_header((COOKIE, cookie.as_str()));
            }
            let answer = poll_times(app.call(request.to_request()), polls).await;
            settle().await;
            let view = View::of(&scene).await;
            let Some((before, after)) = &views else {
                assert_eq!(answer.unwrap().unwrap().status(), 200, "{operation:?}");
                views = Some((before, view));
                continue;
            };
            assert!(view == *before || view == *after, "{operation:?} after {polls} polls: {view:?}");
            if answer.is_some() {
                assert_eq!(view, *after, "{operation:?}: it was answered");
                break;
            }
        }
    }
}
