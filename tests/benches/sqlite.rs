//! What the SQLite store costs over SQLite itself: acknowledged writes a second, beside bare transactions of as many rows.
//!
//! `cargo bench -p sessions-tests --bench sqlite [DIRECTORY]`. The directory (by default the one for temporary files) must be
//! on the disk that is to be measured. Rounds of both are interleaved, because a disk's speed changes from second to
//! second; the figures are medians, and the ratio is the median of the rounds' ratios. It asserts nothing about time.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use rusqlite::{Connection, TransactionBehavior};
use sessions::{
    SessionId, SessionStore, SqliteStore, Version,
    store::{Cas, CasOutcome, Expected},
};

/// Sessions that are stored.
const SESSIONS: usize = 40_000;
/// The bytes of a record.
const BYTES: usize = 1_100;
/// Writes of each writer in one round.
const WRITES: usize = 128;
/// Rounds of each figure.
const ROUNDS: usize = 21;
/// How many write at once: up to 64 of them share a transaction.
const WRITERS: [usize; 4] = [1, 8, 64, 256];
const NOW: u64 = 1_800_000_000_000;
const HOUR: u64 = 3_600_000;

fn id(number: usize) -> SessionId {
    // Spread, as random ids are.
    let spread = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    SessionId::new(u16::try_from(spread % 16_384).unwrap_or(0), spread.to_be_bytes())
}

fn record(version: u64) -> Arc<[u8]> {
    let mut record = vec![b'x'; BYTES];
    record[..8].copy_from_slice(&version.to_be_bytes());
    record[8..16].copy_from_slice(&NOW.to_be_bytes());
    record.into()
}

fn write(number: usize, version: u64) -> Cas {
    let expected = match version {
        0 => Expected::Absent,
        version => Expected::Version(Version::of_record(&version.to_be_bytes())),
    };
    Cas {
        id: id(number),
        owner: None,
        expected,
        announced: false,
        record: record(version + 1),
        expires: NOW + HOUR,
        now: NOW,
        deadline: NOW + HOUR,
    }
}

/// SQLite as it is: one table, the same keys and records, the same promise of durability, as much cache.
struct Bare {
    connection: Connection,
    next: usize,
}

impl Bare {
    fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.query_one("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -8_192)?;
        connection.execute("CREATE TABLE row (id BLOB NOT NULL UNIQUE, record BLOB NOT NULL) STRICT", [])?;
        let bare = Self { connection, next: 0 };
        // In transactions as the store's own seeding has, so that both logs have grown alike.
        for first in (0..SESSIONS).step_by(64) {
            let transaction = bare.connection.unchecked_transaction()?;
            for number in first..SESSIONS.min(first + 64) {
                let record = record(1);
                transaction
                    .prepare_cached("INSERT INTO row VALUES (?1, ?2)")?
                    .execute((key(number), record))?;
            }
            transaction.commit()?;
        }
        Ok(bare)
    }

    /// Writes in transactions of so many rows, and tells how many rows a second.
    fn round(&mut self, writers: usize) -> rusqlite::Result<f64> {
        let (batch, start) = (writers.min(64), Instant::now());
        let batches = writers * WRITES / batch;
        for version in 0..batches {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for _ in 0..batch {
                self.next = (self.next + 7_919) % SESSIONS;
                let record = record(version as u64);
                let mut update = transaction.prepare_cached("UPDATE row SET record = ?2 WHERE id = ?1")?;
                update.execute((key(self.next), record))?;
            }
            transaction.commit()?;
        }
        Ok(a_second(batches * batch, start))
    }
}

/// How many writes a second that is.
fn a_second(writes: usize, start: Instant) -> f64 {
    f64::from(u32::try_from(writes).expect("a round is short")) / start.elapsed().as_secs_f64()
}

fn key(number: usize) -> [u8; 18] {
    let mut key = [0; 18];
    key[..2].copy_from_slice(&id(number).bucket().to_be_bytes());
    key[2..].copy_from_slice(id(number).sid());
    key
}

/// The store, and the version of each session.
struct Stored {
    store: SqliteStore,
    versions: Vec<u64>,
}

impl Stored {
    async fn open(path: &Path) -> Self {
        let store = SqliteStore::open(path).await.expect("a store");
        let seeds: Vec<_> = (0..256)
            .map(|first| {
                let store = store.clone();
                tokio::spawn(async move {
                    for number in (first..SESSIONS).step_by(256) {
                        assert!(matches!(store.cas(write(number, 0)).await, Ok(CasOutcome::Stored)));
                    }
                })
            })
            .collect();
        for seed in seeds {
            seed.await.expect("seeded");
        }
        Self { store, versions: vec![1; SESSIONS] }
    }

    /// Writes from so many tasks, each of which waits for its answers, and tells how many writes a second.
    async fn round(&mut self, writers: usize, round: usize) -> f64 {
        let start = Instant::now();
        let tasks: Vec<_> = (0..writers)
            .map(|writer| {
                let numbers: Vec<_> = (0..WRITES)
                    .map(|n| (writer + (n + round * WRITES) * writers) * 7_919 % SESSIONS)
                    .collect();
                let own: Vec<_> =
                    numbers.iter().map(|&number| write(number, self.versions[number])).collect();
                for number in numbers {
                    self.versions[number] += 1;
                }
                let store = self.store.clone();
                tokio::spawn(async move {
                    for write in own {
                        assert!(matches!(store.cas(write).await, Ok(CasOutcome::Stored)));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("written");
        }
        a_second(writers * WRITES, start)
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let directory = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let directory = directory.map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = directory.join(format!("sessions-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let mut plain = Bare::open(&directory.join("bare.db")).expect("a database");
    let mut stored = Stored::open(&directory.join("sessions.db")).await;
    println!(
        "{SESSIONS} sessions of {BYTES} bytes, synchronous = FULL; medians of {ROUNDS} rounds, writes a second"
    );
    println!("{:>8} {:>14} {:>14} {:>8}", "writers", "bare SQLite", "SqliteStore", "ratio");
    for writers in WRITERS {
        let (mut base, mut own, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            base.push(plain.round(writers).expect("written"));
            own.push(stored.round(writers, round).await);
            parts.push(own[round] / base[round]);
        }
        let [base, own, parts] = [base, own, parts].map(median);
        println!("{writers:>8} {base:>14.0} {own:>14.0} {parts:>8.2}");
    }
    stored.store.shutdown().await.expect("closed");
    std::fs::remove_dir_all(&directory).expect("removed");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
