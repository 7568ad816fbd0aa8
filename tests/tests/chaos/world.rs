//! A round as its clients share it: where the nodes are, what time it is, and what has happened.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU16, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use sessions_tests::crash::Dice;

use crate::{
    client::{Connection, NoAnswer, Response},
    history::{Act, Event, History, Lineage, Micros, Outcome, Policy, Promise, Window},
};

/// How many nodes there are.
pub(crate) const NODES: usize = 3;

/// What the clients of a round share.
#[derive(Debug)]
pub(crate) struct World {
    began: Instant,
    /// Where the nodes listen.
    ports: Arc<[AtomicU16; NODES]>,
    is_over: AtomicBool,
    history: Mutex<History>,
    /// The numbers of the cookies. No history holds one.
    ids: Mutex<BTreeMap<String, usize>>,
}

impl World {
    pub(crate) fn new(ports: Arc<[AtomicU16; NODES]>) -> Arc<Self> {
        let (history, ids) = (Mutex::default(), Mutex::default());
        Arc::new(Self { began: Instant::now(), ports, is_over: AtomicBool::new(false), history, ids })
    }

    pub(crate) fn now(&self) -> Micros {
        Micros::try_from(self.began.elapsed().as_micros()).unwrap()
    }

    /// Lets every client finish.
    pub(crate) fn end(&self) {
        self.is_over.store(true, SeqCst);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(SeqCst)
    }

    /// Notes a time in which the store promises less.
    pub(crate) fn note(&self, promise: Promise, from: Micros) {
        let to = self.now();
        self.history().windows.push(Window { promise, from, to });
    }

    /// What has happened; nothing is left.
    pub(crate) fn take_history(&self) -> History {
        let mut history = std::mem::take(&mut *self.history());
        history.windows.sort_by_key(|window| window.from);
        history
    }

    /// A new lineage.
    pub(crate) fn lineage(&self, policy: Policy, user: Option<&str>, from: Option<usize>) -> usize {
        let mut history = self.history();
        history.lineages.push(Lineage { policy, user: user.map(str::to_owned), from });
        history.lineages.len() - 1
    }

    fn policy(&self, lineage: usize) -> Policy {
        self.history().lineages[lineage].policy
    }

    fn id(&self, cookie: &str) -> usize {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let next = ids.len();
        *ids.entry(cookie.to_owned()).or_insert(next)
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session as a client holds it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) lineage: usize,
    cookie: String,
    /// When it was told.
    since: Micros,
}

impl Held {
    /// What it is proved by now.
    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// As a browser's cookie jar, the one that was told last.
    pub(crate) fn or_later(self, other: Self) -> Self {
        if other.since > self.since { other } else { self }
    }
}

/// Asks, and notes what came of it.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) world: Arc<World>,
    pub(crate) dice: Dice,
    connections: [Connection; NODES],
}

impl Client {
    pub(crate) fn new(world: &Arc<World>, seed: u64) -> Self {
        Self { world: Arc::clone(world), dice: Dice(seed), connections: Default::default() }
    }

    /// One of the nodes.
    pub(crate) fn node(&mut self) -> usize {
        usize::try_from(self.dice.roll(NODES as u64)).unwrap()
    }

    /// Whether something happens that does so once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.dice.roll(times) == 0
    }

    /// A moment of thinking.
    pub(crate) async fn think(&mut self) {
        tokio::time::sleep(Duration::from_micros(500 + self.dice.roll(7_000))).await;
    }

    /// Logs in, perhaps as a visitor who has a session.
    pub(crate) async fn log_in(
        &mut self,
        policy: Policy,
        user: &str,
        visitor: Option<&Held>,
    ) -> Option<Held> {
        let node = self.node();
        self.log_in_at(node, policy, user, visitor).await
    }

    /// The same on a certain node.
    pub(crate) async fn log_in_at(
        &mut self,
        node: usize,
        policy: Policy,
        user: &str,
        visitor: Option<&Held>,
    ) -> Option<Held> {
        let lineage = self.world.lineage(policy, Some(user), visitor.map(|visitor| visitor.lineage));
        let path = format!("login?user={user}");
        let cookie = visitor.map(|visitor| visitor.cookie.clone());
        let (_, cookie) = self.send(node, Act::Login, (lineage, cookie.as_deref()), &path).await;
        Some(Held { lineage, cookie: cookie?, since: self.world.now() })
    }

    /// A visitor sets a key, the first of its session.
    pub(crate) async fn visit(&mut self, policy: Policy, value: u64) -> Option<Held> {
        let node = self.node();
        self.visit_at(node, policy, value).await
    }

    /// The same on a certain node.
    pub(crate) async fn visit_at(&mut self, node: usize, policy: Policy, value: u64) -> Option<Held> {
        let (lineage, name) = (self.world.lineage(policy, None, None), "visited");
        let path = format!("visit?name={name}&value={value}");
        let (_, cookie) = self.send(node, Act::Set(name.to_owned(), value), (lineage, None), &path).await;
        Some(Held { lineage, cookie: cookie?, since: self.world.now() })
    }

    /// Asks one of the nodes for something, and takes over the id that it brings.
    pub(crate) async fn ask(&mut self, act: Act, held: &mut Held) -> Outcome {
        let node = self.node();
        self.ask_at(node, act, held).await
    }

    /// The same of a certain node.
    pub(crate) async fn ask_at(&mut self, node: usize, act: Act, held: &mut Held) -> Outcome {
        let path = match &act {
            Act::Login => unreachable!("a login has its own way"),
            Act::See | Act::Reuse => "see".to_owned(),
            Act::Whole => "whole".to_owned(),
            Act::Mine => "mine".to_owned(),
            Act::Update(number) => format!("update?number={number}"),
            Act::Set(name, value) => format!("set?name={name}&value={value}"),
            Act::Rotate => "rotate".to_owned(),
            Act::Logout => "logout".to_owned(),
            Act::RevokeAll => "revoke_all".to_owned(),
            Act::RevokeOthers => "revoke_others".to_owned(),
        };
        let (outcome, cookie) = self.send(node, act, (held.lineage, Some(&held.cookie)), &path).await;
        if let Some(cookie) = cookie {
            (held.cookie, held.since) = (cookie, self.world.now());
        }
        outcome
    }

    async fn send(
        &mut self,
        node: usize,
        act: Act,
        (lineage, cookie): (usize, Option<&str>),
        path: &str,
    ) -> (Outcome, Option<String>) {
        let path = format!("/{}/{path}", self.world.policy(lineage).name());
        let method =
            if matches!(act, Act::See | Act::Reuse | Act::Whole | Act::Mine) { "GET" } else { "POST" };
        let port = self.world.ports[node].load(SeqCst);
        let began = self.world.now();
        let asked = self.connections[node].ask(port, (method, &path), cookie).await;
        let ended = self.world.now();
        let id = cookie.map(|cookie| self.world.id(cookie));
        let (outcome, cookie) = match asked {
            // It never was.
            Err(NoAnswer::Unsent) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                return (Outcome::Lost, None);
            }
            Err(NoAnswer::Lost) => (Outcome::Lost, None),
            Ok(response) => self.judge(&act, response),
        };
        let event = Event { node, act, lineage, id, began, ended, outcome: outcome.clone() };
        self.world.history().events.push(event);
        (outcome, cookie)
    }

    /// What an answer means, and the cookie that it brings.
    fn judge(&self, act: &Act, response: Response) -> (Outcome, Option<String>) {
        let Response { status, mut cookies, retry_after, answer } = response;
        let wrong = |why: String| (Outcome::Wrong(why), None);
        if cookies.len() > 1 {
            return wrong(format!("{} cookies in one answer", cookies.len()));
        }
        let cookie = cookies.pop().map(|line| line.split(';').next().unwrap_or_default().to_owned());
        match (status, cookie) {
            (200, None) => (Outcome::Done { answer, issued: None }, None),
            (200, Some(cookie)) if cookie.ends_with('=') => match act {
                Act::Logout | Act::RevokeAll => (Outcome::Done { answer, issued: None }, None),
                _ => wrong("the cookie of a living session was removed".to_owned()),
            },
            (200, Some(cookie)) => {
                let issued = Some(self.world.id(&cookie));
                (Outcome::Done { answer, issued }, Some(cookie))
            }
            (status, Some(_)) => wrong(format!("a {status} changes the cookie")),
            (503, None) if retry_after.is_none() => wrong("a 503 without Retry-After".to_owned()),
            (503, None) => (Outcome::Unavailable, None),
            (401 | 409, None) => (Outcome::Refused(status), None),
            (status, None) => wrong(format!("the status {status}")),
        }
    }
}
