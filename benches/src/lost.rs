//! Increments of one session's counter by 64 clients at once, and how many of those that were answered with success the
//! counter does not show.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tokio::task::JoinSet;

use crate::{
    Outcome,
    arguments::Arguments,
    orders::Servant,
    request::{COUNT, LOGIN, Route},
    sockets,
    stacks::Stack,
    wire::Connection,
};

const CLIENTS: usize = 64;
const INCREMENTS: usize = 1_000;
/// Runs of each kind, since the number depends on luck.
const RUNS: usize = 3;

/// How many increments were lost.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) stack: Stack,
    /// Whether the handler used the layer's atomic update.
    pub(crate) updates: bool,
    /// Without work between reading and writing.
    pub(crate) at_once: Vec<u64>,
    /// With 2 ms of work.
    pub(crate) slow: Vec<u64>,
}

pub(crate) fn measure(arguments: &Arguments) -> Outcome<Vec<Lost>> {
    let mut found = Vec::new();
    for stack in arguments.of(&Stack::ALL).into_iter().filter(|stack| stack.is_layer()) {
        eprintln!("lost updates: {}", stack.title());
        if stack.is_actix() {
            let (_server, port, _) = sockets::start(stack, 0)?;
            found.push(lost(stack, false, |route| sockets::runtime()?.block_on(over_sockets(port, route)))?);
            continue;
        }
        let mut child = Servant::start(&["child", stack.word(), "1"])?;
        child.answer()?;
        let mut ask = |route: &str| difference(&child.ask(&format!("lost {route} {CLIENTS} {INCREMENTS}"))?);
        found.push(lost(stack, false, &mut ask)?);
        if stack.updates() {
            found.push(lost(stack, true, &mut ask)?);
        }
    }
    Ok(found)
}

fn lost(stack: Stack, updates: bool, mut run: impl FnMut(&str) -> Outcome<u64>) -> Outcome<Lost> {
    let routes = if updates { ["update", "update-slow"] } else { ["set", "set-slow"] };
    let mut runs = |route| (0..RUNS).map(|_| run(route)).collect::<Outcome<Vec<u64>>>();
    Ok(Lost { stack, updates, at_once: runs(routes[0])?, slow: runs(routes[1])? })
}

/// How many more were answered than the counter shows.
fn difference(answer: &str) -> Outcome<u64> {
    let (answered, counted) = answer.split_once(' ').ok_or("two numbers are expected")?;
    let (answered, counted): (u64, u64) = (answered.parse()?, counted.parse()?);
    if answered < INCREMENTS as u64 {
        return Err(format!("only {answered} of {INCREMENTS} increments were answered with success").into());
    }
    Ok(answered - counted.min(answered))
}

/// The same over sockets; the clients share one cookie jar, in which the last cookie stays.
async fn over_sockets(port: u16, route: &str) -> Outcome<u64> {
    let route = Route::of_word(route)?;
    let mut first = Connection::open(port).await?;
    let cookie = first.exchange(LOGIN, b"").await?.cookies().ok_or("no cookie came back")?;
    let jar = Arc::new(Mutex::new(cookie));
    let (left, answered) = (Arc::new(AtomicUsize::new(INCREMENTS)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..CLIENTS {
        let (jar, left, answered) = (Arc::clone(&jar), Arc::clone(&left), Arc::clone(&answered));
        tasks.spawn(async move {
            let mut connection = Connection::open(port).await?;
            while left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
                let cookie = jar.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let answer = connection.exchange(route, cookie.as_bytes()).await?;
                if answer.is_success() {
                    answered.fetch_add(1, Relaxed);
                }
                if let Some(cookie) = answer.cookies() {
                    *jar.lock().unwrap_or_else(PoisonError::into_inner) = cookie;
                }
            }
            Outcome::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let cookie = jar.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let answer = first.exchange(COUNT, cookie.as_bytes()).await?;
    let counted = std::str::from_utf8(answer.body)?;
    difference(&format!("{} {counted}", answered.load(Relaxed)))
}
