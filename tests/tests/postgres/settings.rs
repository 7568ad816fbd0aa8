//! A registry opens the store that its settings name.

use sessions::LoadError;
use sessions_tests::servers::postgres::Postgres;

sessions::policies! { shop: { extends: "user_default" } }

async fn loaded(url: &str, pooler: &str) -> Result<policies::Registry, LoadError> {
    let settings = [
        ("SESSIONS_STORES__MAIN__KIND", "postgres"),
        ("SESSIONS_STORES__MAIN__URL", url),
        ("SESSIONS_STORES__MAIN__POOLER", pooler),
        ("SESSIONS_STORES__MAIN__TIMEOUT", "3s"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    policies::Registry::builder().with_settings(None, settings).load().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_settings_name_is_opened_and_what_is_not_there_ends_the_start() {
    let database = Postgres::shared().database().await;
    for pooler in ["none", "transaction"] {
        let registry = loaded(&database.url(), pooler).await.unwrap();
        registry.shutdown().await.unwrap();
    }
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'sessions'";
    assert_eq!(database.client().await.query_one(tables, &[]).await.unwrap().get::<_, i64>(0), 5);

    let error = loaded("postgres://u:hunter2@127.0.0.1:1/x", "none").await.err().unwrap();
    let said = format!("{error} {error:?}");
    assert!(said.contains("the store `main` can't be opened") && said.contains("is it running"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    assert_eq!(format!("{:?}", error.exit_code()), format!("{:?}", std::process::ExitCode::from(1)));
}
