//! The browser that tests drive does what a person's does: what other tests see in it means something.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{
    Router,
    extract::RawForm,
    http::{HeaderMap, header},
    response::{Html, IntoResponse as _, Response},
    routing::{get, post},
};
use sessions_tests::browser::{Browser, Named, Scheme};
use tokio::{net::TcpListener, task::JoinHandle};

const PAGE: &str = "<!doctype html><html lang=\"en\"><head><title>Form</title><style>
    :root { color-scheme: light dark } :focus-visible { outline: 3px solid }
    @media (prefers-color-scheme: dark) { body { background: black; color: white } }
    </style></head><body><main><h1>Form</h1><a href=\"/cookie\">Who am I?</a>
    <form action=\"/told\" method=\"post\"><label for=\"a\">Words</label> <input id=\"a\" name=\"words\">
    <button>Send it</button></form><p id=\"scripted\">no script</p></main>
    <script>document.getElementById('scripted').textContent = 'a script'</script></body></html>";

const BAD: &str = "<html><body><h1>Bad</h1><h3>Skipped</h3><p style=\"color:#aaa;background:#fff\">Pale</p>
    <button></button><input><table><tr><td>1</td></tr></table><p id=\"x\"></p><p id=\"x\"></p></body></html>";

/// A site of a few pages, until it is dropped.
struct Site {
    url: String,
    server: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Site {
    async fn start() -> Self {
        let visits = Arc::new(AtomicUsize::new(0));
        let cookie = move |headers: HeaderMap| async move {
            let visit = visits.fetch_add(1, SeqCst);
            let known = headers.get(header::COOKIE).and_then(|cookie| cookie.to_str().ok());
            match known {
                Some(known) => Html(format!("known: {known}")).into_response(),
                None => set_cookie(visit),
            }
        };
        let told = |RawForm(form): RawForm| async move {
            Html(format!("<p id=\"told\">{}</p>", String::from_utf8_lossy(&form)))
        };
        let pages = Router::new()
            .route("/", get(|| async { Html(PAGE) }))
            .route("/bad", get(|| async { Html(BAD) }))
            .route("/told", post(told))
            .route("/cookie", get(cookie));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move { axum::serve(listener, pages).await.expect("it serves") });
        Self { url, server }
    }
}

fn set_cookie(visit: usize) -> Response {
    let cookie = format!("__Host-Http-visitor={visit}; Secure; HttpOnly; SameSite=Lax; Path=/");
    ([(header::SET_COOKIE, cookie)], Html("new")).into_response()
}

fn named(role: &str, name: &str) -> Named {
    Named { role: role.to_owned(), name: name.to_owned() }
}

#[tokio::test]
async fn a_form_is_filled_by_mouse_and_by_keyboard() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    let tab = browser.tab().await;
    tab.open(&site.url).await;
    assert_eq!(tab.title().await, "Form");
    tab.fill("#a", "old").await;
    tab.fill("#a", "by mouse").await;
    tab.click_text("Send it").await;
    assert_eq!(tab.text("#told").await, "words=by+mouse");
    tab.open(&site.url).await;
    assert_eq!(
        tab.focus_order().await,
        [named("link", "Who am I?"), named("textbox", "Words"), named("button", "Send it")]
    );
    tab.open(&site.url).await;
    tab.tab_to("textbox", "Words").await;
    assert!(tab.shows_focus().await);
    tab.type_text("by keys").await;
    tab.tab_to("button", "Send it").await;
    tab.press(fantoccini::key::Key::Enter).await;
    tab.wait_for_text("words=by+keys").await;
}

#[tokio::test]
async fn tabs_and_windows_share_what_a_browser_keeps() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    let one = browser.tab().await;
    let (other, window) = (browser.new_tab().await, browser.new_window().await);
    one.open(&format!("{}/cookie", site.url)).await;
    assert_eq!(one.page_text().await, "new");
    for tab in [&other, &window, &one] {
        tab.open(&format!("{}/cookie", site.url)).await;
        assert_eq!(tab.page_text().await, "known: __Host-Http-visitor=0");
    }
    other.close().await;
    assert_eq!(one.page_text().await, "known: __Host-Http-visitor=0", "it needs no other tab");
    let stranger = Browser::start().await.tab().await;
    stranger.open(&format!("{}/cookie", site.url)).await;
    assert_eq!(stranger.page_text().await, "new", "another browser has a profile of its own");
}

#[tokio::test]
async fn pages_are_seen_in_both_schemes_and_without_scripts() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    let tab = browser.tab().await;
    tab.open(&site.url).await;
    let ground = "return getComputedStyle(document.body).backgroundColor";
    tab.scheme(Scheme::Dark).await;
    assert_eq!(tab.evaluate(ground, Vec::new()).await, "rgb(0, 0, 0)");
    assert_eq!(tab.complaints().await, Vec::<String>::new());
    tab.scheme(Scheme::Light).await;
    assert_eq!(tab.evaluate(ground, Vec::new()).await, "rgba(0, 0, 0, 0)");
    assert_eq!(tab.complaints().await, Vec::<String>::new());
    assert_eq!(tab.text("#scripted").await, "a script");
    tab.scripts(false).await;
    tab.reload().await;
    assert_eq!(tab.text("#scripted").await, "no script");
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("page.png");
    tab.resize(640, 480).await;
    tab.screenshot(&image).await;
    let image = std::fs::read(image).expect("an image");
    assert!(image.starts_with(b"\x89PNG"));
    assert_eq!(image[16..24], [640_u32.to_be_bytes(), 480_u32.to_be_bytes()].concat(), "its size");
}

#[tokio::test]
async fn a_page_that_not_everyone_can_use_is_complained_of() {
    let (site, browser) = (Site::start().await, Browser::start().await);
    let tab = browser.tab().await;
    tab.open(&format!("{}/bad", site.url)).await;
    let complaints = tab.complaints().await.join("\n");
    for complaint in [
        "the page has no language",
        "the page has no title",
        "the page has not one `main`",
        "a heading skips a level",
        "a contrast of 2.32 to 1",
        "a button has no name",
        "a textbox has no name",
        "a table has no caption",
        "a table has no heads",
        "an id stands there twice",
    ] {
        assert!(complaints.contains(complaint), "{complaint} is not among\n{complaints}");
    }
    tab.evaluate("console.error('of the page')", Vec::new()).await;
    assert!(tab.console().await.iter().any(|line| line.contains("of the page")));
}
