//! A headless Chromium of a test, driven as a person drives one: several tabs of one profile, clicks, keys, and what is seen.
//! It starts on a free port with a profile of its own, and ends with the test.

mod accessible;
mod command;
mod process;
mod tab;

use std::{sync::Arc, time::Duration};

use fantoccini::{Client, ClientBuilder, wd::WindowHandle};
use serde_json::{Value, json};
use tokio::{sync::Mutex, time::timeout};

pub use self::{
    accessible::Named,
    tab::{Scheme, Tab},
};
use self::{command::Command, process::Driver};
use super::servers::program;

/// How long anything may take that the browser does or a test waits for.
const LIMIT: Duration = Duration::from_secs(60);
/// How often a browser may fail to start, on a machine that is busy.
const STARTS: usize = 3;

/// A browser with a profile of its own. All its tabs share cookies, as a person's do.
#[derive(Debug)]
pub struct Browser {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    /// The tab that commands go to; held while one runs.
    front: Mutex<WindowHandle>,
    _driver: Driver,
}

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// If there is none on this machine, or it does not start.
    pub async fn start() -> Self {
        let mut problem = String::new();
        for _ in 0..STARTS {
            match Self::try_start().await {
                Ok(browser) => return browser,
                Err(error) => problem = error,
            }
        }
        panic!("Chromium does not start: {problem}")
    }

    async fn try_start() -> Result<Self, String> {
        let driver = Driver::start()?;
        let capabilities = capabilities(&driver);
        let Value::Object(capabilities) = capabilities else { return Err("no capabilities".to_owned()) };
        let client = async {
            let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
            builder.capabilities(capabilities).connect(&driver.url()).await
        };
        let client = timeout(LIMIT, client).await.map_err(|_| "no answer".to_owned())?;
        let client = client.map_err(|error| error.to_string())?;
        let front = client.window().await.map_err(|error| error.to_string())?;
        Ok(Self { shared: Arc::new(Shared { client, front: Mutex::new(front), _driver: driver }) })
    }

    /// The tab that is in front: the first, right after the start.
    pub async fn tab(&self) -> Tab {
        let front = self.shared.front.lock().await.clone();
        Tab::new(&self.shared, front).await
    }

    /// A new tab, beside the others.
    pub async fn new_tab(&self) -> Tab {
        self.open(true).await
    }

    /// A new window of the same profile.
    pub async fn new_window(&self) -> Tab {
        self.open(false).await
    }

    async fn open(&self, as_tab: bool) -> Tab {
        let opened = {
            let _front = self.shared.front.lock().await;
            timeout(LIMIT, self.shared.client.new_window(as_tab)).await
        };
        let opened = opened.expect("the browser answers").expect("the browser opens another tab");
        Tab::new(&self.shared, opened.handle).await
    }
}

impl Shared {
    /// Sends a command to a tab.
    async fn send(&self, tab: &WindowHandle, command: Command) -> Result<Value, String> {
        self.within(tab, async |client| client.issue_cmd(command).await).await
    }

    /// Does something in a tab, while no other is in front.
    async fn within<T>(
        &self,
        tab: &WindowHandle,
        act: impl AsyncFnOnce(&Client) -> Result<T, fantoccini::error::CmdError>,
    ) -> Result<T, String> {
        let mut front = self.front.lock().await;
        let act = async {
            if *front != *tab {
                self.client.switch_to_window(tab.clone()).await?;
                front.clone_from(tab);
            }
            act(&self.client).await
        };
        let done = timeout(LIMIT, act).await.map_err(|_| format!("no answer within {LIMIT:?}"))?;
        done.map_err(|error| error.to_string())
    }
}

/// What the browser is started with: nothing of it looks beyond this machine, and a tab in the background runs as one in front.
fn capabilities(driver: &Driver) -> Value {
    let profile = format!("--user-data-dir={}", driver.folder().join("profile").display());
    let mut arguments = vec![
        "--headless=new",
        "--window-size=1100,900",
        "--hide-scrollbars",
        "--force-device-scale-factor=1",
        "--lang=en",
        "--no-first-run",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-sync",
        "--disable-component-update",
        "--disable-background-networking",
        "--disable-background-timer-throttling",
        "--disable-backgrounding-occluded-windows",
        "--disable-renderer-backgrounding",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        &profile,
    ];
    if process::is_root() {
        // Chromium's sandbox does not run as root.
        arguments.push("--no-sandbox");
    }
    json!({
        "browserName": "chrome",
        "acceptInsecureCerts": true,
        "goog:chromeOptions": { "binary": program("chromium"), "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL" },
        "unhandledPromptBehavior": "accept",
    })
}
