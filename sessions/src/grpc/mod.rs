//! Sessions of gRPC services on tonic. Metadata is the header fields of HTTP/2, so the transports are those of HTTP, and the
//! lifecycle is the tower layer's; here stands what differs: how a refusal is told, and how a handler says that it failed.

mod details;
mod status;

use std::sync::OnceLock;

use http::{HeaderMap, Method, Response, Uri};
use tonic::{Code, Status};

use crate::{
    fault::SessionError,
    layer::{SessionLayer, sealed},
    registry::Registry,
    web::RequestHead,
};

/// The field in which a response without a message tells its status.
const STATUS: &str = "grpc-status";

/// gRPC: a session that fails is told by a status, and a status by which a server says that it failed says so of a
/// handler.
#[derive(Debug)]
pub enum Grpc {}

impl<R: Default> sealed::Protocol<R> for Grpc {
    fn refuse(error: SessionError) -> Response<R> {
        Status::from(error).into_http()
    }

    /// What gRPC's mapping to HTTP calls a status of 500 and above.
    fn has_failed(response: &Response<R>) -> bool {
        matches!(
            code(response.headers()),
            Code::Unknown
                | Code::DeadlineExceeded
                | Code::Unimplemented
                | Code::Internal
                | Code::Unavailable
                | Code::DataLoss
        ) || response.status().is_server_error()
    }
}

/// The status of a response that has no message; `Ok` where it stands in the trailers, after what the layer sees.
fn code(headers: &HeaderMap) -> Code {
    headers.get(STATUS).map_or(Code::Ok, |status| Code::from_bytes(status.as_bytes()))
}

impl<D> Registry<D> {
    /// The layer for a server of tonic: as [`layer`](Self::layer), but that a session which can't be committed is told by a
    /// gRPC status.
    ///
    /// A policy with `transport.adapter = "bearer"` reads its id from the metadata `authorization`, one with `"header"` from
    /// the metadata of that name; both answer in the response's metadata, under `transport.header_name`, which is sent
    /// before the first message. A handler opens its session from its request, and the layer commits it when the response's
    /// metadata is ready: what a stream changes later is refused as [`Fault::Unusable`](crate::Fault::Unusable).
    ///
    /// ```
    /// # mod shop { sessions::policies! { app: { extends: "api_token", transport: { adapter: "bearer" } } } }
    /// # use shop::policies;
    /// use sessions::{Session, guard};
    /// use tonic::{Request, Response, Status};
    ///
    /// async fn visits(request: Request<()>) -> Result<Response<u64>, Status> {
    ///     let session = Session::<policies::App, guard::Authenticated>::open(&request).await?;
    ///     let visits = session.update("visits", |n: &mut u64| { *n += 1; *n }).await?;
    ///     Ok(Response::new(visits))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessions::LoadError> {
    /// let registry = policies::Registry::load().await?;
    /// let layer = registry.grpc_layer();   // tonic::transport::Server::builder().layer(layer).add_service(…)
    /// # drop(layer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn grpc_layer(&self) -> SessionLayer<D, Grpc> {
        SessionLayer::new(self.clone())
    }
}

/// A request of tonic as the head that decides about its session: its metadata and extensions. Every call is a POST.
impl<'a, T> From<&'a tonic::Request<T>> for RequestHead<'a> {
    fn from(request: &'a tonic::Request<T>) -> Self {
        static NO_TARGET: OnceLock<Uri> = OnceLock::new();
        Self {
            method: &Method::POST,
            uri: NO_TARGET.get_or_init(Uri::default),
            headers: request.metadata().as_ref(),
            extensions: request.extensions(),
        }
    }
}
