//! One request to a stack in process, and what of its answer is looked at.

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Method, Request, Response, Uri, header},
};
use tower::ServiceExt as _;

use crate::{Outcome, cookies};

/// A route as requests name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) method: &'static Method,
    pub(crate) path: &'static str,
}

const fn get(path: &'static str) -> Route {
    Route { method: &Method::GET, path }
}

const fn post(path: &'static str) -> Route {
    Route { method: &Method::POST, path }
}

pub(crate) const LOGIN: Route = post("/login");
pub(crate) const LOGOUT: Route = post("/logout");
pub(crate) const COUNT: Route = get("/count");

const ROUTES: [Route; 9] = [
    get("/untouched"),
    get("/read"),
    post("/set"),
    post("/set-slow"),
    post("/update"),
    post("/update-slow"),
    LOGIN,
    LOGOUT,
    COUNT,
];

impl Route {
    /// The route of a name such as `read`.
    pub(crate) fn of_word(word: &str) -> Outcome<Self> {
        let found = ROUTES.into_iter().find(|route| &route.path[1..] == word);
        found.ok_or_else(|| format!("`{word}` is no route").into())
    }
}

/// Makes a request's head anew, as a server does for each that comes off the wire.
pub(crate) fn request(route: Route, cookie: &[u8]) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = route.method.clone();
    *request.uri_mut() = Uri::from_static(route.path);
    if !cookie.is_empty() {
        let value = HeaderValue::from_bytes(cookie).expect("a cookie is visible ASCII");
        request.headers_mut().insert(header::COOKIE, value);
    }
    request
}

pub(crate) async fn call(router: &Router, request: Request<Body>) -> Response<Body> {
    let answer: Result<_, Infallible> = router.clone().oneshot(request).await;
    answer.expect("infallible")
}

/// Creates a session and returns its cookies as the next request sends them.
pub(crate) async fn login(router: &Router) -> Outcome<String> {
    let answer = call(router, request(LOGIN, b"")).await;
    if !answer.status().is_success() {
        return Err(format!("login: {}", answer.status()).into());
    }
    let set = answer.headers().get_all(header::SET_COOKIE);
    cookies::pairs(set.iter().map(HeaderValue::as_bytes))
}
