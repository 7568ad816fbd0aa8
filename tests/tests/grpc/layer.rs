//! The layer alone: what a status means for the changes that its handler recorded.

use std::convert::Infallible;

use sessions::Session;
use tonic::body::Body;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::*;

/// What is stored after a handler that set a key and answered this status.
async fn stored_after(status: Status) -> u64 {
    let store = Spy::default();
    let registry = Registry::builder().with_settings(Some(FILE), []).store("main", store.clone());
    let registry = registry.load().await.unwrap();
    let service = registry.grpc_layer().layer(service_fn(|request: http::Request<Body>| {
        let status = status.clone();
        async move {
            let mut session = Session::<App>::open(&request).await.unwrap();
            session.set("key", 1).unwrap();
            Ok::<_, Infallible>(status.into_http::<Body>())
        }
    }));
    let response = service.oneshot(http::Request::new(Body::empty())).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], i32::from(status.code()).to_string().as_str());
    let is_told = response.headers().contains_key("x-session-id");
    let stored = sessions_tests::stored(&store).await;
    assert_eq!(is_told, stored == 1);
    stored
}

#[tokio::test]
async fn a_handler_that_failed_leaves_no_change() {
    for code in [Code::Internal, Code::Unknown, Code::Unavailable, Code::DataLoss, Code::DeadlineExceeded] {
        assert_eq!(stored_after(Status::new(code, "broken")).await, 0, "{code:?}");
    }
}

#[tokio::test]
async fn a_handler_that_refused_keeps_its_changes() {
    for code in [Code::NotFound, Code::InvalidArgument, Code::Aborted, Code::PermissionDenied] {
        assert_eq!(stored_after(Status::new(code, "no")).await, 1, "{code:?}");
    }
}
