//! The dashboard as an operator has it: in Chromium, by keyboard, in both schemes, with and without its script.
//!
//! `SESSIONS_BLESS=1 cargo test -p sessions-tests --all-features --test dashboard` takes the pictures of the documentation.

use std::{env, path::Path};

use fantoccini::key::Key;
use sessions_tests::browser::{Browser, Scheme, Tab};

use crate::{App, app::Served};

/// What the documentation shows.
const PICTURES: [&str; 4] = ["overview-light", "session-dark", "policy-light", "events-dark"];

/// A tab in which Grace has logged in.
async fn operator(browser: &Browser, served: &Served) -> Tab {
    let tab = browser.tab().await;
    tab.open(&served.url).await;
    let enter = "return fetch('/enter', { method: 'POST', headers: { 'content-type': 'application/json' }, \
                 body: JSON.stringify({ id: 'grace', role: 'admin' }) }).then(answer => answer.status)";
    assert_eq!(tab.evaluate(enter, Vec::new()).await, 200);
    tab
}

/// Some people who are in the shop.
async fn people(app: &App) {
    for (id, agent) in [
        ("ada", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("ada", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"),
        ("bob", "curl/8.14.1"),
        ("<i>mallory</i>", "<script>alert('device')</script>"),
    ] {
        let mut client = app.client();
        client.agent = agent.to_owned();
        client.log_in("/buy", id, "customer").await;
    }
}

/// Takes a picture for the documentation, if that is asked for.
async fn picture(tab: &Tab, name: &str) {
    if env::var_os("SESSIONS_BLESS").is_some() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/images"));
        std::fs::create_dir_all(folder).unwrap();
        tab.screenshot(&folder.join(format!("dashboard-{name}.png"))).await;
    }
}

#[tokio::test]
async fn every_page_can_be_used_by_everyone_in_light_and_in_dark() {
    let app = App::with(|dashboard| dashboard, &[("SESSIONS_POLICIES__SHOP__IDLE_TIMEOUT", "45min")]).await;
    people(&app).await;
    let (served, browser) = (app.serve().await, Browser::start().await);
    let tab = operator(&browser, &served).await;
    let handle = &app.handles("ada").await[0];
    tab.wait_until("the logins are heard of", async |tab| {
        tab.open(&format!("{}/dashboard/events", served.url)).await;
        tab.page_text().await.contains("mallory")
    })
    .await;
    let session = format!("session?kind=user&id=ada&handle={handle}");
    let pages = [
        ("overview", ""),
        ("search", "sessions"),
        ("sessions", "sessions?kind=user&id=ada"),
        ("hostile", "sessions?kind=user&id=%3Ci%3Emallory%3C%2Fi%3E"),
        ("session", &*session),
        ("policies", "policies"),
        ("policy", "policies/shop"),
        ("stores", "stores"),
        ("events", "events"),
    ];
    tab.console().await;
    for (name, page) in pages {
        let path = format!("{}/dashboard/{page}", served.url);
        tab.open(path.trim_end_matches('/')).await;
        for (scheme, word) in [(Scheme::Light, "light"), (Scheme::Dark, "dark")] {
            tab.scheme(scheme).await;
            for width in [1100, 320] {
                tab.resize(width, 760).await;
                assert_eq!(tab.complaints().await, Vec::<String>::new(), "{name} in {word}, {width} wide");
            }
            tab.resize(960, 640).await;
            let picture_of = format!("{name}-{word}");
            if PICTURES.contains(&&*picture_of) {
                picture(&tab, &picture_of).await;
            }
        }
        assert_eq!(tab.count("main script, main img, main svg").await, 0, "{name}");
    }
    assert_eq!(tab.console().await, Vec::<String>::new(), "no violation of the policy, and no error");
}

#[tokio::test]
async fn a_session_is_revoked_by_keyboard_alone_and_without_a_script() {
    let app = App::start().await;
    people(&app).await;
    let (served, browser) = (app.serve().await, Browser::start().await);
    let tab = operator(&browser, &served).await;
    tab.scripts(false).await;
    tab.open(&format!("{}/dashboard", served.url)).await;
    let handle = app.handles("ada").await[1].clone();
    assert_eq!(tab.tab_in().await.name, "Skip to the content", "the first that the keyboard meets");
    assert!(tab.shows_focus().await);
    tab.tab_to("textbox", "Principal’s id").await;
    tab.type_text("ada").await;
    tab.press(Key::Enter).await;
    tab.wait_for_text("Live sessions of user:ada").await;
    tab.tab_to("link", &handle).await;
    assert!(tab.shows_focus().await);
    tab.press(Key::Enter).await;
    tab.wait_for_text("User agent of the login").await;
    tab.tab_to("button", "Revoke this session").await;
    assert!(tab.shows_focus().await);
    tab.press(Key::Enter).await;
    tab.wait_for_text("1 session was revoked.").await;
    let left = app.handles("ada").await;
    assert!(left.len() == 1 && left[0] != handle, "{left:?}");
    // And the rest, in two steps.
    assert!(!tab.page_text().await.contains("Ends every session"), "the second step is not shown yet");
    tab.tab_to_any("Revoke all sessions …").await;
    tab.press(Key::Enter).await;
    tab.wait_for_text("Ends every session of user:ada").await;
    tab.tab_to("button", "Revoke all sessions").await;
    tab.press(Key::Enter).await;
    tab.wait_for_text("1 session was revoked.").await;
    tab.wait_for_text("No live sessions.").await;
    assert!(app.handles("ada").await.is_empty());
}

#[tokio::test]
async fn what_happens_is_shown_while_it_happens_until_the_operators_session_ends() {
    let app = App::start().await;
    let (served, browser) = (app.serve().await, Browser::start().await);
    let tab = operator(&browser, &served).await;
    tab.open(&format!("{}/dashboard/events", served.url)).await;
    tab.wait_for_text("Connected: what happens is shown at once.").await;
    people(&app).await;
    tab.wait_for_text("<i>mallory</i>").await;
    assert_eq!(tab.count("#events i, #events script").await, 0, "what an event says stays text");
    tab.wait_until("the count is told", async |tab| {
        tab.text("#live-count").await.contains("new since the page was opened")
    })
    .await;
    tab.click("#live-pause").await;
    let before = tab.count("#events tbody tr").await;
    app.person("late").await;
    tab.wait_for_text("wait.").await;
    assert_eq!(tab.count("#events tbody tr").await, before, "a page that is paused stands still");
    tab.click("#live-pause").await;
    tab.wait_for_text("late").await;
    assert_eq!(tab.complaints().await, Vec::<String>::new());
    assert_eq!(tab.console().await, Vec::<String>::new());
    let grace = sessions::SessionPrincipal::user("grace");
    app.registry.engine::<crate::app::policies::Admin>().revoke_all(&grace).await.unwrap();
    tab.wait_for_text("The stream has ended: load the page again.").await;
    tab.reload().await;
    assert!(tab.page_text().await.contains("SESSION_REQUIRED"));
}

#[tokio::test]
async fn another_site_can_neither_frame_it_nor_send_its_forms() {
    let app = App::start().await;
    people(&app).await;
    let (served, browser) = (app.serve().await, Browser::start().await);
    let tab = operator(&browser, &served).await;
    // Another host of the same machine is another site.
    let other = served.url.replace("127.0.0.1", "localhost");
    tab.open(&other).await;
    let send = "const form = document.createElement('form'); form.method = 'post'; form.action = arguments[0]; \
                form.append(Object.assign(document.createElement('input'), { name: 'id', value: 'ada' })); \
                document.documentElement.append(form); form.submit()";
    let target = format!("{}/dashboard/sessions/revoke", served.url);
    tab.evaluate(send, vec![target.clone().into()]).await;
    tab.wait_until("the form is answered", async |tab| tab.url().await == target).await;
    tab.wait_for_text("SESSION_").await;
    assert_eq!(app.handles("ada").await.len(), 2);
    tab.open(&other).await;
    let frame = "const frame = document.createElement('iframe'); frame.src = arguments[0]; \
                 return new Promise(done => { frame.onload = () => done(frame.contentDocument === null); \
                 document.documentElement.append(frame) })";
    tab.evaluate(frame, vec![format!("{}/dashboard", served.url).into()]).await;
    let refused = tab.console().await;
    assert!(refused.iter().any(|line| line.contains("frame-ancestors")), "{refused:?}");
}
