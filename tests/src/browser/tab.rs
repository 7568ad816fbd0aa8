//! One tab: where it is, what it shows, and what a person does in it. What can't be done fails the test and tells what the
//! page showed.

use std::{path::Path, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fantoccini::{
    actions::{InputSource as _, KeyAction, KeyActions},
    key::Key,
    wd::WindowHandle,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{LIMIT, Shared, accessible::reference, command::Command};

/// How often it is looked whether something has come true.
const LOOK: Duration = Duration::from_millis(25);

/// What the person's system asks of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Dark text on a light ground.
    Light,
    /// Light text on a dark ground.
    Dark,
}

/// A tab or a window of a [`Browser`](super::Browser). Clones are one tab.
#[derive(Clone, Debug)]
pub struct Tab {
    shared: Arc<Shared>,
    handle: WindowHandle,
}

impl Tab {
    pub(super) async fn new(shared: &Arc<Shared>, handle: WindowHandle) -> Self {
        let tab = Self { shared: Arc::clone(shared), handle };
        // A page asks whether it is in front before it shows the focus.
        tab.chromium("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })).await;
        tab
    }

    /// Goes to an address, and waits until the page is there.
    pub async fn open(&self, url: &str) {
        self.command(Command::post("url", json!({ "url": url }))).await;
    }

    /// The address that it is at.
    pub async fn url(&self) -> String {
        text(&self.command(Command::get("url")).await)
    }

    /// The title of its page.
    pub async fn title(&self) -> String {
        text(&self.command(Command::get("title")).await)
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.command(Command::post("refresh", json!({}))).await;
    }

    /// Closes it.
    pub async fn close(self) {
        let done = self.shared.within(&self.handle, async |client| client.close_window().await).await;
        done.expect("the tab can be closed");
        let mut front = self.shared.front.lock().await;
        let others = self.shared.client.windows().await.expect("the browser tells its tabs");
        if let Some(other) = others.into_iter().next() {
            self.shared.client.switch_to_window(other.clone()).await.expect("there is another tab");
            *front = other;
        }
    }

    /// Clicks the element under a selector, once it is there.
    pub async fn click(&self, selector: &str) {
        self.click_at("css selector", selector).await;
    }

    /// Clicks the link or the button of this text, once it is there.
    pub async fn click_text(&self, text: &str) {
        let text = quoted(text);
        let path = format!(
            "//*[self::a or self::button or self::summary or self::label][normalize-space(.)={text}] | \
             //input[@type='submit' or @type='button'][@value={text}]"
        );
        self.click_at("xpath", &path).await;
    }

    async fn click_at(&self, using: &str, value: &str) {
        let element = self.found(using, value).await;
        self.command(Command::post(format!("element/{element}/click"), json!({}))).await;
    }

    /// Types into the field under a selector, in the place of what stands there.
    pub async fn fill(&self, selector: &str, text: &str) {
        let element = self.reference(selector).await;
        self.command(Command::post(format!("element/{element}/clear"), json!({}))).await;
        self.command(Command::post(format!("element/{element}/value"), json!({ "text": text }))).await;
    }

    /// Presses a key, wherever the focus is.
    pub async fn press(&self, key: Key) {
        self.keys(&[KeyAction::Down { value: key.into() }, KeyAction::Up { value: key.into() }]).await;
    }

    /// Types, wherever the focus is.
    pub async fn type_text(&self, text: &str) {
        let actions = |value| [KeyAction::Down { value }, KeyAction::Up { value }];
        self.keys(&text.chars().flat_map(actions).collect::<Vec<_>>()).await;
    }

    async fn keys(&self, actions: &[KeyAction]) {
        let keys =
            actions.iter().fold(KeyActions::new("keys".to_owned()), |keys, key| keys.then(key.clone()));
        let done = self.shared.within(&self.handle, async |client| client.perform_actions(keys).await).await;
        done.expect("keys can be pressed");
    }

    /// The text that the element under a selector shows, once it is there.
    pub async fn text(&self, selector: &str) -> String {
        let element = self.reference(selector).await;
        text(&self.command(Command::get(format!("element/{element}/text"))).await)
    }

    /// The text that the whole page shows.
    pub async fn page_text(&self) -> String {
        text(&self.evaluate("return document.body ? document.body.innerText : ''", Vec::new()).await)
    }

    /// The page as it is now, as HTML.
    pub async fn html(&self) -> String {
        text(&self.command(Command::get("source")).await)
    }

    /// How many elements are under a selector now.
    pub async fn count(&self, selector: &str) -> usize {
        let count = "return document.querySelectorAll(arguments[0]).length";
        let count = self.evaluate(count, vec![json!(selector)]).await;
        count.as_u64().and_then(|count| count.try_into().ok()).expect("a number")
    }

    /// Runs a script in the page, as the body of a function, and returns what it returns.
    pub async fn evaluate(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.command(Command::post("execute/sync", json!({ "script": script, "args": arguments }))).await
    }

    /// Waits until the element under a selector is there.
    pub async fn wait_for(&self, selector: &str) {
        self.found("css selector", selector).await;
    }

    /// Waits until the page shows a text.
    pub async fn wait_for_text(&self, text: &str) {
        self.wait_until(&format!("`{text}` is shown"), async |tab| tab.page_text().await.contains(text))
            .await;
    }

    /// Waits until something has come true.
    ///
    /// # Panics
    /// If it has not after a minute: with what the page shows then.
    pub async fn wait_until(&self, what: &str, is_so: impl AsyncFn(&Self) -> bool) {
        let end = Instant::now() + LIMIT;
        while !is_so(self).await {
            assert!(Instant::now() <= end, "not so within {LIMIT:?}: {what}.\n{}", self.seen().await);
            sleep(LOOK).await;
        }
    }

    /// Makes the window's inside so large, in pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.chromium("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Asks pages for light or dark, as the person's system does.
    pub async fn scheme(&self, scheme: Scheme) {
        let value = if scheme == Scheme::Dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.chromium("Emulation.setEmulatedMedia", features).await;
    }

    /// Runs no script of a page from its next load on, or runs them again.
    pub async fn scripts(&self, run: bool) {
        self.chromium("Emulation.setScriptExecutionDisabled", json!({ "value": !run })).await;
    }

    /// What the browser and the page have written to the console since the last look, such as violations of a content
    /// security policy.
    pub async fn console(&self) -> Vec<String> {
        let entries = self.command(Command::post("se/log", json!({ "type": "browser" }))).await;
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| format!("{} {}", entry["level"], entry["message"])).collect()
    }

    /// Writes what the window shows into a PNG file.
    pub async fn screenshot(&self, path: &Path) {
        let image = text(&self.command(Command::get("screenshot")).await);
        let image = STANDARD.decode(image).expect("an image in Base64");
        std::fs::write(path, image).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Sends a command of the Chrome `DevTools` Protocol.
    pub async fn chromium(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.command(Command::post("goog/cdp/execute", body)).await
    }

    pub(super) async fn reference(&self, selector: &str) -> String {
        self.found("css selector", selector).await
    }

    /// The first element under a locator, waited for.
    async fn found(&self, using: &str, value: &str) -> String {
        let end = Instant::now() + LIMIT;
        loop {
            let find = Command::post("element", json!({ "using": using, "value": value }));
            match self.shared.send(&self.handle, find).await {
                Ok(element) => return reference(&element),
                Err(error) if Instant::now() > end => {
                    panic!("`{value}` is not there: {error}\n{}", self.seen().await)
                }
                Err(_) => sleep(LOOK).await,
            }
        }
    }

    pub(super) async fn command(&self, command: Command) -> Value {
        let told = format!("{command:?}");
        match self.shared.send(&self.handle, command).await {
            Ok(value) => value,
            Err(error) => panic!("{told}: {error}"),
        }
    }

    async fn seen(&self) -> String {
        format!("The tab is at {} and shows:\n{}", self.url().await, self.page_text().await)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A text as `XPath` writes it, which knows no escapes.
fn quoted(text: &str) -> String {
    if !text.contains('"') {
        return format!("\"{text}\"");
    }
    let parts: Vec<_> = text.split('"').map(|part| format!("\"{part}\"")).collect();
    format!("concat({})", parts.join(", '\"', "))
}
