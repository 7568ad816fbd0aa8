//! The promises of the store contract. A clone is a second handle on the same sessions.

use crate::store::MemoryStore;

async fn fresh() -> (MemoryStore, MemoryStore) {
    let store = MemoryStore::new(100_000);
    (store.clone(), store)
}

async fn twin(store: &MemoryStore) -> MemoryStore {
    store.clone()
}

crate::testing::conformance!(fresh, twin = twin);
