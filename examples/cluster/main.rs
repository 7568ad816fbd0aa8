//! Two nodes of the showcase on one Redis: who logs in at one is known at the other, and who logs out at one is refused by
//! the other.
//!
//! ```text
//! cargo run --example cluster
//! ```
//!
//! Starts a `redis-server` of its own, which has to be installed, and leaves nothing behind. With
//! `SESSIONS_STORES__MAIN__URL=redis://HOST` it takes that server instead. `--stay` leaves both nodes running until Enter is
//! pressed, so that they can be tried by hand.

mod node;
mod server;

use std::{error::Error, io::stdin};

use crate::{
    node::{Answer, Node},
    server::Server,
};

const URL: &str = "SESSIONS_STORES__MAIN__URL";
const LOGIN: &str = r#"{"email":"ada@example.com","password":"analytical-engine"}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let (url, _server) = if let Ok(url) = std::env::var(URL) {
        (url, None)
    } else {
        let server = Server::start()?;
        (server.url(), Some(server))
    };
    node::build()?;
    let (first, second) = (Node::start(&url)?, Node::start(&url)?);
    println!("one node at http://{}, another at http://{}", first.address(), second.address());

    let login = first.ask("POST", "/login", None, LOGIN)?;
    show("one", "POST /login", &login);
    let cookie = login.cookie.as_deref();
    show("another", "GET /profile", &second.ask("GET", "/profile", cookie, "")?);
    show("one", "POST /logout", &first.ask("POST", "/logout", cookie, "")?);
    show("another", "GET /profile", &second.ask("GET", "/profile", cookie, "")?);

    if std::env::args().any(|argument| argument == "--stay") {
        println!("both stay until Enter is pressed");
        stdin().read_line(&mut String::new())?;
    }
    Ok(())
}

fn show(node: &str, request: &str, answer: &Answer) {
    println!("{node:8} {request:13} {}", answer.status);
}
