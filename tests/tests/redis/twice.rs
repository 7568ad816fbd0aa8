//! Scripts that run twice, as something between a store and its server may make them: the second time changes nothing.

use sessions::{SessionStore, store::Loaded};
use sessions_tests::servers::redis::RedisServer;

use super::common::{anonymous, change, create, end_all, end_one, limited, now, of, open, owner, touch};

/// What the server is asked, as its monitor shows it, asked a second time after each.
#[tokio::test]
async fn an_operation_that_is_repeated_changes_nothing_more() {
    let server = RedisServer::start();
    let store = open(server.port()).await;
    create(&store, anonymous(1)).await;
    let twice = |store: sessions::RedisStore| async move {
        // The same call a second time is what a repeated command is to the server, but for its deadline.
        let write = change(anonymous(1), 1);
        let (first, second) = (store.cas(write.clone()).await.unwrap(), store.cas(write).await.unwrap());
        format!("{first:?} {second:?}")
    };
    let answers = twice(store.clone()).await;
    assert!(answers.starts_with("Stored Conflict"), "{answers}");
    let login = limited(owner(1), 1, 1);
    store.admit(login.clone()).await.unwrap();
    assert_eq!(store.admit(login).await.unwrap(), sessions::store::Admitted::Exists);
    let use_of = touch(of(owner(1), 1), Some(owner(1)));
    store.touch(use_of).await.unwrap();
    let before = format!("{:?}", store.load(of(owner(1), 1), now()).await.unwrap());
    store.touch(use_of).await.unwrap();
    assert_eq!(format!("{:?}", store.load(of(owner(1), 1), now()).await.unwrap()), before);
    let end = end_one(anonymous(1), None);
    assert_eq!(store.end(end).await.unwrap().ids, [anonymous(1)]);
    assert_eq!(store.end(end).await.unwrap().ids, []);
    assert!(matches!(store.load(anonymous(1), now()).await.unwrap(), Loaded::Ended(_)));
    let end = end_all(owner(1));
    assert_eq!(store.end(end).await.unwrap().ids, [of(owner(1), 1)]);
    assert_eq!(store.end(end).await.unwrap().ids, []);
}
