//! What a session of a kilobyte takes of a Redis server, and how many operations one core of it does a second: the numbers
//! of `docs/SCALING.md`.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use sessions::{
    RedisStore, SessionStore,
    store::{
        Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, Expected, Limit, Millis, Owner, SessionId, Touch,
        Version,
    },
};
use tokio::task::JoinSet;

use crate::{Outcome, arguments::Arguments, numbers::float, server::Server};

/// Bytes of a record.
const RECORD: usize = 1_024;
const TASKS: usize = 128;
const WEEK: Millis = 7 * 24 * 3_600_000;
const LOAD: Duration = Duration::from_secs(4);

pub(crate) fn measure(arguments: &Arguments) -> Outcome<()> {
    let sessions = arguments.sessions(200_000);
    let mut server = Server::start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let store = runtime.block_on(RedisStore::open(&server.url()))?;
    println!("records of {RECORD} bytes, {sessions} sessions, Redis {}", server.version()?);
    for kind in [Kind::Anonymous, Kind::Owned] {
        server.clear()?;
        let before = server.tally()?;
        runtime.block_on(fill(&store, kind, sessions))?;
        let done = server.tally()?.since(&before, &before_nothing());
        let each = float(sessions as u64);
        println!(
            "{kind:?}: {:.0} bytes a session, {:.2} keys",
            done.memory / each,
            float(server.keys()?) / each
        );
    }
    for operation in [Operation::Load, Operation::Cas, Operation::Touch, Operation::Admit] {
        let before = server.tally()?;
        let begin = Instant::now();
        let count = runtime.block_on(repeat(&store, operation, sessions))?;
        let elapsed = begin.elapsed().as_secs_f64();
        let done = server.tally()?.since(&before, &before_nothing());
        let count = float(count);
        println!(
            "{operation:?}: {:.0} a second, {:.1} µs of Redis' processor each: one core does {:.0} a second; {:.0} bytes in, {:.0} out",
            count / elapsed,
            done.processor / count,
            1e6 * count / done.processor,
            done.bytes_in / count,
            done.bytes_out / count,
        );
    }
    Ok(())
}

fn before_nothing() -> crate::server::Tally {
    crate::server::Tally::default()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Anonymous,
    /// One session an owner, with its index.
    Owned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Load,
    Cas,
    Touch,
    Admit,
}

async fn fill(store: &RedisStore, kind: Kind, sessions: usize) -> Outcome<()> {
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = store.clone();
        tasks.spawn(async move {
            for number in (task..sessions).step_by(TASKS) {
                let is_stored = match kind {
                    Kind::Anonymous => {
                        matches!(store.cas(creation(anonymous(number))).await?, CasOutcome::Stored)
                    }
                    Kind::Owned => {
                        matches!(store.admit(login(number, number)).await?, Admitted::Stored { .. })
                    }
                };
                if !is_stored {
                    return Err("a session was not stored".into());
                }
            }
            Outcome::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

async fn repeat(store: &RedisStore, operation: Operation, sessions: usize) -> Outcome<u64> {
    let until = Instant::now() + LOAD;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = store.clone();
        tasks.spawn(async move {
            let (mut count, mut number) = (0_u64, task);
            while Instant::now() < until {
                number = (number + TASKS) % sessions;
                let owner = owner(number);
                let id = of(owner, number);
                match operation {
                    Operation::Load => drop(store.load(id, now()).await?),
                    Operation::Cas => {
                        let expected = Expected::Version(Version::of_record(&record()));
                        drop(store.cas(Cas { expected, owner: Some(owner), ..creation(id) }).await?);
                    }
                    Operation::Touch => {
                        let (seen, expires) = (now(), now() + WEEK);
                        store.touch(Touch { id, owner: Some(owner), seen, expires }).await?;
                    }
                    Operation::Admit => {
                        drop(
                            store
                                .admit(login(number, sessions + usize::try_from(count)? * TASKS + task))
                                .await?,
                        );
                    }
                }
                count += 1;
            }
            Outcome::Ok(count)
        });
    }
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        count += done??;
    }
    Ok(count)
}

fn creation(id: SessionId) -> Cas {
    let now = now();
    Cas {
        id,
        owner: None,
        expected: Expected::Absent,
        record: record(),
        expires: now + WEEK,
        announced: false,
        now,
        deadline: now + 5_000,
    }
}

fn login(user: usize, number: usize) -> Admit {
    let (now, owner) = (now(), owner(user));
    Admit {
        id: of(owner, number),
        owner,
        record: record(),
        expires: now + WEEK,
        limit: Some(Limit { max: 5, behavior: BehaviorOnLimit::EvictOldest }),
        replaces: None,
        began: now << 16,
        now,
        deadline: now + 5_000,
    }
}

/// The same version always: an unchanged record is as large as a changed one.
fn record() -> Arc<[u8]> {
    let mut record = vec![b'x'; RECORD];
    record[..16].copy_from_slice(&[1, 1].map(u64::to_be_bytes).concat());
    record.into()
}

fn owner(number: usize) -> Owner {
    Owner::of("bench", "user", &number.to_string())
}

fn anonymous(number: usize) -> SessionId {
    let bucket = u16::try_from(number * 37 % 16_384).unwrap_or_default();
    SessionId::new(bucket, (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes())
}

fn of(owner: Owner, number: usize) -> SessionId {
    SessionId::new(owner.bucket(), (1 << 100 | number as u128).to_be_bytes())
}

fn now() -> Millis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(now.as_millis()).unwrap_or(0)
}
