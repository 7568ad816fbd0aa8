//! A stack in a process of its own: it creates its sessions, tells that it is ready, then does what it is told line by
//! line on standard input, until that is closed.
//!
//! | line | answer |
//! |---|---|
//! | (at the start) | `ready BYTES`: by how much memory has grown |
//! | `run ROUTE WORKERS COUNT` | nanoseconds for so many requests |
//! | `lost ROUTE CLIENTS COUNT` | how many increments were answered with success, and the counter after them |

use std::{
    io::{BufRead as _, Write as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

use axum::{
    Router,
    http::{HeaderValue, Response},
};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    Outcome,
    cookies::{self, Cookies},
    machine,
    request::{COUNT, LOGIN, LOGOUT, Route, call, login, request},
    stacks::Stack,
};

/// Tasks that take turns on the workers, as the connections of a server do.
const TASKS: usize = 64;
/// How far the next session is from the one before, so that neighbours in time are none in memory.
const STRIDE: usize = 7_919;

pub(crate) fn run(stack: Stack, sessions: usize) -> Outcome<()> {
    let runtimes = [runtime(1)?, runtime(2)?];
    let (child, bytes) = runtimes[0].block_on(Child::new(stack, sessions))?;
    println!("ready {bytes}");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match words[..] {
            ["run", route, workers, count] => {
                let (route, count) = (Route::of_word(route)?, count.parse()?);
                let runtime = runtimes.get(workers.parse::<usize>()? - 1).ok_or("one worker or two")?;
                runtime.block_on(child.chunk(route, count))?
            }
            ["lost", route, clients, count] => {
                let (route, clients) = (Route::of_word(route)?, clients.parse()?);
                runtimes[1].block_on(child.increments(route, clients, count.parse()?))?
            }
            _ => return Err(format!("`{line}` is no order").into()),
        };
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn runtime(workers: usize) -> Outcome<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?)
}

struct Child {
    router: Router,
    cookies: Arc<Cookies>,
    /// The sessions that chunks of logins have left for chunks of logouts.
    fresh: Arc<Mutex<Vec<String>>>,
    next: AtomicUsize,
}

impl Child {
    /// The stack with its sessions, and by how many bytes they have made the process grow.
    async fn new(stack: Stack, sessions: usize) -> Outcome<(Self, u64)> {
        let router = stack.router(sessions).await?;
        let mut cookies = Cookies::like(&login(&router).await?, sessions);
        let before = machine::resident();
        if stack.is_layer() {
            for index in 0..sessions {
                cookies.put(index, &login(&router).await?)?;
            }
        } else {
            let cookie = login(&router).await?;
            for index in 0..sessions {
                cookies.put(index, &cookie)?;
            }
        }
        let bytes = machine::resident().saturating_sub(before);
        let (cookies, fresh) = (Arc::new(cookies), Arc::default());
        Ok((Self { router, cookies, fresh, next: 0.into() }, bytes))
    }

    /// Serves so many requests by tasks that take turns, and tells the nanoseconds from the first to the last.
    async fn chunk(&self, route: Route, count: usize) -> Outcome<String> {
        let mut leaving = match route {
            LOGOUT => std::mem::take(&mut *self.fresh.lock().unwrap_or_else(PoisonError::into_inner)),
            _ => Vec::new(),
        };
        let (each, begin) = (count / TASKS, self.next.fetch_add(count, Relaxed));
        let mut tasks = JoinSet::new();
        let start = Instant::now();
        for task in 0..TASKS {
            let (router, cookies) = (self.router.clone(), Arc::clone(&self.cookies));
            match route {
                LOGIN => {
                    let fresh = Arc::clone(&self.fresh);
                    tasks.spawn(logins(router, fresh, each));
                }
                LOGOUT => {
                    let own = leaving.split_off(leaving.len().saturating_sub(each));
                    tasks.spawn(logouts(router, own));
                }
                _ => {
                    tasks.spawn(visits(router, route, cookies, begin + task * each, each));
                }
            }
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(start.elapsed().as_nanos().to_string())
    }

    /// Has many clients increment the counter of one new session at once.
    async fn increments(&self, route: Route, clients: usize, count: usize) -> Outcome<String> {
        let jar = Arc::new(Mutex::new(login(&self.router).await?));
        let (left, answered) = (Arc::new(AtomicUsize::new(count)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let (router, jar) = (self.router.clone(), Arc::clone(&jar));
            let (left, answered) = (Arc::clone(&left), Arc::clone(&answered));
            tasks.spawn(async move {
                while left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
                    let cookie = jar.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    let answer = call(&router, request(route, cookie.as_bytes())).await;
                    if answer.status().is_success() {
                        answered.fetch_add(1, Relaxed);
                    }
                    tokio::task::yield_now().await;
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done?;
        }
        let cookie = jar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = call(&self.router, request(COUNT, cookie.as_bytes())).await;
        let body = axum::body::to_bytes(answer.into_body(), 64).await?;
        Ok(format!("{} {}", answered.load(Relaxed), std::str::from_utf8(&body)?))
    }
}

async fn visits(
    router: Router,
    route: Route,
    cookies: Arc<Cookies>,
    begin: usize,
    count: usize,
) -> Outcome<()> {
    for step in begin..begin + count {
        let index = step.wrapping_mul(STRIDE) % cookies.len().max(1);
        checked(&call(&router, request(route, cookies.get(index))).await)?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn logins(router: Router, fresh: Arc<Mutex<Vec<String>>>, count: usize) -> Outcome<()> {
    let mut answers = Vec::with_capacity(count);
    for _ in 0..count {
        let answer = call(&router, request(LOGIN, b"")).await;
        checked(&answer)?;
        answers.push(answer);
        tokio::task::yield_now().await;
    }
    let mut cookies = Vec::with_capacity(count);
    for answer in answers {
        let set = answer.headers().get_all("set-cookie");
        cookies.push(cookies::pairs(set.iter().map(HeaderValue::as_bytes))?);
    }
    fresh.lock().unwrap_or_else(PoisonError::into_inner).append(&mut cookies);
    Ok(())
}

async fn logouts(router: Router, cookies: Vec<String>) -> Outcome<()> {
    for cookie in cookies {
        checked(&call(&router, request(LOGOUT, cookie.as_bytes())).await)?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

fn checked<B>(answer: &Response<B>) -> Outcome<()> {
    if answer.status().is_success() { Ok(()) } else { Err(format!("answered {}", answer.status()).into()) }
}
