//! What clients do while sessions move: nothing that was acknowledged is lost, nothing that ended comes back, limits hold.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use sessions::{
    MemoryStore, SessionId,
    store::{MigratingStore, Owner, SessionStore},
};
use tokio::task::JoinSet;

use crate::common::{Pair, admitted, anonymous, of, owner, stored};

const SESSIONS: u64 = 120;
const OWNERS: u64 = 12;
const LIMIT: u32 = 3;

/// What clients were told.
#[derive(Default)]
struct Told {
    /// How many increments of each session were acknowledged.
    counted: Mutex<HashMap<SessionId, u64>>,
    /// Sessions whose end was acknowledged, by a logout or an eviction.
    ended: Mutex<Vec<(SessionId, Option<Owner>)>>,
    /// Sessions whose login was acknowledged.
    admitted: Mutex<Vec<(SessionId, Owner)>>,
    /// Owners of whom something was refused, which may have been done all the same.
    doubtful: Mutex<HashSet<Owner>>,
    /// How often an owner was seen with more sessions than it may have.
    over: AtomicU64,
    /// What was answered to each login, in order.
    answers: Mutex<Vec<(Owner, String)>>,
    refused: AtomicU64,
    is_over: AtomicBool,
}

impl Told {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::SeqCst)
    }

    fn end(&self, id: SessionId, owner: Option<Owner>) {
        self.ended.lock().unwrap().push((id, owner));
    }

    fn doubt(&self, owner: Owner) {
        self.refused.fetch_add(1, Ordering::SeqCst);
        self.doubtful.lock().unwrap().insert(owner);
    }

    /// Sessions of which nobody was told that they have ended.
    fn live(&self) -> Vec<(SessionId, Owner)> {
        let ended: HashSet<_> = self.ended.lock().unwrap().iter().map(|(id, _)| *id).collect();
        let (admitted, doubtful) = (self.admitted.lock().unwrap(), self.doubtful.lock().unwrap());
        let live = admitted.iter().filter(|(id, owner)| !ended.contains(id) && !doubtful.contains(owner));
        live.copied().collect()
    }
}

/// Sessions of no one and of owners, before anything moves.
async fn prepare(pair: &Pair) {
    for number in 0..SESSIONS {
        stored(&pair.old, pair.creation(anonymous(number), 0)).await;
    }
    for number in 0..OWNERS * u64::from(LIMIT) {
        admitted(&pair.old, pair.login(owner(number % OWNERS), number, LIMIT)).await;
    }
}

async fn counts(pair: Pair, node: MigratingStore, told: Arc<Told>, first: u64) {
    let mut number = first;
    while told.goes_on() {
        number = (number * 31 + 7) % (SESSIONS * 3 / 4);
        let id = anonymous(number);
        match pair.increment(&node, id, None).await {
            Some(true) => *told.counted.lock().unwrap().entry(id).or_default() += 1,
            Some(false) => drop(told.refused.fetch_add(1, Ordering::SeqCst)),
            None => unreachable!("{number} was not ended by anyone"),
        }
        tokio::task::yield_now().await;
    }
}

async fn logs_in(pair: Pair, node: MigratingStore, told: Arc<Told>, first: u64) {
    let mut number = first;
    while told.goes_on() {
        number += 10;
        let user = owner(number / 10 % OWNERS);
        let admit = pair.login(user, number, LIMIT);
        let answer = node.admit(admit).await;
        let told_of = (user, format!("{number} of {first} at {}: {answer:?}", pair.now()));
        told.answers.lock().unwrap().push(told_of);
        match answer {
            Ok(sessions::store::Admitted::Stored { evicted }) => {
                told.admitted.lock().unwrap().push((of(user, number), user));
                for id in evicted {
                    told.end(id, Some(user));
                }
            }
            _ => told.doubt(user),
        }
        if pair.live_of(&node, user).await.len() > LIMIT as usize {
            told.over.fetch_add(1, Ordering::SeqCst);
        }
        if number.is_multiple_of(3) {
            match node.end(pair.logout(of(user, number), Some(user))).await {
                Ok(_) => told.end(of(user, number), Some(user)),
                Err(_) => told.doubt(user),
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn logs_out(pair: Pair, node: MigratingStore, told: Arc<Told>) {
    for number in SESSIONS * 3 / 4..SESSIONS {
        if node.end(pair.logout(anonymous(number), None)).await.is_ok() {
            told.end(anonymous(number), None);
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// Lets clients of three nodes work while sessions move, and looks at what is left.
pub(crate) async fn moves_under_traffic(pair: Pair, page: usize) {
    prepare(&pair).await;
    let told = Arc::new(Told::default());
    let nodes = [pair.node(), pair.node(), pair.node()];
    let mut clients = JoinSet::new();
    for (first, node) in (0..).zip(&nodes) {
        for more in [0, 40] {
            clients.spawn(counts(pair.clone(), node.clone(), Arc::clone(&told), first + more));
        }
        clients.spawn(logs_in(
            pair.clone(),
            node.clone(),
            Arc::clone(&told),
            1_000_000 * (first + 1) + first,
        ));
    }
    clients.spawn(logs_out(pair.clone(), nodes[1].clone(), Arc::clone(&told)));
    let progress = nodes[0].migration().page(page).settle(Duration::ZERO).run().await.unwrap();
    // They go on for a while, over the new store.
    tokio::time::sleep(Duration::from_millis(500)).await;
    told.is_over.store(true, Ordering::SeqCst);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    println!("{progress}");
    println!(
        "{} increments, {} logins, {} endings, {} refused",
        told.counted.lock().unwrap().values().sum::<u64>(),
        told.admitted.lock().unwrap().len(),
        told.ended.lock().unwrap().len(),
        told.refused.load(Ordering::SeqCst),
    );
    assert_eq!(told.over.load(Ordering::SeqCst), 0, "more sessions than the limit");
    assert!(progress.copied >= SESSIONS * 3 / 4, "{progress}");
    let counted = told.counted.lock().unwrap().clone();
    for (id, acknowledged) in counted {
        let stored = pair.counted(&pair.new, id).await;
        assert!(stored >= Some(acknowledged), "{stored:?} of {acknowledged}");
    }
    let ended = told.ended.lock().unwrap().clone();
    for (id, owner) in ended {
        assert_eq!(pair.counted(&pair.new, id).await, None, "{owner:?} came back");
    }
    for (id, owner) in told.live() {
        let is_there = pair.counted(&pair.new, id).await.is_some();
        let [old, new] = [pair.old.load(id, pair.now()).await, pair.new.load(id, pair.now()).await];
        let answers = told.answers.lock().unwrap().clone();
        let answers: Vec<_> = answers.iter().filter(|(of, _)| *of == owner).map(|(_, text)| text).collect();
        assert!(is_there, "the login {id:?} is lost: {old:?}, {new:?} after {answers:#?}");
    }
    for number in 0..OWNERS {
        let live = pair.live_of(&pair.new, owner(number)).await;
        assert!(live.len() <= LIMIT as usize, "{number}: {live:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_comes_back() {
    moves_under_traffic(Pair::of(MemoryStore::new(100_000), MemoryStore::new(100_000)), 7).await;
}

/// Over a network in larger pages: the clients end more sessions meanwhile, and each leaves a tombstone to look at.
pub(crate) async fn between(pair: Pair) {
    moves_under_traffic(pair, 200).await;
}
