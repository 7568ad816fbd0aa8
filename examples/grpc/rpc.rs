//! What `protoc` and `tonic-prost-build` make of a `.proto` file, written by hand so that the example needs neither:
//!
//! ```proto
//! package shop;
//!
//! service Account {
//!   rpc LogIn(Text) returns (Text);
//!   rpc Visit(Text) returns (Count);
//!   // … and so on
//! }
//! message Text { string text = 1; }
//! message Count { uint64 count = 1; }
//! ```

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::uri::PathAndQuery;
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService},
    transport::Channel,
};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

/// A text; empty where a call has nothing to say.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Text {
    /// What it says.
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

/// A number.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Count {
    /// How many.
    #[prost(uint64, tag = "1")]
    pub(crate) count: u64,
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

/// The service's methods.
pub(crate) trait Account: Send + Sync + 'static {
    /// Logs the named person in.
    fn log_in(self: Arc<Self>, request: Request<Text>) -> Answer<Text>;
    /// Who has logged in.
    fn who_am_i(self: Arc<Self>, request: Request<Text>) -> Answer<Text>;
    /// Counts the calls of one session.
    fn visit(self: Arc<Self>, request: Request<Text>) -> Answer<Count>;
    /// Gives the session another id.
    fn rotate(self: Arc<Self>, request: Request<Text>) -> Answer<Text>;
    /// For administrators.
    fn report(self: Arc<Self>, request: Request<Text>) -> Answer<Text>;
    /// Ends the session.
    fn log_out(self: Arc<Self>, request: Request<Text>) -> Answer<Text>;
}

/// A server of the service.
#[derive(Debug)]
pub(crate) struct AccountServer<T>(Arc<T>);

impl<T> AccountServer<T> {
    /// Serves these methods.
    pub(crate) fn new(methods: T) -> Self {
        Self(Arc::new(methods))
    }
}

impl<T> Clone for AccountServer<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> NamedService for AccountServer<T> {
    const NAME: &'static str = "shop.Account";
}

impl<T: Account> Service<http::Request<Body>> for AccountServer<T> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let account = Arc::clone(&self.0);
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        Box::pin(async move {
            let text = ProstCodec::<Text, Text>::default;
            let response = match &*method {
                "LogIn" => {
                    let call = service_fn(|request| Arc::clone(&account).log_in(request));
                    Grpc::new(text()).unary(call, request).await
                }
                "WhoAmI" => {
                    let call = service_fn(|request| Arc::clone(&account).who_am_i(request));
                    Grpc::new(text()).unary(call, request).await
                }
                "Visit" => {
                    let call = service_fn(|request| Arc::clone(&account).visit(request));
                    Grpc::new(ProstCodec::<Count, Text>::default()).unary(call, request).await
                }
                "Rotate" => {
                    let call = service_fn(|request| Arc::clone(&account).rotate(request));
                    Grpc::new(text()).unary(call, request).await
                }
                "Report" => {
                    let call = service_fn(|request| Arc::clone(&account).report(request));
                    Grpc::new(text()).unary(call, request).await
                }
                "LogOut" => {
                    let call = service_fn(|request| Arc::clone(&account).log_out(request));
                    Grpc::new(text()).unary(call, request).await
                }
                _ => Status::unimplemented("no such method").into_http(),
            };
            Ok(response)
        })
    }
}

/// A client of the service.
#[derive(Clone, Debug)]
pub(crate) struct AccountClient(tonic::client::Grpc<Channel>);

impl AccountClient {
    /// Calls over this channel.
    pub(crate) fn new(channel: Channel) -> Self {
        Self(tonic::client::Grpc::new(channel))
    }

    /// Calls a method by its name.
    ///
    /// # Errors
    /// The status that the server answered.
    pub(crate) async fn call<T: prost::Message + Default + 'static>(
        &mut self,
        method: &'static str,
        request: Request<Text>,
    ) -> Result<Response<T>, Status> {
        self.0.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let path = PathAndQuery::try_from(format!("/shop.Account/{method}"))
            .map_err(|_| Status::invalid_argument("no name of a method"))?;
        self.0.unary(request, path, ProstCodec::<Text, T>::default()).await
    }
}
