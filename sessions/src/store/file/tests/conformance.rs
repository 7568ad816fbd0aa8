//! The promises of the store contract, and those over a restart.

use super::Place;
use crate::store::FileStore;

async fn fresh() -> (FileStore, Place) {
    let place = Place::new();
    (place.open().await, place)
}

async fn open(place: &Place) -> FileStore {
    place.open().await
}

crate::testing::conformance!(fresh, reopen = open);
