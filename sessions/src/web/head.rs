//! The part of a request that decides about a session: method, target and headers, never the body.

use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri, request::Parts};

/// The head of a request, borrowed.
///
/// ```
/// use http::Request;
/// use sessions::RequestHead;
///
/// let request = Request::post("/login").body("…")?;
/// let head = RequestHead::from(&request);
/// assert_eq!(head.method, "POST");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method, as it was sent: nothing overrides it.
    pub method: &'a Method,
    /// The target. Over HTTP/2 it holds the authority that HTTP/1 sends as `Host`.
    pub uri: &'a Uri,
    /// All header fields.
    pub headers: &'a HeaderMap,
    /// What the server and the application say of the request: events tell its [`Peer`](crate::Peer) and its
    /// [`RequestId`](crate::RequestId).
    pub extensions: &'a Extensions,
}

impl<'a, B> From<&'a Request<B>> for RequestHead<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl<'a> From<&'a Parts> for RequestHead<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }
}

/// For extractors, which are handed their parts to change.
impl<'a> From<&'a mut Parts> for RequestHead<'a> {
    fn from(parts: &'a mut Parts) -> Self {
        Self::from(&*parts)
    }
}

/// Shows neither field values nor the query: both carry credentials, and a client's are not marked as sensitive.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .field("path", &self.uri.path())
            .field("fields", &self.headers.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value_that_a_client_sent() {
        let request = Request::get("/a?code=canary-1")
            .header("cookie", "x=canary-2")
            .body(())
            .expect("a plain request");
        let shown = format!("{:?}", RequestHead::from(&request));
        assert!(shown.contains("/a") && !shown.contains("canary"), "{shown}");
    }

    #[test]
    fn a_request_and_its_parts_are_the_same_head() {
        let (parts, ()) = Request::put("/b").body(()).expect("a plain request").into_parts();
        let head = RequestHead::from(&parts);
        assert_eq!((head.method, head.uri.path()), (&Method::PUT, "/b"));
    }
}
