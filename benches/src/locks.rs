//! How long an operation of the memory store can hold a lock: every operation while it fills, is full and empties again.
//!
//! An operation is timed from outside, by its thread's processor time: what it does beside holding the lock is in it, and
//! that the kernel had other work meanwhile is not. So what is told is an upper bound of the longest hold. Arrays are
//! resized while the store fills and while it empties, and sweeps go on all the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use sessions::{
    MemoryStore,
    store::{
        Admit, Cas, CasOutcome, End, EndReason, EndTarget, Expected, Loaded, Millis, Owner, SessionId,
        SessionStore as _, TOMBSTONE_MS, Touch,
    },
};

use crate::{Outcome, arguments::Arguments, machine, numbers::float, orders::Servant, sockets};

/// Bytes of a record, about as many as those of the sessions that are measured elsewhere.
const RECORD: usize = 160;
/// Sessions that come while the clock of the store goes on by a second.
const A_SECOND: u64 = 2_000;
/// How many records or tombstones one sweep frees at most.
const A_SWEEP: usize = 32;
const OPERATIONS: [&str; 7] = ["load", "insert", "admit", "write", "touch", "end", "sweep"];

/// How long an operation took.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) operation: String,
    pub(crate) count: u64,
    /// Microseconds of the longest ones, the longest first.
    pub(crate) longest: Vec<f64>,
}

pub(crate) fn measure(arguments: &Arguments) -> Outcome<Vec<Hold>> {
    if arguments.most == 0 {
        return Ok(Vec::new());
    }
    eprintln!("locks: {} sessions come and go", arguments.most);
    let mut child = Servant::start(&["fill", &arguments.most.to_string()])?;
    let mut holds = Vec::new();
    for _ in OPERATIONS {
        let answer = child.answer()?;
        let mut words = answer.split_whitespace();
        let operation = words.next().unwrap_or_default().to_owned();
        let count = words.next().unwrap_or_default().parse()?;
        let longest = words.map(str::parse).collect::<Result<_, _>>()?;
        holds.push(Hold { operation, count, longest });
    }
    Ok(holds)
}

/// What one thread has seen: counts and the longest operations, by their place in [`OPERATIONS`].
#[derive(Debug, Default)]
struct Seen([(u64, Vec<u64>); OPERATIONS.len()]);

impl Seen {
    async fn time<T>(&mut self, operation: usize, work: impl Future<Output = T>) -> T {
        let before = machine::thread_time();
        let answer = work.await;
        self.note(operation, machine::thread_time() - before);
        answer
    }

    fn note(&mut self, operation: usize, nanoseconds: u64) {
        let (count, longest) = &mut self.0[operation];
        *count += 1;
        if longest.len() < 5 || longest.last().is_some_and(|&least| least < nanoseconds) {
            longest.push(nanoseconds);
            longest.sort_unstable_by(|a, b| b.cmp(a));
            longest.truncate(5);
        }
    }

    fn merge(&mut self, other: Self) {
        for (operation, (count, longest)) in other.0.into_iter().enumerate() {
            let before = self.0[operation].0;
            for nanoseconds in longest {
                self.note(operation, nanoseconds);
            }
            self.0[operation].0 = before + count;
        }
    }
}

/// Fills a store, empties it again, and tells what was longest.
pub(crate) fn run(sessions: usize) -> Outcome<()> {
    let load = Arc::new(Load {
        store: MemoryStore::new(sessions),
        now: START.into(),
        stored: 0.into(),
        done: false.into(),
    });
    let visitor = {
        let load = Arc::clone(&load);
        thread::spawn(move || sockets::runtime()?.block_on(load.visit()))
    };
    let filled = sockets::runtime()?.block_on(load.fill_and_empty(sessions as u64));
    load.done.store(true, Relaxed);
    let mut seen = filled?;
    seen.merge(visitor.join().map_err(|_| "the visitor's thread panicked")??);
    for (operation, (count, longest)) in OPERATIONS.iter().zip(seen.0) {
        let longest = longest.iter().map(|&nanoseconds| format!(" {:.1}", float(nanoseconds) / 1e3));
        println!("{operation} {count}{}", longest.collect::<String>());
    }
    Ok(())
}

/// Where the store's clock begins.
const START: Millis = 1_800_000_000_000;
/// The lives of most sessions outlast the filling; those of every eighth do not.
const LONG: Millis = 365 * 86_400_000;
const SHORT: Millis = 100_000;

struct Load {
    store: MemoryStore,
    now: AtomicU64,
    stored: AtomicU64,
    done: AtomicBool,
}

/// The session of a number: its id, its owner unless it is anonymous, and when it is dead.
fn session(number: u64, now: Millis) -> (SessionId, Option<Owner>, Millis) {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut sid = [0; 16];
    sid[..8].copy_from_slice(&mixed.to_be_bytes());
    sid[8..].copy_from_slice(&mixed.rotate_left(17).wrapping_mul(number | 1).to_be_bytes());
    let owner = (!number.is_multiple_of(4)).then(|| Owner::of("bench", "user", &number.to_string()));
    let bucket = owner.map_or((mixed >> 48) as u16, |owner| owner.bucket());
    (SessionId::new(bucket, sid), owner, now + if number.is_multiple_of(8) { SHORT } else { LONG })
}

fn record(version: u64, now: Millis) -> Arc<[u8]> {
    let mut bytes = [0; RECORD];
    bytes[..8].copy_from_slice(&version.to_be_bytes());
    bytes[8..16].copy_from_slice(&now.to_be_bytes());
    bytes.into()
}

impl Load {
    async fn fill_and_empty(&self, sessions: u64) -> Outcome<Seen> {
        let mut seen = Seen::default();
        for number in 0..sessions {
            let now = START + number * 1_000 / A_SECOND;
            self.now.store(now, Relaxed);
            let (id, owner, expires) = session(number, now);
            let record = record(1, now);
            if let Some(owner) = owner {
                let admit = Admit {
                    id,
                    owner,
                    record,
                    expires,
                    limit: None,
                    replaces: None,
                    began: now,
                    now,
                    deadline: now,
                };
                seen.time(2, self.store.admit(admit)).await?;
            } else {
                let cas = Cas { id, owner, expected: Expected::Absent, record, expires, now, deadline: now };
                seen.time(1, self.store.cas(cas)).await?;
            }
            self.stored.store(number + 1, Relaxed);
        }
        self.done.store(true, Relaxed);
        // All lives end, all tombstones are forgotten: half of the sessions go by one, half by the other.
        let end = START + sessions * 1_000 / A_SECOND + LONG;
        for now in [end, end + 2 * TOMBSTONE_MS] {
            while seen.time(6, self.store.sweep(now, A_SWEEP)).await? > 0 {}
        }
        let left = self.store.stats().await?.sessions;
        if left == 0 {
            Ok(seen)
        } else {
            Err(format!("{left} sessions are left after the last sweep").into())
        }
    }

    /// Uses sessions that are stored while others come, and sweeps.
    async fn visit(&self) -> Outcome<Seen> {
        let (mut seen, mut dice) = (Seen::default(), 1_u64);
        while !self.done.load(Relaxed) {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (now, stored) = (self.now.load(Relaxed), self.stored.load(Relaxed).max(1));
            let (id, owner, _) = session((dice >> 20) % stored, now);
            let Loaded::Live(found) = seen.time(0, self.store.load(id, now)).await? else { continue };
            match dice >> 60 {
                0..4 => {
                    let expected = Expected::Version(found.version());
                    let record = record(found.version().as_u64() + 1, now);
                    let cas = Cas { id, owner, expected, record, expires: now + LONG, now, deadline: now };
                    let written = seen.time(3, self.store.cas(cas)).await?;
                    if !matches!(written, CasOutcome::Stored) {
                        return Err(format!("a write of the only writer: {written:?}").into());
                    }
                }
                4..8 => {
                    let touch = Touch { id, owner, seen: now, expires: now + LONG };
                    seen.time(4, self.store.touch(touch)).await?;
                }
                8 => {
                    let target = EndTarget::Session { id, owner };
                    let end = End { target, reason: EndReason::LoggedOut, now, stamp: now };
                    seen.time(5, self.store.end(end)).await?;
                }
                9 => {
                    seen.time(6, self.store.sweep(now, A_SWEEP)).await?;
                }
                _ => {}
            }
        }
        Ok(seen)
    }
}
