//! Sessions of gRPC: the service of `examples/grpc` behind a real server of tonic, called by a real client over loopback.

#![allow(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

#[path = "../../../examples/grpc/account.rs"]
mod account;
mod layer;
#[allow(missing_docs, reason = "prost writes some of it")]
#[path = "../../../examples/grpc/rpc.rs"]
mod rpc;

use sessions::{Fault, SessionPrincipal};
use sessions_tests::Spy;
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::{
    Code, Request, Response, Status,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_types::StatusExt as _;

use self::{
    account::{
        Accounts,
        policies::{App, Registry},
    },
    rpc::{AccountClient, AccountServer, Count, Text},
};

const FILE: &str = "[stores.main]\nkind = \"custom\"\ntimeout = \"5s\"\n";

/// A running server, and a client that keeps what it is told.
struct Shop {
    registry: Registry,
    store: Spy,
    client: AccountClient,
    id: Option<String>,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shop {
    async fn open() -> Self {
        let store = Spy::default();
        let registry = Registry::builder().with_settings(Some(FILE), []).store("main", store.clone());
        let registry = registry.load().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder().layer(registry.grpc_layer()).add_service(AccountServer::new(Accounts));
        let serving = tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self { registry, store, client: AccountClient::new(channel), id: None, serving }
    }

    /// A call with these lines of `authorization`.
    async fn call_with<T: prost::Message + Default + 'static>(
        &mut self,
        method: &'static str,
        text: &str,
        authorization: &[String],
    ) -> Result<Response<T>, Status> {
        let mut request = Request::new(Text { text: text.to_owned() });
        for line in authorization {
            request.metadata_mut().append("authorization", line.parse().unwrap());
        }
        self.client.call(method, request).await
    }

    /// A call with the id that was told last.
    async fn call<T: prost::Message + Default + 'static>(
        &mut self,
        method: &'static str,
        text: &str,
    ) -> Result<T, Status> {
        let authorization: Vec<_> = self.id.iter().map(|id| format!("Bearer {id}")).collect();
        let response = self.call_with::<T>(method, text, &authorization).await?;
        if let Some(id) = response.metadata().get("x-session-id") {
            self.id = Some(id.to_str().unwrap().to_owned());
        }
        Ok(response.into_inner())
    }

    async fn say(&mut self, method: &'static str, text: &str) -> Result<String, Status> {
        Ok(self.call::<Text>(method, text).await?.text)
    }

    async fn visit(&mut self) -> Result<u64, Status> {
        Ok(self.call::<Count>("Visit", "").await?.count)
    }
}

/// That a call was refused with this code, and told the fault.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, fault: Fault) -> Status {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), code, "{status:?}");
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), (fault.code(), "sessions"));
    assert_eq!(status.message(), fault.title());
    status
}

#[tokio::test]
async fn a_session_lives_in_metadata() {
    let mut shop = Shop::open().await;
    refused(shop.say("WhoAmI", "").await, Code::Unauthenticated, Fault::Required);
    assert_eq!(shop.id, None, "reading makes no session");

    assert_eq!(shop.visit().await.unwrap(), 1);
    let visitor = shop.id.clone().unwrap();
    assert_eq!(shop.say("LogIn", "ada").await.unwrap(), "logged in");
    let logged_in = shop.id.clone().unwrap();
    assert_ne!(visitor, logged_in, "a login changes the id");
    assert_eq!(shop.say("WhoAmI", "").await.unwrap(), "ada");
    assert_eq!(shop.visit().await.unwrap(), 2, "what a visitor had is carried over");

    shop.say("Rotate", "").await.unwrap();
    let rotated = shop.id.clone().unwrap();
    assert_ne!(logged_in, rotated);
    for stale in [visitor, logged_in] {
        let answer = shop.call_with::<Text>("WhoAmI", "", &[format!("Bearer {stale}")]).await;
        refused(answer, Code::Unauthenticated, Fault::Required);
    }
    refused(shop.say("Report", "").await, Code::PermissionDenied, Fault::Forbidden);

    assert_eq!(shop.say("LogOut", "").await.unwrap(), "logged out");
    refused(shop.say("WhoAmI", "").await, Code::Unauthenticated, Fault::Required);
}

#[tokio::test]
async fn a_revoked_session_is_unauthenticated() {
    let mut shop = Shop::open().await;
    shop.say("LogIn", "ada").await.unwrap();
    let engine = shop.registry.engine::<App>();
    assert_eq!(engine.revoke_all(&SessionPrincipal::user("ada")).await.unwrap(), 1);
    refused(shop.say("WhoAmI", "").await, Code::Unauthenticated, Fault::Required);
}

#[tokio::test]
async fn a_store_that_is_down_is_unavailable_and_says_when_to_come_back() {
    let mut shop = Shop::open().await;
    shop.say("LogIn", "ada").await.unwrap();
    shop.store.set_down(true);
    let status = refused(shop.say("WhoAmI", "").await, Code::Unavailable, Fault::StoreUnavailable);
    let details = status.get_error_details();
    let retry = details.retry_info().unwrap().retry_delay.unwrap();
    assert_eq!(retry.as_secs(), 1);
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "1000");
    shop.store.set_down(false);
    assert_eq!(shop.say("WhoAmI", "").await.unwrap(), "ada", "the session outlives the outage");
}

#[tokio::test]
async fn no_answer_leaves_over_a_failed_commit() {
    let mut shop = Shop::open().await;
    shop.say("LogIn", "ada").await.unwrap();
    assert_eq!(shop.visit().await.unwrap(), 1);
    shop.store.fail_next(sessions::testing::Operation::Cas);
    refused(shop.visit().await, Code::Unavailable, Fault::StoreUnavailable);
    assert_eq!(shop.visit().await.unwrap(), 2, "what was refused was not counted");
}

#[tokio::test]
async fn two_credentials_are_refused_before_the_store_is_asked() {
    let mut shop = Shop::open().await;
    shop.say("LogIn", "ada").await.unwrap();
    let own = format!("Bearer {}", shop.id.clone().unwrap());
    shop.store.take_counts();
    for second in [own.clone(), "Bearer other".to_owned(), "Basic dTpw".to_owned()] {
        let answer = shop.call_with::<Text>("WhoAmI", "", &[own.clone(), second]).await;
        refused(answer, Code::InvalidArgument, Fault::Contradictory);
    }
    assert_eq!(shop.store.take_counts().totals(), (0, 0));
}

#[tokio::test]
async fn an_id_in_metadata_is_hidden_and_told_only_when_it_changes() {
    let mut shop = Shop::open().await;
    let first = shop.call_with::<Count>("Visit", "", &[]).await.unwrap();
    let id = first.metadata().get("x-session-id").unwrap().to_str().unwrap().to_owned();
    let again = shop.call_with::<Count>("Visit", "", &[format!("Bearer {id}")]).await.unwrap();
    assert_eq!(again.get_ref().count, 2);
    assert!(again.metadata().get("x-session-id").is_none());
}
