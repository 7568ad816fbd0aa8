//! A server that answers, and refuses: what is told, that nothing was applied, and that it works again when it can.

use std::time::Duration;

use sessions::{
    SessionStore,
    store::{CasOutcome, Loaded},
};
use sessions_tests::servers::redis::RedisServer;

use super::common::{
    anonymous, change, create, creation, end_all, end_one, is_unavailable, limited, login, now, open,
    open_at, owner, recovery, told, touch,
};

#[tokio::test]
async fn a_server_that_has_lost_its_scripts_learns_them_again() {
    let server = RedisServer::start();
    let store = open(server.port()).await;
    create(&store, anonymous(1)).await;
    server.ask(&["SCRIPT", "FLUSH"]);
    assert!(matches!(store.cas(change(anonymous(1), 1)).await, Ok(CasOutcome::Stored)));
    server.ask(&["SCRIPT", "FLUSH"]);
    store.touch(touch(anonymous(1), None)).await.unwrap();
    store.admit(limited(owner(1), 1, 1)).await.unwrap();
    server.ask(&["SCRIPT", "FLUSH"]);
    store.admit(limited(owner(1), 2, 1)).await.unwrap();
    assert_eq!(store.list(owner(1), None, 9, now()).await.unwrap().len(), 1);
    server.ask(&["SCRIPT", "FLUSH"]);
    assert_eq!(store.end(end_all(owner(1))).await.unwrap().ids.len(), 1);
    server.ask(&["SCRIPT", "FLUSH"]);
    assert_eq!(store.end(end_one(anonymous(1), None)).await.unwrap().ids.len(), 1);
}

#[tokio::test]
async fn a_replica_refuses_writes_and_is_told_for_one() {
    let primary = RedisServer::start();
    let replica = RedisServer::start_with(&[&format!("--replicaof 127.0.0.1 {}", primary.port())]);
    let store = open(replica.port()).await;
    let outcome = store.cas(creation(anonymous(1))).await;
    assert!(is_unavailable(&outcome), "{outcome:?}");
    let text = told(outcome);
    assert!(text.contains("READONLY") && text.contains("name the primary"), "{text}");
    replica.ask(&["REPLICAOF", "NO", "ONE"]);
    assert!(matches!(store.cas(creation(anonymous(1))).await, Ok(CasOutcome::Stored)));
}

#[tokio::test]
async fn a_server_without_memory_refuses_writes_and_answers_reads() {
    let server = RedisServer::start_with(&["--maxmemory-policy noeviction"]);
    let store = open(server.port()).await;
    create(&store, anonymous(1)).await;
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    for outcome in [store.cas(change(anonymous(1), 1)).await, store.cas(creation(anonymous(2))).await] {
        assert!(is_unavailable(&outcome), "{outcome:?}");
        assert!(told(outcome).contains("raise its `maxmemory`"));
    }
    assert!(is_unavailable(&store.admit(login(owner(1), 1)).await));
    assert!(
        matches!(store.load(anonymous(1), now()).await.unwrap(), Loaded::Live(s) if s.version().as_u64() == 1)
    );
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(matches!(store.cas(change(anonymous(1), 1)).await, Ok(CasOutcome::Stored)));
    assert!(
        matches!(store.load(anonymous(2), now()).await.unwrap(), Loaded::Absent),
        "nothing of it was applied"
    );
}

#[tokio::test]
async fn a_primary_without_enough_replicas_refuses_writes() {
    let server = RedisServer::start_with(&["--min-replicas-to-write 1"]);
    let store = open(server.port()).await;
    let outcome = store.cas(creation(anonymous(1))).await;
    assert!(is_unavailable(&outcome), "{outcome:?}");
    assert!(told(outcome).contains("min-replicas-to-write"));
}

#[tokio::test]
async fn a_server_that_loads_its_data_is_waited_for() {
    let server =
        RedisServer::start_with(&["--key-load-delay 1000", "--loading-process-events-interval-bytes 1024"]);
    let store = open(server.port()).await;
    for number in 0..400 {
        create(&store, anonymous(number)).await;
    }
    assert!(server.ask(&["SAVE"]).starts_with("+OK"));
    server.kill();
    server.start_again();
    // Until the store has seen that the connection has ended.
    let _ = store.load(anonymous(1), now()).await;
    let outcome = store.cas(change(anonymous(1), 1)).await;
    assert!(is_unavailable(&outcome), "{outcome:?}");
    let text = told(outcome);
    assert!(text.contains("LOADING") && text.contains("reads its data"), "{text}");
    server.ask(&["CONFIG", "SET", "key-load-delay", "0"]);
    let took = recovery(&store).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(matches!(store.cas(change(anonymous(1), 1)).await, Ok(CasOutcome::Stored)));
}

#[tokio::test]
async fn what_is_under_a_key_and_no_session_is_told_and_left_alone() {
    let server = RedisServer::start();
    let store = open(server.port()).await;
    create(&store, anonymous(1)).await;
    let keys = server.ask(&["KEYS", "*"]);
    let key = keys.lines().last().unwrap();
    server.ask(&["SET", key, "something else that is long enough", "PX", "60000"]);
    let outcome = store.load(anonymous(1), now()).await;
    assert!(is_unavailable(&outcome), "{outcome:?}");
    assert!(told(outcome).contains("key_prefix"));
    let outcome = store.cas(creation(anonymous(1))).await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert!(told(outcome).contains("choose another"));
    assert!(server.ask(&["GET", key]).contains("something else"));
}

#[tokio::test]
async fn a_password_is_asked_for_and_never_told() {
    let server = RedisServer::start_with(&["--requirepass hunter2"]);
    let port = server.port();
    for url in [format!("redis://127.0.0.1:{port}"), format!("redis://:hunter3@127.0.0.1:{port}")] {
        let outcome = open_at(&url).await;
        assert!(is_unavailable(&outcome), "{outcome:?}");
        let text = told(outcome);
        assert!(text.contains("check user and password") && !text.contains("hunter"), "{text}");
    }
    let store = open_at(&format!("redis://:hunter2@127.0.0.1:{port}")).await.unwrap();
    create(&store, anonymous(1)).await;
    assert!(!format!("{store:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_user_with_the_rights_that_are_documented_can_do_everything() {
    let server = RedisServer::start();
    let rights = include_str!("../../../docs/REDIS.md");
    let rights = rights.lines().find_map(|line| line.strip_prefix("ACL SETUSER sessions ")).unwrap();
    let words: Vec<_> = rights.split(' ').map(|word| word.trim_matches('\'')).collect();
    let made = server.ask(&[&["ACL", "SETUSER", "sessions"], words.as_slice()].concat());
    assert!(made.starts_with("+OK"), "{made}");
    let store = open_at(&format!("redis://sessions:PASSWORD@127.0.0.1:{}", server.port())).await.unwrap();
    create(&store, anonymous(1)).await;
    assert!(matches!(store.cas(change(anonymous(1), 1)).await, Ok(CasOutcome::Stored)));
    store.touch(touch(anonymous(1), None)).await.unwrap();
    for number in 0..3 {
        store.admit(limited(owner(1), number, 1)).await.unwrap();
    }
    assert_eq!(store.list(owner(1), None, 9, now()).await.unwrap().len(), 1);
    store.end(end_one(anonymous(1), None)).await.unwrap();
    store.end(end_all(owner(1))).await.unwrap();
    store.sweep(now() + 10_000_000, 100).await.unwrap();
    assert_eq!(store.stats().await.unwrap().sessions, 0);
    let other = server.ask(&["ACL", "DRYRUN", "sessions", "GET", "other:key"]);
    assert!(other.contains("no permissions"), "{other}");
}

#[tokio::test]
async fn a_server_that_drops_keys_is_warned_of_when_the_store_is_opened() {
    for (policy, warns) in [("noeviction", false), ("allkeys-lru", true), ("volatile-ttl", true)] {
        let server = RedisServer::start_with(&[&format!("--maxmemory-policy {policy}")]);
        let log = Log::default();
        let kept = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || kept.clone()).finish();
        let guard = tracing::subscriber::set_default(subscriber);
        open(server.port()).await;
        drop(guard);
        let said = log.said();
        assert_eq!(said.contains("SL072"), warns, "{policy}: {said}");
        assert_eq!(said.contains("CONFIG SET maxmemory-policy noeviction"), warns, "{policy}: {said}");
    }
}

/// What was logged.
#[derive(Clone, Debug, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Log {
    fn said(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
