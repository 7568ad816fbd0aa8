//! What a page is to a screen reader and to someone without a mouse.

use std::fmt;

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::{command::Command, tab::Tab};

/// The most keys that a walk through a page takes.
const MOST: usize = 300;

/// Whether the focus is on nothing of the page.
const OUTSIDE: &str = "return document.activeElement === document.body || document.activeElement === null";
/// Whether a walk has been at what has the focus.
const WALKED: &str = "return document.activeElement.dataset.walked === 'yes'";

/// Tells what is wrong with a page.
const AUDIT: &str = include_str!("audit.js");

/// An element as assistive technology tells it, by the browser's own computation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its role, such as `button`.
    pub role: String,
    /// Its name, such as a button's text.
    pub name: String,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.role, self.name)
    }
}

impl Tab {
    /// The element under a selector, as it is told.
    pub async fn named(&self, selector: &str) -> Named {
        let element = self.reference(selector).await;
        self.told(&element).await
    }

    /// The element that has the focus, as it is told.
    pub async fn focused(&self) -> Named {
        let element = self.command(Command::get("element/active")).await;
        self.told(&reference(&element)).await
    }

    /// Whether the element that has the focus shows that it has: an outline, or a shadow.
    pub async fn shows_focus(&self) -> bool {
        let script = "const style = getComputedStyle(document.activeElement);
            return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none'";
        self.evaluate(script, Vec::new()).await == json!(true)
    }

    /// Goes with the Tab key from outside the page to what it leads to first, and tells what that is. A page that has just
    /// been opened may not take keys yet: the key is pressed until it does.
    ///
    /// # Panics
    /// If it has led nowhere after a minute.
    pub async fn tab_in(&self) -> Named {
        self.wait_until("the Tab key leads into the page", async |tab| {
            tab.press(Key::Tab).await;
            tab.evaluate(OUTSIDE, Vec::new()).await == json!(false)
        })
        .await;
        self.focused().await
    }

    /// Goes with the Tab key to the element that is told like this.
    ///
    /// # Panics
    /// If no number of presses leads there.
    pub async fn tab_to(&self, role: &str, name: &str) {
        let wanted = Named { role: role.to_owned(), name: name.to_owned() };
        self.walk(&wanted.to_string(), |focused| *focused == wanted).await;
    }

    /// Goes with the Tab key to the element of this name, whatever its role: browsers don't agree on that of some.
    ///
    /// # Panics
    /// If no number of presses leads there.
    pub async fn tab_to_any(&self, name: &str) {
        self.walk(name, |focused| focused.name == name).await;
    }

    async fn walk(&self, wanted: &str, is_there: impl Fn(&Named) -> bool) {
        let mut passed = Vec::new();
        for _ in 0..MOST {
            self.press(Key::Tab).await;
            let focused = self.focused().await;
            if is_there(&focused) {
                return;
            }
            passed.push(focused.to_string());
        }
        panic!("the Tab key does not lead to {wanted}, but to {}", passed.join(", "))
    }

    /// What the Tab key leads to from the beginning of the page, in order, until it leaves the page.
    ///
    /// # Panics
    /// If it leads into the page nowhere.
    pub async fn focus_order(&self) -> Vec<Named> {
        self.evaluate("document.activeElement.blur(); window.getSelection().removeAllRanges()", Vec::new())
            .await;
        let mut order = vec![self.tab_in().await];
        while order.len() < MOST {
            self.evaluate("document.activeElement.dataset.walked = 'yes'", Vec::new()).await;
            self.press(Key::Tab).await;
            if self.evaluate(OUTSIDE, Vec::new()).await == json!(true)
                || self.evaluate(WALKED, Vec::new()).await == json!(true)
            {
                break;
            }
            order.push(self.focused().await);
        }
        let clear = "document.querySelectorAll('[data-walked]').forEach(one => delete one.dataset.walked)";
        self.evaluate(clear, Vec::new()).await;
        order
    }

    /// What is wrong with the page for someone who can't see it, or not well, in words; nothing if all is well: controls
    /// without a name, headings that skip a level, tables without caption or heads, text of too little contrast, and more.
    pub async fn complaints(&self) -> Vec<String> {
        let mut complaints: Vec<String> =
            serde_json::from_value(self.evaluate(AUDIT, Vec::new()).await).expect("a list of texts");
        let controls = "return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, \
                        summary, [tabindex=\"0\"]')].filter(one => one.checkVisibility())";
        let Value::Array(controls) = self.evaluate(controls, Vec::new()).await else { return complaints };
        for control in &controls {
            let told = self.told(&reference(control)).await;
            if told.name.trim().is_empty() {
                complaints.push(format!("a {} has no name", told.role));
            }
        }
        complaints
    }

    async fn told(&self, element: &str) -> Named {
        let text = async |what| {
            let told = self.command(Command::get(format!("element/{element}/{what}"))).await;
            told.as_str().unwrap_or_default().to_owned()
        };
        Named { role: text("computedrole").await, name: text("computedlabel").await }
    }
}

/// An element's name within the session.
pub(super) fn reference(element: &Value) -> String {
    let reference = element.as_object().and_then(|element| element.values().next()).and_then(Value::as_str);
    reference.unwrap_or_else(|| panic!("no element: {element}")).to_owned()
}
