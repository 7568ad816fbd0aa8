//! The promises of every store, also over a restart and over two handles on one file.

use super::*;

async fn fresh() -> (SqliteStore, Directory) {
    let directory = Directory::new();
    (open(&directory).await, directory)
}

async fn open(directory: &Directory) -> SqliteStore {
    directory.open().await
}

crate::testing::conformance!(fresh, reopen = open, twin = open);
