//! The frame of every page: landmarks, navigation, and the headers that keep the page to itself.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, html};

use super::{assets, view::View};

/// Nothing inline, nothing from elsewhere, no frame (W3C Content Security Policy 3; OWASP ASVS 5.0, 3.4.3 and 3.4.6).
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What every response says. `no-referrer` would be stricter, and would hide from a form's target where it comes from.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// The pages that the navigation leads to.
const PLACES: [(&str, &str); 5] = [
    ("/", "Overview"),
    ("/sessions", "Sessions"),
    ("/policies", "Policies"),
    ("/stores", "Stores"),
    ("/events", "Events"),
];

/// Seals every response, a refusal too.
pub(super) async fn seal(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// One page, before its frame.
pub(super) struct Page {
    /// Its heading, and the beginning of its title.
    pub(super) title: String,
    /// Which place of the navigation it belongs to.
    pub(super) place: &'static str,
    pub(super) body: Markup,
    pub(super) status: StatusCode,
    /// Whether it shows what happens while it is open.
    pub(super) is_live: bool,
}

impl Page {
    pub(super) fn new(place: &'static str, title: impl Into<String>, body: Markup) -> Self {
        Self { title: title.into(), place, body, status: StatusCode::OK, is_live: false }
    }

    /// The answer to an address that leads nowhere.
    pub(super) fn nowhere() -> Self {
        let body = html! { p { "There is nothing at this address." } };
        Self::new("", "Not found", body).with_status(StatusCode::NOT_FOUND)
    }

    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(super) fn live(mut self) -> Self {
        self.is_live = true;
        self
    }

    /// The whole page.
    pub(super) fn shown(self, view: &View) -> Response {
        let (style, script) = (assets::style(), assets::script());
        let operator = &view.operator.principal;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " – Sessions" }
                    link rel="icon" href=(view.at(&assets::icon().path()));
                    link rel="stylesheet" href=(view.at(&style.path())) integrity=(style.integrity());
                    @if self.is_live {
                        script src=(view.at(&script.path())) integrity=(script.integrity()) defer {}
                    }
                }
                body {
                    a.skip href="#content" { "Skip to the content" }
                    header {
                        p.name { "Sessions" }
                        nav aria-label="Dashboard" {
                            ul {
                                @for (path, name) in PLACES {
                                    li { a href=(view.at(path)) aria-current=[(path == self.place).then_some("page")] { (name) } }
                                }
                            }
                        }
                        p.operator { "You are " (party(operator.kind(), operator.id())) }
                    }
                    main id="content" tabindex="-1" {
                        h1 { (self.title) }
                        (self.body)
                    }
                }
            }
        };
        let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        (self.status, headers, page.into_string()).into_response()
    }
}

/// A text that someone else has written: it keeps its direction of writing to itself.
pub(super) fn foreign(text: &str) -> Markup {
    html! { bdi { (text) } }
}

/// A principal, as people write it.
pub(super) fn party(kind: &str, id: &str) -> Markup {
    html! { (foreign(kind)) ":" (foreign(id)) }
}

/// An instant, for people and for programs.
pub(super) fn instant(at: DateTime<Utc>) -> Markup {
    let exact = at.to_rfc3339_opts(SecondsFormat::Millis, true);
    html! { time datetime=(exact) { (at.format("%Y-%m-%d %H:%M:%S")) } }
}

/// A sentence with words of code between backticks, as messages and the table of keys have them.
pub(super) fn with_code(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// A table that scrolls by itself where it is wider than the page: the keyboard reaches it then.
pub(super) fn table(id: &str, caption: &str, heads: &[&str], rows: &Markup) -> Markup {
    let name = format!("{id}-caption");
    html! {
        div.wide role="region" aria-labelledby=(name) tabindex="0" {
            table id=(id) {
                caption id=(name) { (caption) }
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { (rows) }
            }
        }
    }
}
