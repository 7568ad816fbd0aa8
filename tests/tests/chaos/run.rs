//! A run: rounds of clients on three nodes while faults come one after another, each round judged when all is calm again.

use std::{
    collections::BTreeMap,
    env,
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sessions_tests::{crash::Dice, proxy::Proxy};
use tokio::{runtime::Runtime, time::timeout};

use crate::{
    checker::{Report, check},
    expiry,
    faults::{Deck, Fault, between, disturb},
    figures::Figures,
    history::{Act, Outcome, Policy, Promise},
    nodes::Nodes,
    roles,
    setups::Setup,
    world::{Client, Held, NODES, World},
};

/// How long the clients of a setup are at work unless a variable says otherwise.
const SECONDS: u64 = 8;

/// How long a round is: its history is judged and forgotten then.
const ROUND: Duration = Duration::from_secs(12);

/// How many look at what is left, when a round is over.
const LOOKERS: usize = 8;

/// How long everything may take to work again, on a machine that is busy with other things.
const RECOVERY: Duration = Duration::from_secs(30);

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

/// Runs a setup for its time, prints what was done to it, and fails if a promise was broken.
pub(crate) fn run(name: &str, runtime: &Runtime, setup: &mut dyn Setup) {
    let time = Duration::from_secs(variable("SESSIONS_CHAOS_SECONDS").unwrap_or(SECONDS));
    let seed = variable("SESSIONS_CHAOS_SEED").unwrap_or_else(|| RandomState::new().hash_one(name) >> 16);
    println!("{name}: again with SESSIONS_CHAOS_SEED={seed}");
    let only = env::var("SESSIONS_CHAOS_FAULTS").ok();
    let nodes = Nodes::start(setup.urls());
    let mut run = Run {
        runtime,
        nodes,
        deck: Deck::new(setup.faults(), only.as_deref()),
        setup,
        dice: Dice(seed),
        figures: Figures::default(),
    };
    let begin = Instant::now();
    let mut round = 0;
    while begin.elapsed() < time {
        let report = run.round(seed, round, (begin + time).min(Instant::now() + ROUND));
        run.figures.report.add(report);
        round += 1;
        if time > ROUND * 2 && round % 10 == 0 {
            println!("{name}: {}", run.figures);
        }
        if !run.figures.report.violations.is_empty() {
            break;
        }
    }
    println!("{name}: {} s, seed {seed}: {}", begin.elapsed().as_secs(), run.figures);
    run.figures.judge();
}

struct Run<'a> {
    runtime: &'a Runtime,
    nodes: Nodes,
    setup: &'a mut dyn Setup,
    deck: Deck,
    dice: Dice,
    figures: Figures,
}

impl Run<'_> {
    fn round(&mut self, seed: u64, round: u64, until: Instant) -> Report {
        let world = World::new(self.nodes.ports());
        let mut probes = self.probes(&world, round);
        let in_runtime = self.runtime.enter();
        let mut clients = roles::start(&world, seed, round);
        drop(in_runtime);
        thread::sleep(Duration::from_millis(300));
        let mut primaries = (world.now(), self.setup.primaries());
        while Instant::now() < until {
            let fault = self.deck.deal(&mut self.dice);
            let before = self.connections();
            self.strike(fault, &world);
            let recovered = self.recover(&mut probes);
            self.figures.recoveries.push((recovered, fault));
            self.figures.reconnected.push(self.connections() - before);
            self.look_at_primaries(fault, &world, &mut primaries);
            thread::sleep(between(&mut self.dice, 50, 250));
        }
        world.end();
        let held = self.runtime.block_on(async {
            let mut held = Vec::new();
            let all = async {
                while let Some(client) = clients.join_next().await {
                    held.append(&mut client.unwrap());
                }
            };
            timeout(Duration::from_secs(60), all).await.expect("every client comes to its end");
            held
        });
        self.runtime.block_on(look_back(&world, held, self.dice.roll(u64::MAX)));
        self.look_at_primaries(Fault::NodeFrozen, &world, &mut primaries);
        let mut report = check(&world.take_history());
        expiry::check(&self.setup.redis(), &mut report, &mut self.figures.keys);
        report
    }

    /// One who looks, for each node.
    fn probes(&mut self, world: &Arc<World>, round: u64) -> Vec<(Client, Held)> {
        let seed = self.dice.roll(u64::MAX);
        let log_in = |node: usize| async move {
            let mut client = Client::new(world, seed + node as u64);
            loop {
                let user = format!("probe-{round}-{node}");
                if let Some(held) = client.log_in(Policy::Web, &user, None).await {
                    return (client, held);
                }
            }
        };
        self.runtime.block_on(async { join_all((0..NODES).map(log_in)).await })
    }

    /// A fault; now and then something happens to a node at the same time.
    fn strike(&mut self, fault: Fault, world: &World) {
        let node = usize::try_from(self.dice.roll(NODES as u64)).unwrap();
        let is_of_node = matches!(fault, Fault::NodeKilled | Fault::NodeFrozen);
        let beside = match self.dice.roll(8) {
            _ if is_of_node => Some(fault),
            // What is late is seen by the other nodes.
            _ if fault == Fault::Stalled => None,
            0 => Some(Fault::NodeKilled),
            1 => Some(Fault::NodeFrozen),
            _ => None,
        };
        let mut others = Dice(self.dice.roll(u64::MAX));
        let (nodes, setup, dice) = (&mut self.nodes, &mut *self.setup, &mut self.dice);
        thread::scope(|threads| {
            if let Some(fault) = beside {
                threads.spawn(move || strike_node(nodes, node, fault, &mut others));
                *self.figures.faults.entry(fault).or_default() += 1;
            }
            if is_of_node {
                return;
            }
            *self.figures.faults.entry(fault).or_default() += 1;
            if fault.is_of_network() {
                let all: Vec<_> = setup.networks().iter().collect();
                // One network, or all; but the others go on writing and reading while one is stalled.
                let which = usize::try_from(dice.roll(all.len() as u64)).unwrap();
                let hit_all = dice.roll(3) == 0 && fault != Fault::Stalled;
                let hit = if hit_all { all } else { vec![all[which]] };
                disturb(fault, &hit, dice);
            } else {
                setup.strike(fault, dice, world);
            }
        });
    }

    /// How long it takes until every node serves again.
    fn recover(&self, probes: &mut [(Client, Held)]) -> Duration {
        let begin = Instant::now();
        let served = probes.iter_mut().enumerate().map(|(node, (client, held))| async move {
            loop {
                let seen = client.ask_at(node, Act::See, held).await;
                // Also a session that went with a killed primary is an answer.
                if matches!(seen, Outcome::Done { .. } | Outcome::Refused(_)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let all = self.runtime.block_on(async { timeout(RECOVERY, join_all(served)).await });
        assert!(all.is_ok(), "no node serves again after {RECOVERY:?}");
        begin.elapsed()
    }

    /// A replica may have taken over although no one asked for it: a process stood still for longer than it should.
    fn look_at_primaries(&mut self, fault: Fault, world: &World, (since, before): &mut (u64, Vec<u16>)) {
        let now = self.setup.primaries();
        let was_meant = matches!(fault, Fault::PrimaryKilled | Fault::HandedOver);
        if now != *before && !was_meant {
            world.note(Promise::MayLose, *since);
            self.figures.unplanned += 1;
        }
        (*since, *before) = (world.now(), now);
    }

    fn connections(&self) -> u64 {
        self.setup.networks().iter().map(Proxy::connections).sum()
    }
}

fn strike_node(nodes: &mut Nodes, node: usize, fault: Fault, dice: &mut Dice) {
    if fault == Fault::NodeKilled {
        nodes.kill(node);
        thread::sleep(between(dice, 50, 500));
        nodes.start_again(node);
    } else {
        nodes.signal(node, "STOP");
        thread::sleep(between(dice, 200, 1_500));
        nodes.signal(node, "CONT");
    }
}

/// Looks at every session that a client had, once everything is calm: what lives has all that it was told to keep, and
/// what has ended is gone.
async fn look_back(world: &Arc<World>, held: Vec<Held>, seed: u64) {
    let once: BTreeMap<_, _> = held.into_iter().map(|held| (held.cookie().to_owned(), held)).collect();
    let mut parts = vec![Vec::new(); LOOKERS];
    for (number, held) in once.into_values().enumerate() {
        parts[number % LOOKERS].push(held);
    }
    let look = |(number, part): (usize, Vec<Held>)| async move {
        let mut client = Client::new(world, seed ^ number as u64);
        for mut held in part {
            for _ in 0..20 {
                let outcome = client.ask(Act::Whole, &mut held).await;
                if matches!(outcome, Outcome::Done { .. } | Outcome::Refused(_)) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    join_all(parts.into_iter().enumerate().map(look)).await;
}
