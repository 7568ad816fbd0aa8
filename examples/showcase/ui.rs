//! A page for people: every route of the shop at a click, and a socket that closes before their eyes.
//!
//! The page is three files without a session: the routes that its buttons ask are what the layer is around.

use axum::{Router, response::IntoResponse, routing::get};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

/// Nothing but its own files, and requests to where it came from.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let page = file("text/html; charset=utf-8", include_str!("ui/index.html"));
    let script = file("text/javascript; charset=utf-8", include_str!("ui/page.js"));
    let style = file("text/css; charset=utf-8", include_str!("ui/page.css"));
    Router::new()
        .route("/ui", get(async || page))
        .route("/ui/page.js", get(async || script))
        .route("/ui/page.css", get(async || style))
}

/// One file of the page.
fn file(kind: &'static str, text: &'static str) -> impl IntoResponse + Clone + Send + Sync + 'static {
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}
