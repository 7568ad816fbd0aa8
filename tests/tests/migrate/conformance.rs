//! The promises of every store hold before, while and after sessions move.

use std::{thread, time::Duration};

use sessions::{
    MemoryStore,
    store::{MigratingStore, MigrationPhase},
};

use crate::common::Pair;

/// Looks at the end whether the migration is still where it was: a copy that was given up would prove nothing.
struct StaysAt(MigratingStore, MigrationPhase);

impl Drop for StaysAt {
    fn drop(&mut self) {
        // The walk lets clocks step back over a bounded sweep, which may note other expiries in one store than in the other.
        let is_walk = thread::current().name().is_some_and(|name| name.contains("simple_model"));
        if thread::panicking() || is_walk {
            return;
        }
        let (node, expected) = (self.0.clone(), self.1);
        let look = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            assert_eq!(runtime.block_on(node.progress()).unwrap().phase, expected);
        };
        thread::spawn(look).join().unwrap();
    }
}

fn pair() -> Pair {
    Pair::of(MemoryStore::new(100_000), MemoryStore::new(100_000))
}

mod before {
    use super::*;

    async fn fresh() -> (MigratingStore, Pair) {
        let pair = pair();
        (pair.node(), pair)
    }

    async fn open(pair: &Pair) -> MigratingStore {
        pair.node()
    }

    sessions::testing::conformance!(fresh, twin = open);
}

mod meanwhile {
    use super::*;

    async fn fresh() -> (MigratingStore, (Pair, StaysAt)) {
        let pair = pair();
        let node = pair.copying().await;
        (node.clone(), (pair, StaysAt(node, MigrationPhase::Copying)))
    }

    async fn open((pair, _): &(Pair, StaysAt)) -> MigratingStore {
        pair.node()
    }

    sessions::testing::conformance!(fresh, twin = open);
}

mod afterwards {
    use super::*;

    async fn fresh() -> (MigratingStore, (Pair, StaysAt)) {
        let pair = pair();
        let node = pair.node();
        node.migration().settle(Duration::ZERO).run().await.unwrap();
        (node.clone(), (pair, StaysAt(node, MigrationPhase::Done)))
    }

    async fn open((pair, _): &(Pair, StaysAt)) -> MigratingStore {
        pair.node()
    }

    sessions::testing::conformance!(fresh, twin = open);
}
