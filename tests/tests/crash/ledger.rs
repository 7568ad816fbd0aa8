//! What the clients were told: what was acknowledged, what was under way, and what has to hold therefore.

use std::{collections::BTreeMap, fmt};

use sessions::{SessionEngine, SessionPrincipal};
use sessions_tests::crash::{Begin, LIMIT, Line, Role, Step, finish, resolve};

use crate::check::opens;

/// How many cookies of ended sessions are looked at again and again.
const LOOKS: usize = 40;

/// A client, as the parent knows it.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) begin: Begin,
    /// The operation that was begun and not answered.
    pub(crate) under_way: Option<Step>,
    /// Operations of this life whose outcome is unknown.
    pub(crate) unknown: Vec<Step>,
    /// Operations of this life that were acknowledged.
    pub(crate) done: Vec<Step>,
    /// Cookies that must open nothing any more, newest last.
    pub(crate) dead: Vec<String>,
    /// How many logins of this life had been acknowledged when a cookie came; those of lives before are not here.
    came: BTreeMap<String, usize>,
}

impl Client {
    fn new(role: Role, principal: &str) -> Self {
        let begin = Begin { role, principal: principal.to_owned(), cookies: Vec::new(), from: 0 };
        Self {
            begin,
            under_way: None,
            unknown: Vec::new(),
            done: Vec::new(),
            dead: Vec::new(),
            came: BTreeMap::new(),
        }
    }

    /// What may have been applied, although no one was told.
    pub(crate) fn perhaps(&self) -> impl Iterator<Item = &Step> {
        self.unknown.iter().chain(&self.under_way)
    }

    /// How many logins were acknowledged after the one that a cookie came with.
    pub(crate) fn logins_after(&self, cookie: &str) -> usize {
        self.logins() - self.came.get(cookie).copied().unwrap_or(0)
    }

    fn logins(&self) -> usize {
        self.done.iter().filter(|step| **step == Step::Login).count()
    }

    /// What was evicted, or ended by something that no one was told of, is not held any more.
    pub(crate) async fn forget_ended(&mut self, engine: &SessionEngine) {
        for cookie in std::mem::take(&mut self.begin.cookies) {
            let opens = opens(engine, &cookie).await;
            if opens { &mut self.begin.cookies } else { &mut self.dead }.push(cookie);
        }
    }

    fn acknowledged(&mut self, step: Step, cookie: Option<String>) {
        let logins = self.logins();
        let held = &mut self.begin.cookies;
        match &step {
            Step::Count(_) => {}
            Step::Set(number) => self.begin.from = *number,
            Step::Login => {
                held.extend(cookie.clone());
                let with_this = logins + 1;
                self.came.extend(cookie.map(|cookie| (cookie, with_this)));
            }
            Step::Logout(cookie) => {
                held.retain(|other| other != cookie);
                self.dead.push(cookie.clone());
            }
            Step::Rotate => self.dead.extend(std::mem::replace(held, cookie.into_iter().collect())),
            Step::RevokeOthers(kept) => {
                let (kept, gone) = std::mem::take(held).into_iter().partition(|other| other == kept);
                *held = kept;
                self.dead.extend::<Vec<_>>(gone);
            }
            Step::RevokeAll => self.dead.append(held),
        }
        self.done.push(step);
    }
}

/// All clients.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) clients: Vec<Client>,
    /// How often each counter had been updated at the last look.
    pub(crate) counts: BTreeMap<String, u64>,
    /// How many sessions of each principal no client holds: of logins whose answer no one heard.
    pub(crate) strangers: BTreeMap<String, usize>,
    /// The next number for an operation on a counter.
    next: u64,
    totals: Totals,
}

/// What was checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) acknowledged: BTreeMap<String, u64>,
    pub(crate) under_way: u64,
    pub(crate) failed: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: u64 = self.acknowledged.values().sum();
        let Self { acknowledged, under_way, failed } = self;
        write!(
            f,
            "{all} acknowledged operations checked {acknowledged:?}, {under_way} under way, {failed} failed"
        )
    }
}

impl Ledger {
    pub(crate) fn new() -> Self {
        let mut clients = Vec::new();
        for number in 0..4 {
            clients.push(Client::new(Role::Counter, &format!("counter-{}", number / 2)));
        }
        for (role, name) in [
            (Role::Setter, "setter-0"),
            (Role::Setter, "setter-1"),
            (Role::Member, "member-0"),
            (Role::Member, "member-1"),
            (Role::Racer, "racer"),
            (Role::Racer, "racer"),
            (Role::Rotator, "rotator-0"),
            (Role::Rotator, "rotator-1"),
            (Role::Revoker, "revoker-0"),
            (Role::Revoker, "revoker-1"),
            (Role::Revoker, "revoker-2"),
        ] {
            clients.push(Client::new(role, name));
        }
        Self {
            clients,
            counts: BTreeMap::new(),
            strangers: BTreeMap::new(),
            next: 1,
            totals: Totals::default(),
        }
    }

    /// The clients for a new worker.
    pub(crate) fn begin(&mut self) -> Vec<Begin> {
        for client in &mut self.clients {
            if client.begin.role == Role::Counter {
                client.begin.from = self.next;
                self.next += 10_000;
            }
        }
        self.clients.iter().map(|client| client.begin.clone()).collect()
    }

    /// Notes what a worker said.
    pub(crate) fn note(&mut self, line: Line) {
        match line {
            Line::Ready => {}
            Line::Try(client, step) => self.clients[client].under_way = Some(step),
            Line::Did(client, step, cookie) => {
                let client = &mut self.clients[client];
                client.under_way = None;
                client.acknowledged(step, cookie);
                *self.totals.acknowledged.entry(format!("{:?}", client.begin.role)).or_default() += 1;
            }
            Line::Failed(client, step, why) => {
                let client = &mut self.clients[client];
                // One whose session a stranger's login evicted finds none.
                if !why.contains("log in first") {
                    eprintln!("{} failed: {step:?}: {why}", client.begin.principal);
                }
                client.under_way = None;
                client.unknown.push(step);
                self.totals.failed += 1;
            }
        }
    }

    /// Makes everyone ready for the next worker, after a look: who lost a cookie logs in anew.
    pub(crate) async fn prepare(&mut self, engine: &SessionEngine) {
        let mut shared = BTreeMap::new();
        for client in &mut self.clients {
            self.totals.under_way += u64::from(client.under_way.is_some());
            client.under_way = None;
            client.unknown.clear();
            client.done.clear();
            client.came.clear();
            let over = client.dead.len().saturating_sub(LOOKS);
            client.dead.drain(..over);
            let begin = &mut client.begin;
            if begin.role == Role::Counter {
                let cookies = shared.entry(begin.principal.clone()).or_insert_with(|| begin.cookies.clone());
                begin.cookies.clone_from(cookies);
            }
            if begin.cookies.is_empty() && matches!(begin.role, Role::Counter | Role::Setter | Role::Rotator)
            {
                let mut session = resolve(engine, None).await.unwrap();
                session.mark_authenticated(SessionPrincipal::user(begin.principal.clone()));
                session.set("mark", &begin.principal).unwrap();
                begin.cookies = vec![finish(engine, &session).await.unwrap().unwrap()];
                begin.from = 0;
                shared.insert(begin.principal.clone(), begin.cookies.clone());
            }
            let over = begin.cookies.len().saturating_sub(LIMIT);
            begin.cookies.drain(..over);
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals.clone()
    }
}
