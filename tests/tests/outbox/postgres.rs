//! What only PostgreSQL has: transactions that commit late, a schema that is brought up to date, a server that is killed.

use std::time::Duration;

use sessions::{SessionStore, SharedStore};
use sessions_tests::{
    Visitor,
    servers::postgres::{self, Postgres},
};

use super::shop::{HOUR, Server, Shop, again, take};

#[tokio::test]
async fn an_event_that_commits_late_is_not_passed_over() {
    let server = Server::postgres().await;
    let shop = Shop::on(&server).await;
    let reader = shop.reader("mail");
    assert!(reader.read(10).await.unwrap().is_empty());
    let Server::Postgres(database) = &server else { unreachable!() };
    let slow = database.client().await;
    slow.batch_execute("BEGIN; SELECT sessions.note_2(ARRAY['{\"id\":\"late\"}'], '{}', '{}')")
        .await
        .unwrap();
    shop.come_and_go("ada").await;
    for _ in 0..3 {
        let batch = reader.read(10).await.unwrap();
        assert!(batch.is_empty(), "{batch:?}");
        reader.ack(&batch).await.unwrap();
    }
    slow.batch_execute("COMMIT").await.unwrap();
    let events = take(&reader, 4).await;
    assert_eq!(events[0].id, "late");
}

const FIRST: &str = include_str!("../../../sessions/src/store/postgres/schema/1.sql");

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_at_once_bring_a_schema_up_to_date_once() {
    for _ in 0..3 {
        let database = Postgres::shared().database().await;
        let client = database.client().await;
        client
            .batch_execute(&format!(
                "CREATE SCHEMA sessions; CREATE TABLE sessions.schema_version (version integer PRIMARY KEY, \
                 compatible integer NOT NULL, migrated timestamptz NOT NULL DEFAULT now()); {FIRST}; \
                 INSERT INTO sessions.schema_version (version, compatible) VALUES (1, 1); \
                 INSERT INTO sessions.session VALUES ('\\x000000000000000000000000000000000001', NULL, 0, 1, 0, \
                 9000000000000, 9000000000000, NULL, '\\x01')"
            ))
            .await
            .unwrap();
        let starting = (0..5).map(|number| {
            let url = database.url();
            let kept = (number % 2 == 0).then_some(HOUR);
            tokio::spawn(async move { postgres::builder(&url).outbox(kept).open().await })
        });
        for node in starting.collect::<Vec<_>>() {
            let store = node.await.unwrap().unwrap();
            assert_eq!(store.stats().await.unwrap().sessions, 1, "what was there is there");
        }
        let versions =
            client.query("SELECT version FROM sessions.schema_version ORDER BY 1", &[]).await.unwrap();
        assert_eq!(versions.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>(), [1, 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_has_each_change_with_its_event_or_neither() {
    let mut server = Postgres::start(&[]);
    let url = server.url("postgres");
    let shop = Shop::with(SharedStore::new(postgres::builder(&url).outbox(HOUR).open().await.unwrap()));
    let reader = shop.reader("mail");
    let mut visitors = Vec::new();
    for number in 0..40 {
        let mut visitor = Visitor::default();
        shop.log_in(&mut visitor, &format!("u{number}")).await;
        let handle = shop.handle(&mut visitor).await.to_string();
        visitors.push((handle, visitor));
    }
    let leaving = async {
        let leave = visitors.iter().map(async |(_, visitor)| {
            shop.visit(&mut visitor.clone(), async |session| session.clear_authentication()).await.is_ok()
        });
        futures_util::future::join_all(leave).await
    };
    let killing = async {
        tokio::time::sleep(Duration::from_millis(8)).await;
        tokio::task::block_in_place(|| server.kill());
    };
    let (left, ()) = tokio::join!(leaving, killing);
    tokio::task::block_in_place(|| server.resume_after_end());
    let mut events = Vec::new();
    loop {
        let batch = again(|| reader.read(50)).await;
        if batch.is_empty() {
            break;
        }
        let gone = batch.iter().filter(|event| event.event == "session_logged_out");
        events.extend(gone.map(|event| event.handle.clone().unwrap()));
        again(|| reader.ack(&batch)).await;
    }
    for ((handle, visitor), was_told) in visitors.iter().zip(left) {
        let times = events.iter().filter(|gone| *gone == handle).count();
        let lives =
            shop.visit(&mut visitor.clone(), async |session| session.is_authenticated()).await.unwrap();
        assert_eq!(times, usize::from(!lives), "{handle}: {was_told}");
        assert!(!lives || !was_told);
    }
}

sessions::policies! { shop: { extends: "user_default" } }

#[tokio::test]
async fn settings_open_a_store_with_an_outbox() {
    let server = Server::postgres().await;
    let Server::Postgres(database) = &server else { unreachable!() };
    for kept in [None, Some("7days")] {
        let url = database.url();
        let settings = [("KIND", Some("postgres")), ("URL", Some(url.as_str())), ("OUTBOX", kept)];
        let variables = settings
            .into_iter()
            .filter_map(|(key, value)| Some((format!("SESSIONS_STORES__MAIN__{key}"), value?.to_owned())));
        let registry = policies::Registry::builder().with_settings(None, variables).load().await.unwrap();
        assert_eq!(registry.outbox("main").is_some(), kept.is_some());
        assert!(registry.outbox("other").is_none());
        registry.shutdown().await.unwrap();
    }
}
