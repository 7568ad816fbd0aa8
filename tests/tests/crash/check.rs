//! The look after a kill: does a fresh engine on the same data keep every word that the dead process gave?

use std::collections::BTreeMap;

use sessions::{Session, SessionEngine, SessionPrincipal};
use sessions_tests::crash::{LIMIT, Role, Step, Work, resolve};

use crate::ledger::{Client, Ledger};

/// Fails if a word is broken; brings the ledger up to what may have happened besides.
pub(crate) async fn check(engine: &SessionEngine, ledger: &mut Ledger) {
    counters(engine, ledger).await;
    let (mut live, mut perhaps) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    for client in &mut ledger.clients {
        for cookie in &client.dead {
            assert!(!opens(engine, cookie).await, "{client:?}: ended, and back");
        }
        let principal = &client.begin.principal;
        match client.begin.role {
            Role::Setter => setter(engine, client).await,
            Role::Rotator => rotator(engine, client).await,
            Role::Member => {
                let strangers = ledger.strangers.get(principal).copied().unwrap_or(0);
                member(engine, client, strangers).await;
            }
            // A stranger may be in the place of one of its sessions.
            Role::Revoker if ledger.strangers.get(principal).is_none_or(|count| *count == 0) => {
                revoker(engine, client).await;
            }
            Role::Counter | Role::Racer | Role::Revoker => {}
        }
        client.forget_ended(engine).await;
        let principal = client.begin.principal.clone();
        *perhaps.entry(principal.clone()).or_default() +=
            client.perhaps().filter(|step| matches!(step, Step::Login | Step::Rotate)).count();
        if client.begin.role != Role::Counter {
            *live.entry(principal).or_default() += client.begin.cookies.len();
        }
    }
    for (principal, known) in live {
        let listed = engine.sessions_of(&SessionPrincipal::user(principal.clone())).await.unwrap().len();
        assert!(listed <= LIMIT, "{principal} has {listed} sessions");
        let strangers = ledger.strangers.entry(principal.clone()).or_default();
        let most = known + *strangers + perhaps[&principal];
        assert!(
            (known..=most).contains(&listed),
            "{principal}: {listed} sessions are in the index, {known} to {most} live"
        );
        *strangers = listed - known;
    }
}

async fn session(engine: &SessionEngine, cookie: &str) -> Session {
    resolve(engine, Some(cookie)).await.unwrap()
}

pub(crate) async fn opens(engine: &SessionEngine, cookie: &str) -> bool {
    session(engine, cookie).await.is_authenticated()
}

/// Every acknowledged update is there once, every other at most once, and none that nobody made.
async fn counters(engine: &SessionEngine, ledger: &mut Ledger) {
    let mut shared: BTreeMap<&str, Vec<&Client>> = BTreeMap::new();
    for client in ledger.clients.iter().filter(|client| client.begin.role == Role::Counter) {
        shared.entry(&client.begin.principal).or_default().push(client);
    }
    let mut counts = BTreeMap::new();
    for (principal, clients) in shared {
        let Some(cookie) = clients[0].begin.cookies.last() else { continue };
        let session = session(engine, cookie).await;
        assert!(session.is_authenticated(), "{principal}: the session is lost");
        let work: Work = session.get("work").unwrap().unwrap_or_default();
        let number = |step: &Step| if let Step::Count(number) = step { Some(*number) } else { None };
        let done = clients.iter().flat_map(|client| &client.done).filter_map(number);
        let mut there = 0;
        for number in done {
            let times = work.operations.iter().filter(|other| **other == number).count();
            assert_eq!(times, 1, "{principal}: the acknowledged update {number} is there {times} times");
            there += 1;
        }
        for number in clients.iter().flat_map(|client| client.perhaps()).filter_map(number) {
            let times = work.operations.iter().filter(|other| **other == number).count();
            assert!(times <= 1, "{principal}: the update {number} is there {times} times");
            there += times as u64;
        }
        let before = ledger.counts.get(principal).copied().unwrap_or(0);
        assert_eq!(work.count, before + there, "{principal}: updates are lost, or were made by no one");
        counts.insert(principal.to_owned(), work.count);
    }
    ledger.counts.extend(counts);
}

/// The value is the last one that was acknowledged, or one that was begun after it.
async fn setter(engine: &SessionEngine, client: &mut Client) {
    let Some(cookie) = client.begin.cookies.last() else { return };
    let session = session(engine, cookie).await;
    assert_eq!(session.get::<String>("mark").unwrap().as_ref(), Some(&client.begin.principal), "{client:?}");
    let number = session.get::<u64>("number").unwrap().unwrap_or(0);
    let perhaps = client.perhaps().any(|step| *step == Step::Set(number));
    assert!(number == client.begin.from || perhaps, "{client:?}: {number} is stored");
    client.begin.from = number.max(client.begin.from);
}

/// The id that was told works, unless another change was under way.
async fn rotator(engine: &SessionEngine, client: &Client) {
    let Some(cookie) = client.begin.cookies.last() else { return };
    let session = session(engine, cookie).await;
    let perhaps = client.perhaps().any(|step| *step == Step::Rotate);
    assert!(session.is_authenticated() || perhaps, "{client:?}: the new id does not work");
    if session.is_authenticated() {
        let mark = session.get::<String>("mark").unwrap();
        assert_eq!(mark.as_ref(), Some(&client.begin.principal), "{client:?}: data is lost");
    }
}

/// The newest login that is held lives, unless its logout was under way, or those that came after it, or that no one heard
/// of, are enough to evict it.
async fn member(engine: &SessionEngine, client: &Client, strangers: usize) {
    let Some(cookie) = client.begin.cookies.last() else { return };
    let out = client.perhaps().any(|step| *step == Step::Logout(cookie.clone()));
    let logins = client.perhaps().filter(|step| **step == Step::Login).count();
    let evicted = strangers + logins + client.logins_after(cookie) >= LIMIT;
    assert!(opens(engine, cookie).await || out || evicted, "{client:?}: the login is lost");
}

/// Who revokes alone loses no session that it did not revoke; all go together.
async fn revoker(engine: &SessionEngine, client: &Client) {
    let perhaps: Vec<_> = client.perhaps().collect();
    let mut live = 0;
    for cookie in &client.begin.cookies {
        live += usize::from(opens(engine, cookie).await);
    }
    match perhaps.as_slice() {
        [] => assert_eq!(live, client.begin.cookies.len(), "{client:?}: a login is lost"),
        [Step::RevokeAll] => {
            let whole = live == 0 || live == client.begin.cookies.len();
            assert!(whole, "{client:?}: a revocation of all was cut in half");
        }
        _ => {}
    }
}
