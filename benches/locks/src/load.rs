//! What is done to a memory store while its locks are watched: it fills, one owner has many sessions, it is full, and all
//! lives end.

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
        Admit, Admitted, BehaviorOnLimit, Cas, CasOutcome, End, EndReason, EndTarget, Expected, Limit,
        Loaded, Millis, Owner, SessionId, SessionStore as _, TOMBSTONE_MS, Touch,
    },
};

use crate::{
    Outcome,
    watch::{self, Seen, doing},
};

/// Bytes of a record, about as many as those of the sessions that are measured elsewhere.
const RECORD: usize = 160;
/// Sessions that come while the clock of the store goes on by a second.
const A_SECOND: u64 = 2_000;
/// How much one sweep frees at most, and a page of a list has at most: as the library asks.
const A_SWEEP: usize = 256;
const PAGE: usize = 128;
/// Sessions of the owner that has many.
const MANY: u64 = 10_000;

/// Where the store's clock begins.
const START: Millis = 1_800_000_000_000;
/// The lives of most sessions outlast the filling; those of every eighth do not.
const LONG: Millis = 365 * 86_400_000;
const SHORT: Millis = 100_000;

/// Does it all with so many sessions and tells what was seen.
pub(crate) fn run(sessions: u64) -> Outcome<Seen> {
    let load = Arc::new(Load {
        store: MemoryStore::new(usize::try_from(sessions)?),
        now: START.into(),
        stored: 0.into(),
        done: false.into(),
    });
    let visitor = {
        let load = Arc::clone(&load);
        thread::spawn(move || runtime()?.block_on(load.visit()))
    };
    let filled = runtime()?.block_on(load.all(sessions));
    load.done.store(true, Relaxed);
    let visited = visitor.join().map_err(|_| "the visitor's thread panicked")??;
    filled?;
    let mut seen = watch::take();
    seen.merge(visited);
    Ok(seen)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().build()
}

struct Load {
    store: MemoryStore,
    now: AtomicU64,
    stored: AtomicU64,
    done: AtomicBool,
}

fn sid(number: u64) -> [u8; 16] {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut sid = [0; 16];
    sid[..8].copy_from_slice(&mixed.to_be_bytes());
    sid[8..].copy_from_slice(&mixed.rotate_left(17).wrapping_mul(number | 1).to_be_bytes());
    sid
}

fn owner(number: u64) -> Owner {
    Owner::of("bench", "user", &number.to_string())
}

/// The session of a number: its id, its owner unless it is anonymous, and when it is dead.
fn session(number: u64, now: Millis) -> (SessionId, Option<Owner>, Millis) {
    let sid = sid(number);
    let owner = (!number.is_multiple_of(4)).then(|| owner(number));
    let bucket = owner.map_or(u16::from_be_bytes([sid[0], sid[1]]), |owner| owner.bucket());
    (SessionId::new(bucket, sid), owner, now + if number.is_multiple_of(8) { SHORT } else { LONG })
}

fn record(version: u64, now: Millis) -> Arc<[u8]> {
    let mut bytes = [0; RECORD];
    bytes[..8].copy_from_slice(&version.to_be_bytes());
    bytes[8..16].copy_from_slice(&now.to_be_bytes());
    bytes.into()
}

impl Load {
    async fn all(&self, sessions: u64) -> Outcome<()> {
        let many = MANY.min(sessions / 2);
        for number in 0..sessions - many {
            self.come(number, ("growth: login", "growth: new anonymous session")).await?;
        }
        self.done.store(true, Relaxed);
        self.one_owner(sessions, many).await?;
        // Until a while after the last anonymous session is gone: from then on owners' sessions go.
        for number in sessions - many..sessions + sessions / 2 {
            self.come(number, ("full: login", "full: new anonymous session")).await?;
        }
        let end = self.now.load(Relaxed) + 2 * LONG;
        doing("all have expired: sweep");
        self.sweep_all(end).await?;
        doing("all tombstones are old: sweep");
        self.sweep_all(end + 2 * TOMBSTONE_MS).await?;
        doing("stats");
        let left = self.store.stats().await?.sessions;
        if left == 0 { Ok(()) } else { Err(format!("{left} sessions are left after the last sweep").into()) }
    }

    /// A new session, while the store's clock goes on.
    async fn come(&self, number: u64, (login, anonymous): (&'static str, &'static str)) -> Outcome<()> {
        let later = START + number * 1_000 / A_SECOND;
        let now = later.max(self.now.fetch_max(later, Relaxed));
        let (id, owner, expires) = session(number, now);
        if let Some(owner) = owner {
            doing(login);
            let admitted = self.log_in(id, owner, expires, None).await?;
            if !matches!(admitted, Admitted::Stored { .. }) {
                return Err(format!("a login: {admitted:?}").into());
            }
        } else {
            doing(anonymous);
            let record = record(1, now);
            let cas = Cas {
                id,
                owner,
                expected: Expected::Absent,
                announced: false,
                record,
                expires,
                now,
                deadline: now,
            };
            // A store that is full of owners' sessions refuses an anonymous one.
            self.store.cas(cas).await?;
        }
        self.stored.store(number + 1, Relaxed);
        Ok(())
    }

    async fn log_in(
        &self,
        id: SessionId,
        owner: Owner,
        expires: Millis,
        limit: Option<Limit>,
    ) -> Outcome<Admitted> {
        let now = self.now.load(Relaxed);
        let record = record(1, now);
        let admit =
            Admit { id, owner, record, expires, limit, replaces: None, began: now << 16, now, deadline: now };
        Ok(self.store.admit(admit).await?)
    }

    /// What is asked for all sessions of an owner, four times: each needs them all anew.
    async fn one_owner(&self, sessions: u64, many: u64) -> Outcome<()> {
        for round in 0..4_u64 {
            let owner = owner(u64::MAX - round);
            let id = |number| SessionId::new(owner.bucket(), sid(10 * sessions + round * MANY + number));
            let expires = self.now.load(Relaxed) + SHORT;
            doing("an owner of 10,000: login");
            for number in 0..many {
                let admitted = self.log_in(id(number), owner, expires, None).await?;
                if !matches!(admitted, Admitted::Stored { .. }) {
                    return Err(format!("a login: {admitted:?}").into());
                }
            }
            let now = self.now.load(Relaxed);
            match round {
                0 => {
                    doing("an owner of 10,000: list, by pages of 128");
                    let (mut after, mut listed) = (None, 0);
                    loop {
                        let page = self.store.list(owner, after, PAGE, now).await?;
                        let Some(last) = page.last() else { break };
                        (after, listed) = (Some(last.id), listed + page.len() as u64);
                    }
                    if listed != many {
                        return Err(format!("{listed} of {many} were listed").into());
                    }
                    doing("an owner of 10,000: list, all at once");
                    self.store.list(owner, None, usize::MAX, now).await?;
                    doing("an owner of 10,000: end all");
                    let target = EndTarget::Owner { owner, except: Some(id(0)) };
                    let end = End { target, reason: EndReason::Revoked, now, stamp: now << 16 };
                    let ended = self.store.end(end).await?.ids.len() as u64;
                    if ended + 1 != many {
                        return Err(format!("{ended} of {many} were ended").into());
                    }
                }
                1 => {
                    doing("an owner of 10,000: login that evicts all");
                    let limit = Limit { max: 1, behavior: BehaviorOnLimit::EvictAll };
                    self.log_in(id(many), owner, expires, Some(limit)).await?;
                }
                2 => {
                    self.now.store(expires + 1, Relaxed);
                    doing("an owner of 10,000 that have expired: login within a limit");
                    let limit = Limit { max: 1, behavior: BehaviorOnLimit::Reject };
                    self.log_in(id(many), owner, expires + LONG, Some(limit)).await?;
                }
                _ => {
                    self.now.store(expires + 1, Relaxed);
                    doing("an owner of 10,000 that have expired: list");
                    self.store.list(owner, None, PAGE, expires + 1).await?;
                }
            }
            let now = self.now.load(Relaxed) + 2 * TOMBSTONE_MS;
            self.now.store(now, Relaxed);
            doing("sweep meanwhile");
            while self.store.sweep(now, A_SWEEP).await? > 0 {}
        }
        Ok(())
    }

    async fn sweep_all(&self, now: Millis) -> Outcome<()> {
        while self.store.sweep(now, A_SWEEP).await? > 0 {}
        Ok(())
    }

    /// Uses sessions that are stored while others come, and sweeps.
    async fn visit(&self) -> Outcome<Seen> {
        let mut dice = 1_u64;
        while !self.done.load(Relaxed) {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (now, stored) = (self.now.load(Relaxed), self.stored.load(Relaxed).max(1));
            let (id, owner, _) = session((dice >> 20) % stored, now);
            doing("load");
            let Loaded::Live(found) = self.store.load(id, now).await? else { continue };
            match dice >> 60 {
                0..4 => {
                    doing("write");
                    let expected = Expected::Version(found.version());
                    let record = record(found.version().as_u64() + 1, now);
                    let cas = Cas {
                        id,
                        owner,
                        expected,
                        announced: false,
                        record,
                        expires: now + LONG,
                        now,
                        deadline: now,
                    };
                    let written = self.store.cas(cas).await?;
                    if !matches!(written, CasOutcome::Stored) {
                        return Err(format!("a write of the only writer: {written:?}").into());
                    }
                }
                4..8 => {
                    doing("touch");
                    self.store.touch(Touch { id, owner, seen: now, expires: now + LONG }).await?;
                }
                8 => {
                    doing("end");
                    let target = EndTarget::Session { id, owner };
                    self.store.end(End { target, reason: EndReason::LoggedOut, now, stamp: now }).await?;
                }
                9 => {
                    doing("sweep meanwhile");
                    self.store.sweep(now, A_SWEEP).await?;
                }
                10 => {
                    doing("list");
                    if let Some(owner) = owner {
                        self.store.list(owner, None, PAGE, now).await?;
                    }
                }
                _ => {}
            }
        }
        Ok(watch::take())
    }
}
