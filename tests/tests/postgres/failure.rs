//! What goes wrong with a server: it is told within the time limit, never taken for an answer, and over soon after the
//! server is back.

use std::time::{Duration, Instant};

use sessions::{
    PostgresStore, SessionStore, SharedStore,
    store::{CasOutcome, Loaded, StoreError},
};
use sessions_tests::servers::postgres::{self, Postgres};

use crate::{
    NOW, ada, anonymous, change, create, creation, login, logout, of_ada, revocation, soon, touch,
    unavailable, version,
};

const LIMIT: Duration = Duration::from_secs(2);
/// How long a load or a lost connection may take on a busy machine.
const SLACK: Duration = Duration::from_millis(500);

/// A store as an engine has it, with its time limit.
async fn shared(server: &Postgres) -> SharedStore {
    let store = postgres::builder(&server.url("postgres")).timeout(LIMIT).open().await.unwrap();
    SharedStore::new(store).with_limit(LIMIT)
}

/// Every operation fails in time. A read or an operation that found no connection was certainly not applied.
async fn is_out(store: &SharedStore) {
    let begin = Instant::now();
    let (load, list, cas, admit, touched, end, ended) = tokio::join!(
        store.load(anonymous(1), NOW),
        store.list(ada(), None, 10, NOW),
        store.cas(change(anonymous(1), 1)),
        store.admit(login(7, 9)),
        store.touch(touch(anonymous(1))),
        store.end(logout(anonymous(1))),
        store.end(revocation()),
    );
    assert!(begin.elapsed() < LIMIT + SLACK, "{:?}", begin.elapsed());
    assert!(load.is_err(), "{load:?}");
    assert!(list.is_err(), "{list:?}");
    assert!(cas.is_err(), "{cas:?}");
    assert!(admit.is_err(), "{admit:?}");
    assert!(touched.is_err(), "{touched:?}");
    assert!(end.is_err(), "{end:?}");
    assert!(ended.is_err(), "{ended:?}");
}

async fn is_back(store: &SharedStore) -> bool {
    store.load(anonymous(1), NOW).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_stopped_is_unavailable_and_used_again_within_a_second() {
    let mut server = Postgres::start(&["fsync=off"]);
    let store = shared(&server).await;
    store.cas(creation(anonymous(1))).await.unwrap();
    for is_crash in [false, true] {
        if is_crash {
            server.kill();
        } else {
            server.stop();
        }
        soon("the loss is seen", async || store.load(anonymous(1), NOW).await.is_err()).await;
        is_out(&store).await;
        // From now on at once, and with certainty.
        let begin = Instant::now();
        for _ in 0..100 {
            let said = unavailable(store.cas(change(anonymous(1), 1)).await);
            assert!(said.contains("PostgreSQL at 127.0.0.1"), "{said}");
        }
        assert!(begin.elapsed() < SLACK, "{:?}", begin.elapsed());
        server.resume_after_end();
        let took = soon("it is used again", async || is_back(&store).await).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert!(matches!(store.cas(creation(anonymous(1))).await.unwrap(), CasOutcome::Conflict(_)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_told_in_time_and_used_again_within_a_second() {
    let server = Postgres::start(&["fsync=off"]);
    let store = shared(&server).await;
    store.cas(creation(anonymous(1))).await.unwrap();
    // Longer than it takes to find out that the connections are of no use.
    for frozen in [Duration::from_millis(500), LIMIT * 4] {
        server.freeze();
        let until = Instant::now() + frozen;
        is_out(&store).await;
        while Instant::now() < until {
            assert!(store.load(anonymous(1), NOW).await.is_err());
        }
        server.thaw();
        let took = soon("it is used again", async || is_back(&store).await).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
        // What had been sent may have been applied since: a logout among it.
        store.cas(creation(anonymous(1))).await.unwrap();
        assert!(store.load(anonymous(1), NOW).await.is_ok());
        store.cas(creation(anonymous(1))).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_ended_is_made_anew_and_no_write_is_lost_or_done_twice() {
    let database = Postgres::shared().database().await;
    let (store, other) = (PostgresStore::open(&database.url()).await.unwrap(), database.client().await);
    create(&store, anonymous(1)).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'sessions'";
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writing = tokio::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        async move {
            let (mut version, mut written, mut unknown, mut in_doubt) = (1, 0, 0, false);
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                match store.cas(change(anonymous(1), version)).await {
                    Ok(CasOutcome::Stored) => {
                        written += 1;
                        version += 1;
                        in_doubt = false;
                    }
                    // One before was applied although its answer was lost, once.
                    Ok(CasOutcome::Conflict(stored)) => {
                        assert!(in_doubt, "no one was told that it may have been applied");
                        assert_eq!(stored.version().as_u64(), version + 1);
                        version += 1;
                        in_doubt = false;
                    }
                    Err(StoreError::Unknown(_)) => (unknown, in_doubt) = (unknown + 1, true),
                    // Answered at once: a loop that never waits would keep its thread from what makes connections.
                    Err(StoreError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(1)).await,
                    other => panic!("{other:?}"),
                }
            }
            (version, written, unknown)
        }
    });
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.batch_execute(end).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let (last, written, unknown) = writing.await.unwrap();
    assert!(written > 10, "{written} written, {unknown} unknown");
    // The last attempt to connect may have been ended too.
    soon("it is read again", async || store.load(anonymous(1), NOW).await.is_ok()).await;
    assert_eq!(version(&store, anonymous(1)).await, Some(last));
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_asked_again_on_another_connection() {
    let database = Postgres::shared().database().await;
    let (store, other) = (PostgresStore::open(&database.url()).await.unwrap(), database.client().await);
    create(&store, anonymous(1)).await;
    // One that is in use: whoever ends one that is being made leaves none to ask.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'sessions' \
               AND backend_start < clock_timestamp() - interval '1 s' LIMIT 1";
    let mut ended = 0;
    while ended < 12 {
        ended += other.query(end, &[]).await.unwrap().len();
        assert_eq!(version(&store, anonymous(1)).await, Some(1));
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_can_only_be_read_is_unavailable_until_it_can_be_written() {
    let server = Postgres::start(&["fsync=off"]);
    let store = shared(&server).await;
    store.cas(creation(anonymous(1))).await.unwrap();
    let admin = server.admin().await;
    for _ in 0..2 {
        admin.batch_execute("SET default_transaction_read_only = off").await.unwrap();
        admin.batch_execute("ALTER SYSTEM SET default_transaction_read_only = on").await.unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        soon("it refuses writes", async || store.cas(change(anonymous(1), 9)).await.is_err()).await;
        let said = unavailable(store.cas(change(anonymous(1), 9)).await);
        assert!(said.contains("can't be written"), "{said}");
        // Nor is it believed to hold what is true now.
        soon("it is not read either", async || store.load(anonymous(1), NOW).await.is_err()).await;
        let said = unavailable(PostgresStore::open(&server.url("postgres")).await);
        assert!(said.contains("can't be written"), "{said}");
        admin.batch_execute("ALTER SYSTEM RESET default_transaction_read_only").await.unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        let took = soon("it is used again", async || is_back(&store).await).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

#[tokio::test]
async fn a_server_without_a_connection_left_says_so() {
    let server = Postgres::start(&["fsync=off", "max_connections=6", "superuser_reserved_connections=0"]);
    let store = shared(&server).await;
    store.cas(creation(anonymous(1))).await.unwrap();
    let mut others = vec![server.admin().await];
    soon("no connection is left", async || {
        match tokio_postgres::connect(&server.url("postgres"), tokio_postgres::NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                others.push(client);
                false
            }
            Err(_) => true,
        }
    })
    .await;
    let said = unavailable(PostgresStore::open(&server.url("postgres")).await);
    assert!(said.contains("raise `max_connections`"), "{said}");
    // Who has connections keeps them.
    assert!(is_back(&store).await);
}

#[tokio::test]
async fn what_can_not_be_opened_says_why_without_the_password() {
    let server = Postgres::start(&["fsync=off"]);
    let port = server.port();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (url, why) in [
        (format!("postgres://u:hunter2@127.0.0.1:{closed}/x"), "can't be reached"),
        (format!("postgres://u:hunter2@127.0.0.1:{port}/postgres"), "refuses the user"),
        (format!("postgres://postgres:hunter2@127.0.0.1:{port}/nowhere"), "has no such database"),
        ("postgres://u:hunter2@no-such-host.invalid/x?sslmode=disable".to_owned(), "can't be reached"),
        ("sqlite://hunter2".to_owned(), "is the address of another kind of store"),
        (format!("postgres://u:hunter2@127.0.0.1:{port}/x?port=many"), "can't be read"),
    ] {
        let error = PostgresStore::open(&url).await.unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        let said = unavailable::<()>(Err(error));
        assert!(said.contains(why) && !said.contains("hunter2"), "{url}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_the_server_loses_nothing_that_was_acknowledged() {
    let mut server = Postgres::start(&[]);
    let store = shared(&server).await;
    for round in 0..3_u16 {
        let base = round * 1_000;
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                tokio::spawn({
                    let store = store.clone();
                    async move {
                        let mut stored = Vec::new();
                        for number in 0..100 {
                            let id = anonymous(base + writer * 100 + number);
                            match store.cas(creation(id)).await {
                                Ok(CasOutcome::Stored) => stored.push(id),
                                Err(_) => return stored,
                                other => panic!("{other:?}"),
                            }
                        }
                        stored
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(150)).await;
        server.kill();
        server.resume_after_end();
        let mut stored = Vec::new();
        for writer in writers {
            stored.extend(writer.await.unwrap());
        }
        assert!(!stored.is_empty());
        soon("it is used again", async || store.load(anonymous(base), NOW).await.is_ok()).await;
        for id in stored {
            assert!(matches!(store.load(id, NOW).await.unwrap(), Loaded::Live(_)), "{id:?}");
        }
    }
    let admitted = store.admit(login(1, 9)).await.unwrap();
    assert_eq!(admitted, sessions::store::Admitted::Stored { evicted: vec![] });
    server.kill();
    server.resume_after_end();
    soon("it is used again", async || store.load(anonymous(1), NOW).await.is_ok()).await;
    assert_eq!(store.list(ada(), None, 10, NOW).await.unwrap()[0].id, of_ada(1));
}
