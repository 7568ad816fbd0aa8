//! Whom the dashboard lets in, and what every answer of it says to browsers.

use sessions::{Requirements, guard};

use crate::{App, Client};

const PAGES: [&str; 9] = [
    "/dashboard",
    "/dashboard/sessions",
    "/dashboard/sessions?kind=user&id=ada",
    "/dashboard/session?kind=user&id=ada&handle=AAAAAAAAAAAAAAAAAAAAAA",
    "/dashboard/policies",
    "/dashboard/policies/shop",
    "/dashboard/stores",
    "/dashboard/events",
    "/dashboard/events/stream",
];

/// The pages, and the files that they load.
async fn all_pages(operator: &mut Client) -> Vec<String> {
    let page = operator.page("/dashboard/events").await;
    let files = page.split('"').filter(|text| text.contains("/assets/")).map(str::to_owned);
    let all: Vec<_> = PAGES.into_iter().map(str::to_owned).chain(files).collect();
    assert_eq!(all.len(), PAGES.len() + 3, "an icon, a style sheet and a script: {all:?}");
    all
}

async fn expect_refused(client: &mut Client, pages: &[String], status: u16) {
    for page in pages {
        let answer = client.get(page).await;
        assert_eq!(answer.status.as_u16(), status, "{page}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{page}");
    }
    for form in ["/dashboard/sessions/revoke", "/dashboard/session/revoke"] {
        let asked = "kind=user&id=ada&handle=AAAAAAAAAAAAAAAAAAAAAA";
        let answer = client.submit(form, asked).await;
        assert_eq!(answer.status.as_u16(), status, "{form}: {answer:?}");
    }
}

#[tokio::test]
async fn no_page_is_shown_to_who_is_not_let_in() {
    let app = App::start().await;
    let pages = all_pages(&mut app.operator().await).await;
    let before = app.person("ada").await;
    expect_refused(&mut app.client(), &pages, 401).await;
    expect_refused(&mut app.person("eve").await, &pages, 401).await;
    let mut clerk = app.client();
    clerk.log_in("/enter", "bob", "clerk").await;
    expect_refused(&mut clerk, &pages, 403).await;
    assert_eq!(app.handles("ada").await.len(), 1, "nothing was revoked: {:?}", before.cookie);
}

#[tokio::test]
async fn a_guard_that_asks_nothing_lets_no_one_in() {
    let app = App::guarded_by(Requirements::none(), |dashboard| dashboard, &[]).await;
    let pages: Vec<_> = PAGES.into_iter().map(str::to_owned).collect();
    expect_refused(&mut app.operator().await, &pages, 403).await;
    expect_refused(&mut app.client(), &pages, 403).await;
}

#[tokio::test]
async fn a_page_runs_and_loads_nothing_of_others_and_is_kept_nowhere() {
    let app = App::start().await;
    let mut operator = app.operator().await;
    let pages = all_pages(&mut operator).await;
    for page in pages.iter().map(String::as_str).chain(["/dashboard/nothing"]) {
        let answer = operator.get(page).await;
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
        {
            assert!(policy.contains(part), "{page}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{page}: {policy}");
        assert_eq!(answer.header("cache-control"), "no-store", "{page}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{page}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{page}");
        for inline in [" style=", " onclick=", "<style", "javascript:", "<script>"] {
            assert!(!answer.body.contains(inline), "{page}: {inline}");
        }
    }
    let refused = app.client().get("/dashboard").await;
    assert!(refused.header("content-security-policy").contains("frame-ancestors 'none'"));
}

#[tokio::test]
async fn no_more_streams_are_open_than_are_served() {
    let app = App::start().await;
    let mut open = Vec::new();
    for id in ["a", "b", "c", "d", "e"] {
        let mut operator = app.client();
        operator.log_in("/enter", id, "admin").await;
        for _ in 0..7 {
            open.push(operator.open("/dashboard/events/stream").await);
        }
    }
    let served = open.iter().filter(|response| response.status() == 200).count();
    assert_eq!(served, 32);
    assert!(open[32..].iter().all(|response| response.status() == 503));
    drop(open);
    let mut operator = app.client();
    operator.log_in("/enter", "f", "admin").await;
    assert_eq!(
        operator.open("/dashboard/events/stream").await.status(),
        200,
        "those that are gone count no more"
    );
}

#[tokio::test]
async fn a_login_that_is_too_old_for_a_revocation_still_shows_pages() {
    let strict = |dashboard: sessions::dashboard::Dashboard| {
        dashboard.revoking(guard::fresh_within(std::time::Duration::ZERO))
    };
    let app = App::with(strict, &[]).await;
    let _ada = app.person("ada").await;
    let mut operator = app.operator().await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    operator.page("/dashboard").await;
    let answer = operator.submit("/dashboard/sessions/revoke", "kind=user&id=ada").await;
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(answer.body.contains("SESSION_NOT_FRESH"), "{answer:?}");
    assert_eq!(app.handles("ada").await.len(), 1);
}
