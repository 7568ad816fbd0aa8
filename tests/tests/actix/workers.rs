//! Several workers, each a thread with a runtime of its own, on one store.

use std::{
    collections::{BTreeSet, HashSet},
    net::{SocketAddr, TcpListener},
    sync::mpsc,
    thread,
};

use actix_web::{App, HttpServer, dev::ServerHandle, rt::System, web};
use serde_json::{Value, json};
use sessions::{Session, SessionError, session};

use crate::client::{Browser, Reply};

const WORKERS: usize = 4;

sessions::policies! {
    many: { extends: "user_default" },
    waiting: { extends: "user_default", on_conflict: "serial" },
}

fn answer(number: u64) -> web::Json<Value> {
    web::Json(json!({ "number": number, "thread": format!("{:?}", thread::current().id()) }))
}

#[session(policy = "many")]
async fn count(session: Session) -> Result<web::Json<Value>, SessionError> {
    let number = session.update("number", |number: &mut u64| {
        *number += 1;
        *number
    });
    Ok(answer(number.await?))
}

/// Reads, lets others run, and writes: right only for one request at a time.
#[session(policy = "waiting")]
async fn read_and_write(mut session: Session) -> Result<web::Json<Value>, SessionError> {
    let number = session.get::<u64>("number")?.unwrap_or_default() + 1;
    actix_web::rt::task::yield_now().await;
    session.set("number", number)?;
    Ok(answer(number))
}

/// A server in a thread of its own, which ends when this is dropped.
struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    fn start() -> Self {
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                let registry = policies::Registry::builder().with_settings(None, []).load().await.unwrap();
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = listener.local_addr().unwrap();
                let app = move || {
                    App::new()
                        .route("/count", web::post().to(count))
                        .route("/read-and-write", web::post().to(read_and_write))
                        .wrap(registry.layer())
                };
                let server = HttpServer::new(app).workers(WORKERS).disable_signals().listen(listener);
                let server = server.unwrap().run();
                tell.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = told.recv().unwrap();
        Self { address, handle, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The command is on its way with the call; the thread ends with the server.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// So many requests at once in one browser's session, which has begun with the number 1.
fn numbers(path: &str, requests: u64) {
    let server = Server::start();
    let mut browser = Browser::new(server.address);
    assert_eq!(browser.post(path).expect_status(200).json()["number"], 1);
    let replies: Vec<Reply> = thread::scope(|scope| {
        let threads: Vec<_> = (0..requests)
            .map(|_| {
                let mut browser = browser.clone();
                scope.spawn(move || browser.post(path))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let answers: Vec<_> = replies.iter().map(|reply| reply.expect_status(200).json()).collect();
    let numbers: BTreeSet<_> = answers.iter().map(|answer| answer["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (2..=requests + 1).collect(), "each number once");
    let threads: HashSet<_> = answers.iter().map(|answer| answer["thread"].to_string()).collect();
    assert!(threads.len() > 1, "more than one worker answered: {threads:?}");
}

#[test]
fn no_update_of_any_worker_is_lost() {
    numbers("/count", 100);
}

#[test]
fn requests_of_all_workers_take_turns() {
    numbers("/read-and-write", 20);
}
