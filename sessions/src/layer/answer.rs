//! What the services under a layer speak: how they are told that a session failed, and how they say that a handler did.
//! The lifecycle is the same for all.

use http::Response;

use crate::fault::SessionError;

/// What a service under a [`SessionLayer`](crate::SessionLayer) speaks: [`Http`], or gRPC with the feature `tonic`.
pub trait Protocol<R>: sealed::Protocol<R> {}

impl<P: sealed::Protocol<R>, R> Protocol<R> for P {}

/// Plain HTTP: a session that fails is told by a problem document (RFC 9457), and a status of 500 and above says that a
/// handler has failed.
#[derive(Debug)]
pub enum Http {}

impl<R: From<String>> sealed::Protocol<R> for Http {
    fn refuse(error: SessionError) -> Response<R> {
        error.into_http().map(R::from)
    }

    fn has_failed(response: &Response<R>) -> bool {
        response.status().is_server_error()
    }
}

pub(crate) mod sealed {
    use http::Response;

    use crate::fault::SessionError;

    /// What the layer has to know of a protocol.
    pub trait Protocol<R>: 'static {
        /// The response in the place of one whose session could not be committed.
        fn refuse(error: SessionError) -> Response<R>;

        /// Whether the response says that the handler failed: what the policy's `on_server_error` is about.
        fn has_failed(response: &Response<R>) -> bool;
    }
}
