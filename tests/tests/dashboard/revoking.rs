//! What an operator changes: only from the dashboard's own pages, and never without a trace.

use std::time::Duration;

use sessions::EventKind;

use crate::App;

#[tokio::test]
async fn one_session_is_revoked_and_the_event_names_the_operator() {
    let app = App::start().await;
    let (_one, _other) = (app.person("ada").await, app.person("ada").await);
    let mut operator = app.operator().await;
    let handles = app.handles("ada").await;
    let events = app.events();
    let form = format!("kind=user&id=ada&handle={}", handles[0]);
    let answer = operator.submit("/dashboard/session/revoke", &form).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), "/dashboard/sessions?kind=user&id=ada&revoked=1");
    assert_eq!(app.handles("ada").await, handles[1..], "the other one is untouched");
    let told = std::iter::from_fn(|| events.recv_timeout(Duration::from_secs(30)).ok());
    let revoked = told.into_iter().find(|event| event.kind == EventKind::Revoked).unwrap();
    assert_eq!(revoked.handle.unwrap().to_string(), handles[0]);
    assert_eq!((revoked.by_kind.as_deref(), revoked.by_id.as_deref()), (Some("user"), Some("grace")));
    assert!(revoked.to_json().contains(r#""by":{"kind":"user","id":"grace"}"#), "{}", revoked.to_json());
    let page = operator.page("/dashboard/sessions?kind=user&id=ada&revoked=1").await;
    assert!(page.contains("1 session was revoked."));
    // The event is on the operator's own page, too.
    app.until_heard(&mut operator, "<td><bdi>user</bdi>:<bdi>grace</bdi></td>").await;
}

#[tokio::test]
async fn all_sessions_of_a_principal_are_revoked_under_all_policies() {
    let app = App::start().await;
    let (_one, _other) = (app.person("ada").await, app.person("ada").await);
    let mut other = app.person("bob").await;
    let mut operator = app.operator().await;
    let answer = operator.submit("/dashboard/sessions/revoke", "kind=user&id=ada").await;
    assert_eq!(answer.header("location"), "/dashboard/sessions?kind=user&id=ada&revoked=2");
    assert!(app.handles("ada").await.is_empty());
    assert_eq!(app.handles("bob").await.len(), 1);
    // Who revokes their own sessions is out, too.
    operator.submit("/dashboard/sessions/revoke", "kind=user&id=grace").await;
    assert_eq!(operator.get("/dashboard").await.status, 401);
    assert_eq!(other.get("/").await.status, 200);
}

#[tokio::test]
async fn a_revocation_from_elsewhere_is_refused() {
    let app = App::start().await;
    let _ada = app.person("ada").await;
    let mut operator = app.operator().await;
    let events = app.events();
    let elsewhere: [&[(&str, &str)]; 7] = [
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", "https://www.shop.example")],
        // What the policy trusts may log in; it may not revoke.
        &[("sec-fetch-site", "cross-site"), ("origin", "https://partner.example")],
        &[("origin", "https://partner.example")],
        &[("origin", "null")],
        &[("origin", "http://shop.example")],
    ];
    for from in elsewhere {
        for path in ["/dashboard/sessions/revoke", "/dashboard/session/revoke"] {
            let form = format!("kind=user&id=ada&handle={}", app.handles("ada").await[0]);
            let answer = operator.submit_from(path, &form, from).await;
            assert_eq!(answer.status, 403, "{path} {from:?}: {answer:?}");
            assert!(answer.body.contains("SESSION_CROSS_SITE"), "{answer:?}");
        }
    }
    assert_eq!(app.handles("ada").await.len(), 1);
    let mut told = std::iter::from_fn(|| events.recv_timeout(Duration::from_secs(30)).ok());
    assert!(told.any(|event| event.kind == EventKind::CrossSite), "a refusal is told");
    let own = [("origin", "https://shop.example")];
    let answer = operator.submit_from("/dashboard/sessions/revoke", "kind=user&id=ada", &own).await;
    assert_eq!(answer.status, 303, "an older browser tells its origin alone: {answer:?}");
}

#[tokio::test]
async fn a_page_that_is_read_revokes_nothing() {
    let app = App::start().await;
    let _ada = app.person("ada").await;
    let mut operator = app.operator().await;
    for path in ["/dashboard/sessions/revoke", "/dashboard/session/revoke"] {
        assert_eq!(operator.get(&format!("{path}?kind=user&id=ada")).await.status, 405);
    }
    assert_eq!(app.handles("ada").await.len(), 1);
}

#[tokio::test]
async fn a_dashboard_that_only_shows_has_no_forms_that_change_anything() {
    let app = App::with(sessions::dashboard::Dashboard::read_only, &[]).await;
    let _ada = app.person("ada").await;
    let mut operator = app.operator().await;
    let handle = &app.handles("ada").await[0];
    let session = format!("/dashboard/session?kind=user&id=ada&handle={handle}");
    for page in ["/dashboard/sessions?kind=user&id=ada", &session] {
        assert!(!operator.page(page).await.contains("method=\"post\""), "{page}");
    }
    let form = format!("kind=user&id=ada&handle={handle}");
    for path in ["/dashboard/sessions/revoke", "/dashboard/session/revoke"] {
        assert_eq!(operator.submit(path, &form).await.status, 403);
    }
    assert_eq!(app.handles("ada").await.len(), 1);
}
