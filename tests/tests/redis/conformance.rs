//! The promises of every store, also over a restart of the server and over two stores on one server.

use sessions::RedisStore;
use sessions_tests::servers::redis::RedisServer;

async fn fresh() -> (RedisStore, RedisServer) {
    let server = RedisServer::start();
    (open(&server).await, server)
}

async fn open(server: &RedisServer) -> RedisStore {
    RedisStore::open(&server.url()).await.unwrap()
}

async fn restarted(server: &RedisServer) -> RedisStore {
    assert!(server.ask(&["SAVE"]).starts_with("+OK"));
    server.kill();
    server.start_again();
    open(server).await
}

sessions::testing::conformance!(fresh, reopen = restarted, twin = open);
