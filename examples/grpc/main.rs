//! Sessions of gRPC services: a server of tonic, and a client that keeps its id as metadata.
//!
//! ```text
//! cargo run --example grpc --features grpc
//! ```
//!
//! The id travels as `authorization: Bearer …`, and comes back in the response's metadata `x-session-id` whenever it is
//! another one.

mod account;
mod rpc;

use std::error::Error;

use tokio::net::TcpListener;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Server, server::TcpIncoming},
};

use self::{
    account::{Accounts, policies::Registry},
    rpc::{AccountClient, AccountServer, Count, Text},
};

/// A client that remembers the id which it was told last.
struct Client {
    account: AccountClient,
    authorization: Option<MetadataValue<Ascii>>,
}

impl Client {
    async fn call<T: prost::Message + Default + 'static>(
        &mut self,
        method: &'static str,
        text: &str,
    ) -> Result<T, Status> {
        let mut request = Request::new(Text { text: text.to_owned() });
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        let response = self.account.call(method, request).await?;
        if let Some(id) = response.metadata().get("x-session-id").and_then(|id| id.to_str().ok()) {
            let mut bearer: MetadataValue<Ascii> =
                format!("Bearer {id}").parse().map_err(|_| Status::internal("an id that is no text"))?;
            bearer.set_sensitive(true);
            self.authorization = Some(bearer);
        }
        Ok(response.into_inner())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::load().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = Server::builder().layer(registry.grpc_layer()).add_service(AccountServer::new(Accounts));
    let serving = tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

    let channel = Channel::from_shared(format!("http://{address}"))?.connect().await?;
    let mut client = Client { account: AccountClient::new(channel), authorization: None };
    println!("WhoAmI  {}", told(client.call::<Text>("WhoAmI", "").await));
    println!("Visit   {}", client.call::<Count>("Visit", "").await?.count);
    println!("LogIn   {}", told(client.call::<Text>("LogIn", "ada").await));
    println!("WhoAmI  {}", told(client.call::<Text>("WhoAmI", "").await));
    println!("Visit   {}", client.call::<Count>("Visit", "").await?.count);
    println!("Rotate  {}", told(client.call::<Text>("Rotate", "").await));
    println!("Report  {}", told(client.call::<Text>("Report", "").await));
    println!("LogOut  {}", told(client.call::<Text>("LogOut", "").await));
    println!("WhoAmI  {}", told(client.call::<Text>("WhoAmI", "").await));
    serving.abort();
    Ok(())
}

fn told(answer: Result<Text, Status>) -> String {
    match answer {
        Ok(text) => text.text,
        Err(status) => format!("{:?}: {}", status.code(), status.message()),
    }
}
