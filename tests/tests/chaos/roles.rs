//! What clients do, all the time, on any node.

use std::{sync::Arc, time::Duration};

use futures_util::future::{join, join_all, join3};
use sessions_tests::chaos::GRACE;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    history::{Act, Outcome, Policy},
    world::{Client, Held, NODES, World},
};

/// How many updates a counter gets, so that it stays below what a session may hold.
const MOST_UPDATES: u64 = 5_000;

/// Starts all clients of a round. Each returns the sessions that it has, and had.
pub(crate) fn start(world: &Arc<World>, seed: u64, round: u64) -> JoinSet<Vec<Held>> {
    let mut tasks = JoinSet::new();
    let mut number = 0;
    let mut client = || {
        number += 1;
        (number, Client::new(world, seed ^ (round << 32) ^ (number << 16)))
    };
    for counter in 0..2 {
        let (_, client) = client();
        tasks.spawn(counters(client, format!("counter-{round}-{counter}"), counter));
    }
    for lonely in 0..6 {
        let (_, client) = client();
        tasks.spawn(writer(client, format!("writer-{round}-{lonely}")));
    }
    for (policy, users, each) in [(Policy::Web, 2, 3), (Policy::Strict, 2, 3)] {
        for user in 0..users {
            for _ in 0..each {
                let (_, client) = client();
                tasks.spawn(member(client, policy, format!("member-{}-{round}-{user}", policy.name())));
            }
        }
    }
    for policy in [Policy::Web, Policy::Strict] {
        let (_, client) = client();
        tasks.spawn(racers(client, policy, format!("racer-{}-{round}", policy.name())));
    }
    for _ in 0..2 {
        let (number, client) = client();
        tasks.spawn(rotator(client, format!("rotator-{round}-{number}")));
    }
    for _ in 0..4 {
        let (number, client) = client();
        tasks.spawn(turner(client, format!("turner-{round}-{number}")));
    }
    for _ in 0..2 {
        let (number, client) = client();
        tasks.spawn(revoker(client, format!("revoker-{round}-{number}")));
    }
    for _ in 0..3 {
        let (number, client) = client();
        tasks.spawn(quitter(client, format!("quitter-{round}-{number}")));
    }
    tasks
}

/// Another client of the same round.
fn twin(client: &mut Client) -> Client {
    let seed = client.dice.roll(u64::MAX);
    Client::new(&client.world, seed)
}

/// Logs in until that is acknowledged, or the round is over.
async fn logged_in(client: &mut Client, policy: Policy, user: &str) -> Option<Held> {
    while !client.world.is_over() {
        if let Some(held) = client.log_in(policy, user, None).await {
            return Some(held);
        }
        client.think().await;
    }
    None
}

/// Three clients that update one counter, and look.
async fn counters(mut first: Client, user: String, counter: u64) -> Vec<Held> {
    let Some(held) = logged_in(&mut first, Policy::Web, &user).await else { return Vec::new() };
    let (second, third) = (twin(&mut first), twin(&mut first));
    let count = async |mut client: Client, from: u64| {
        let mut held = held.clone();
        for number in from..from + MOST_UPDATES / 3 {
            if client.world.is_over() {
                return;
            }
            client.ask(Act::Update(number), &mut held).await;
            if client.once_in(4) {
                client.ask(Act::See, &mut held).await;
            }
            client.think().await;
        }
    };
    let from = counter * 100_000;
    join3(count(first, from), count(second, from + 20_000), count(third, from + 40_000)).await;
    vec![held]
}

/// One who sets a key of its session, and two who look. It does not go on before it knows what became of a write.
async fn writer(mut first: Client, user: String) -> Vec<Held> {
    let Some(held) = logged_in(&mut first, Policy::Web, &user).await else { return Vec::new() };
    let (second, third) = (twin(&mut first), twin(&mut first));
    // Each on a node of its own: one of them is served while the network of another node fails.
    let read = async |mut client: Client, node: usize| {
        let mut held = held.clone();
        while !client.world.is_over() {
            client.ask_at(node, Act::See, &mut held).await;
            client.think().await;
        }
    };
    let node = first.node();
    let write = async {
        let mut held = held.clone();
        let mut value = 0;
        while !first.world.is_over() {
            value += 1;
            let outcome = first.ask(Act::Set("number".to_owned(), value), &mut held).await;
            if matches!(outcome, Outcome::Unavailable | Outcome::Lost) {
                // What is late comes now or never.
                sleep(Duration::from_millis(1_800)).await;
            }
            first.think().await;
        }
    };
    join3(write, read(second, node), read(third, (node + 1) % NODES)).await;
    vec![held]
}

/// Logs in and out, with others of the same name, and has more sessions than it may.
async fn member(mut client: Client, policy: Policy, user: String) -> Vec<Held> {
    let (mut held, mut all) = (Vec::new(), Vec::new());
    let mut visits = 0;
    while !client.world.is_over() {
        visits += 1;
        let visitor = if client.once_in(3) { client.visit(policy, visits).await } else { None };
        if let Some(session) = client.log_in(policy, &user, visitor.as_ref()).await {
            held.push(session);
        }
        client.think().await;
        for session in &mut held {
            let act = if client.once_in(4) { Act::Mine } else { Act::See };
            client.ask(act, session).await;
        }
        if held.len() > 2 || client.once_in(2) && !held.is_empty() {
            let which = usize::try_from(client.dice.roll(held.len() as u64)).unwrap();
            let mut session = held.remove(which);
            client.ask(Act::Logout, &mut session).await;
            client.ask(Act::See, &mut session).await;
            all.push(session);
        }
        client.think().await;
    }
    all.append(&mut held);
    all
}

/// Five log in at the same moment, by a name that no one has used, and look at once who has a session.
async fn racers(mut first: Client, policy: Policy, user: String) -> Vec<Held> {
    let mut clients: Vec<_> = (0..5).map(|_| twin(&mut first)).collect();
    let mut all = Vec::new();
    let mut races = 0;
    while !first.world.is_over() {
        races += 1;
        let user = format!("{user}-{races}");
        let logins = clients.iter_mut().map(|client| client.log_in(policy, &user, None));
        let mut held: Vec<_> = join_all(logins).await.into_iter().flatten().collect();
        let looks = clients.iter_mut().zip(&mut held);
        join_all(looks.map(|(client, held)| client.ask(Act::See, held))).await;
        all.append(&mut held);
        first.think().await;
    }
    all
}

/// Changes the id of its session, and tries the old one.
async fn rotator(mut client: Client, user: String) -> Vec<Held> {
    let mut all = Vec::new();
    while let Some(mut held) = logged_in(&mut client, Policy::Web, &user).await {
        loop {
            let mut old = held.clone();
            let rotated = client.ask(Act::Rotate, &mut held).await;
            let seen = client.ask(Act::See, &mut held).await;
            if client.once_in(3) {
                client.ask(Act::See, &mut old).await;
                all.push(old);
            }
            if matches!(seen, Outcome::Refused(_))
                || matches!(rotated, Outcome::Refused(_))
                || client.world.is_over()
            {
                break;
            }
            client.think().await;
        }
        all.push(held);
    }
    all
}

/// Uses a session whose id time changes, several requests at once; and now and then comes with an old id.
async fn turner(mut client: Client, user: String) -> Vec<Held> {
    let mut all = Vec::new();
    let (mut second, mut third) = (twin(&mut client), twin(&mut client));
    while let Some(mut held) = logged_in(&mut client, Policy::Turning, &user).await {
        let mut turns = 0;
        loop {
            let before = held.clone();
            let (mut other, mut another) = (held.clone(), held.clone());
            let (seen, ..) = join3(
                client.ask(Act::See, &mut held),
                second.ask(Act::See, &mut other),
                third.ask(Act::Set("turn".to_owned(), 0), &mut another),
            )
            .await;
            held = held.or_later(other).or_later(another);
            if held.cookie() != before.cookie() {
                turns += 1;
                if turns >= 2 && client.once_in(3) {
                    steal(&mut client, &mut held, before).await;
                    break;
                }
            }
            if matches!(seen, Outcome::Refused(_)) || client.world.is_over() {
                break;
            }
            sleep(Duration::from_millis(20 + client.dice.roll(40))).await;
        }
        all.push(held);
    }
    all
}

/// Comes with an id that time took out of use, when its successor has been used and its grace is over.
async fn steal(client: &mut Client, held: &mut Held, mut old: Held) {
    let mut used = client.ask(Act::See, held).await;
    while !matches!(used, Outcome::Done { .. } | Outcome::Refused(_)) && !client.world.is_over() {
        client.think().await;
        used = client.ask(Act::See, held).await;
    }
    sleep(GRACE + Duration::from_millis(100)).await;
    client.ask(Act::Reuse, &mut old).await;
    client.ask(Act::See, held).await;
}

/// Logs in twice, and revokes the other or both.
async fn revoker(mut client: Client, user: String) -> Vec<Held> {
    let mut all = Vec::new();
    while let (Some(mut one), Some(mut other)) =
        (logged_in(&mut client, Policy::Web, &user).await, logged_in(&mut client, Policy::Web, &user).await)
    {
        let act = if client.once_in(2) { Act::RevokeAll } else { Act::RevokeOthers };
        let mut second = twin(&mut client);
        let number = client.dice.roll(1_000_000_000);
        join(client.ask(act, &mut one), second.ask(Act::Update(number + 1_000_000_000), &mut other)).await;
        client.ask(Act::See, &mut one).await;
        client.ask(Act::See, &mut other).await;
        client.ask(Act::Logout, &mut one).await;
        client.think().await;
        all.extend([one, other]);
    }
    all
}

/// Logs out while requests of the same session are under way.
async fn quitter(mut client: Client, user: String) -> Vec<Held> {
    let mut all = Vec::new();
    let (mut second, mut third) = (twin(&mut client), twin(&mut client));
    while let Some(mut held) = logged_in(&mut client, Policy::Web, &user).await {
        let (mut other, mut another) = (held.clone(), held.clone());
        let number = client.dice.roll(1_000_000_000);
        join3(
            client.ask(Act::Logout, &mut held),
            second.ask(Act::Update(number + 3_000_000_000), &mut other),
            third.ask(Act::Set("last".to_owned(), 1), &mut another),
        )
        .await;
        client.ask(Act::See, &mut held).await;
        client.think().await;
        client.ask(Act::See, &mut held).await;
        all.push(held);
    }
    all
}
