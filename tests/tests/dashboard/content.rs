//! What pages show: what they are asked for, as text, and nothing that opens a session.

use std::collections::BTreeSet;

use sessions::{SessionPrincipal, testing::Operation};

use crate::{App, app::policies};

/// Breaks out of text, out of an attribute, and out of an address, if anything lets it.
const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\u{202e}%3Cscript%3E";

#[tokio::test]
async fn what_clients_and_principals_are_called_stays_text() {
    let app = App::start().await;
    let mut ada = app.client();
    ada.agent = "<svg onload=alert(3)>\"".to_owned();
    ada.log_in("/buy", HOSTILE, "customer").await;
    let mut operator = app.client();
    operator.log_in("/enter", "<b>grace</b>", "admin").await;
    let events = app.until_heard(&mut operator, "&lt;script&gt;alert(1)&lt;/script&gt;").await;
    let link = |start: &str| {
        let links = events.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let link = links.into_iter().find(|link| link.starts_with(start) && link.contains("alert"));
        link.unwrap_or_else(|| panic!("no link to {start}: {events}")).replace("&amp;", "&")
    };
    let mut seen = 0;
    let pages = [link("/dashboard/sessions?"), link("/dashboard/session?")];
    for page in pages.iter().map(String::as_str).chain(["/dashboard", "/dashboard/events"]) {
        let body = operator.page(page).await;
        for broken in ["<script>alert", "<img", "<svg", "<b>grace", "onerror=alert(2)>&\u{202e}"] {
            assert!(!body.contains(broken), "{page}: {broken}\n{body}");
        }
        assert!(body.contains("&lt;b&gt;grace&lt;/b&gt;"), "{page}\n{body}");
        seen += body.matches("&lt;svg onload=alert(3)&gt;&quot;").count();
    }
    assert_eq!(seen, 2, "the device is on two pages");
}

#[tokio::test]
async fn pages_hold_handles_and_no_ids_or_secrets() {
    let app = App::start().await;
    let ada = app.person("ada").await;
    let mut operator = app.operator().await;
    let handle = &app.handles("ada").await[0];
    let mut text = app.until_heard(&mut operator, handle).await;
    let session = format!("/dashboard/session?kind=user&id=ada&handle={handle}");
    for page in ["/dashboard", "/dashboard/sessions?kind=user&id=ada", &session, "/dashboard/stores"] {
        text.push_str(&operator.page(page).await);
    }
    assert!(text.contains(handle.as_str()));
    assert!(!text.contains(ada.secret()) && !text.contains(operator.secret()));
}

#[tokio::test]
async fn the_sessions_of_a_principal_are_shown_a_page_at_a_time() {
    let app = App::start().await;
    let billing = SessionPrincipal::service("billing");
    for _ in 0..120 {
        let engine = app.registry.engine::<policies::Program>();
        let mut session = engine.resolve(&http::Request::new(())).await.unwrap();
        session.mark_authenticated(billing.clone());
        session.commit().await.unwrap();
    }
    let mut operator = app.operator().await;
    let mut handles = BTreeSet::new();
    let mut next = Some("/dashboard/sessions?kind=service&id=billing&policy=program".to_owned());
    let mut pages = 0;
    while let Some(page) = next {
        app.store.take_counts();
        let body = operator.page(&page).await;
        assert!(app.store.take_counts().of(Operation::List) <= 2, "the store is asked for one page");
        let shown = body.split("handle=").skip(1).map(|rest| rest[..22].to_owned());
        let before = handles.len();
        handles.extend(shown);
        assert!(handles.len() - before <= 50, "a page is bounded");
        let more = body.split("<a rel=\"next\" href=\"").nth(1);
        next = more.and_then(|rest| rest.split('"').next()).map(|link| link.replace("&amp;", "&"));
        pages += 1;
    }
    assert_eq!((handles.len(), pages), (120, 3));
    let other = operator.page("/dashboard/sessions?kind=service&id=billing&policy=shop").await;
    assert!(other.contains("No live sessions."), "none under another policy");
    let other = operator.page("/dashboard/sessions?kind=user&id=billing").await;
    assert!(other.contains("No live sessions."), "none of another kind");
}

#[tokio::test]
async fn a_session_is_found_by_its_handle_if_an_event_has_told_whose_it_is() {
    let app = App::start().await;
    let _ada = app.person("ada").await;
    let mut operator = app.operator().await;
    let handle = &app.handles("ada").await[0];
    app.until_heard(&mut operator, handle).await;
    let found = operator.get(&format!("/dashboard/sessions?handle={handle}")).await;
    assert_eq!(found.status, 303);
    let page = operator.page(found.header("location")).await;
    assert!(page.contains("session_authenticated") && page.contains("a browser"), "{page}");
    let unknown = operator.get("/dashboard/sessions?handle=AAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("Say whose it is, too"));
    for page in
        ["/dashboard/session?kind=user&id=ada&handle=x", "/dashboard/policies/x", "/dashboard/assets/x"]
    {
        assert_eq!(operator.get(page).await.status, 404, "{page}");
    }
}

#[tokio::test]
async fn every_value_of_a_policy_is_shown_with_its_place() {
    let app = App::with(|dashboard| dashboard, &[("SESSIONS_POLICIES__SHOP__IDLE_TIMEOUT", "11min")]).await;
    let mut operator = app.operator().await;
    let page = operator.page("/dashboard/policies/shop").await;
    let row = |key: &str| {
        let row = page.split("<tr").find(|row| row.contains(&format!("<code>{key}</code>")));
        row.unwrap_or_else(|| panic!("no {key}: {page}")).to_owned()
    };
    let idle = row("idle_timeout");
    assert!(idle.contains("11min") && idle.contains("SESSIONS_POLICIES__SHOP__IDLE_TIMEOUT"), "{idle}");
    assert!(idle.contains("30min") && idle.contains("preset <code>user_default</code>"), "{idle}");
    let trusted = row("trusted_origins");
    assert!(trusted.contains("https://partner.example"), "{trusted}");
    assert!(trusted.contains("tests/dashboard/app.rs:"), "a place in code: {trusted}");
    let list = operator.page("/dashboard/policies").await;
    assert!(list.contains("/dashboard/policies/admin") && list.contains("What the lints find"), "{list}");
}

#[tokio::test]
async fn a_store_that_fails_is_shown_as_failing() {
    let app = App::start().await;
    let mut operator = app.operator().await;
    let well = operator.page("/dashboard/stores").await;
    assert!(well.contains("answers in") && well.contains("<th scope=\"row\">main</th>"), "{well}");
    app.store.fail_next(Operation::Stats);
    let ill = operator.page("/dashboard/stores").await;
    assert!(ill.contains("the store is unavailable"), "{ill}");
}
