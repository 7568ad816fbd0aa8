//! The page of the showcase in a real browser, as a person uses it.

use fantoccini::key::Key;
use sessions_tests::browser::{Browser, Scheme, Tab};

use crate::program::Showcase;

async fn page(shop: &Showcase, tab: Tab) -> Tab {
    tab.open(&format!("http://{}/ui", shop.address)).await;
    tab
}

/// A tab of the page, in which Ada has logged in.
async fn ada(shop: &Showcase, browser: &Browser) -> Tab {
    let tab = page(shop, browser.tab().await).await;
    tab.wait_for_text("You are not logged in.").await;
    tab.click_text("Log in").await;
    tab.wait_for_text("You are u1.").await;
    tab
}

async fn with_a_socket(tab: &Tab) {
    tab.click_text("Open it").await;
    tab.wait_for_text("The socket is open.").await;
}

#[tokio::test]
async fn a_logout_in_one_tab_closes_the_socket_of_the_other() {
    let (shop, browser) = (Showcase::start(), Browser::start().await);
    let one = ada(&shop, &browser).await;
    let other = page(&shop, browser.new_tab().await).await;
    other.wait_for_text("You are u1.").await;
    with_a_socket(&one).await;
    one.click_text("whoami").await;
    one.wait_for_text(r#"socket → {"user":"u1"}"#).await;
    other.click_text("Log out").await;
    other.wait_for_text("You are not logged in.").await;
    one.wait_for_text("The socket was closed: 4401 SESSION_GONE").await;
    one.wait_for_text("You are not logged in.").await;
    one.click_text("Open it").await;
    one.wait_for_text("The socket was refused or cut.").await;
}

#[tokio::test]
async fn a_person_fills_a_cart_and_logs_out_everywhere() {
    let (shop, browser) = (Showcase::start(), Browser::start().await);
    let here = ada(&shop, &browser).await;
    here.click_text("Put into the cart").await;
    here.wait_for_text("1 × tea").await;
    with_a_socket(&here).await;
    here.click_text("visit").await;
    here.wait_for_text(r#"socket → {"visits":1}"#).await;
    here.click_text("Count a visit").await;
    here.wait_for_text("2 so far").await;
    here.click_text("Take a new id").await;
    here.wait_for_text("The socket was closed: 4401 SESSION_SUPERSEDED").await;
    here.wait_for_text("1 × tea").await;
    with_a_socket(&here).await;
    let elsewhere = Browser::start().await;
    let there = ada(&shop, &elsewhere).await;
    there.wait_until("two devices are listed", async |tab| tab.count("#sessions tr").await == 2).await;
    there.click_text("Log out everywhere").await;
    there.wait_for_text("You are not logged in.").await;
    here.wait_for_text("The socket was closed: 4401").await;
    here.wait_for_text("You are not logged in.").await;
}

#[tokio::test]
async fn the_page_is_for_everyone_and_runs_under_its_own_policy() {
    let (shop, browser) = (Showcase::start(), Browser::start().await);
    let tab = page(&shop, browser.tab().await).await;
    tab.wait_for_text("You are not logged in.").await;
    tab.tab_to("button", "Log in").await;
    assert!(tab.shows_focus().await);
    tab.press(Key::Enter).await;
    tab.wait_for_text("You are u1.").await;
    tab.wait_until("the device is listed", async |tab| tab.count("#sessions tr").await == 1).await;
    for scheme in [Scheme::Light, Scheme::Dark] {
        tab.scheme(scheme).await;
        assert_eq!(tab.complaints().await, Vec::<String>::new(), "{scheme:?}");
    }
    assert_eq!(tab.console().await, Vec::<String>::new());
}
