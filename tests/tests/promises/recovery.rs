//! What is left after something went wrong half-way: a whole session, or none.

use std::{
    future::poll_fn,
    pin::pin,
    task::Poll::{Pending, Ready},
};

use sessions::SessionPolicy;
use sessions_tests::{Node, second, user};

#[tokio::test]
async fn the_next_write_replaces_a_record_that_cannot_be_read() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    node.store.set_corrupt(true);
    node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
    node.store.set_corrupt(false);
    let look =
        async |session: &mut sessions::Session| (session.is_authenticated(), session.get::<u8>("a").unwrap());
    assert_eq!(node.visit(&mut visitor, look).await.value, (false, Some(1)));
}

#[tokio::test]
async fn a_logout_that_keeps_data_is_all_or_nothing_when_its_client_hangs_up() {
    for polls in 0..16 {
        let node = Node::new(SessionPolicy::user_default());
        let mut visitor = node.logged_in("ada").await;
        node.visit(&mut visitor, async |session| session.set("colour", "blue")).await.commit.unwrap();
        node.store.set_slow(true);
        let mut session = node.engine.resolve(&visitor.request()).await.unwrap();
        session.clear_authentication();
        let mut response = http::Response::new(());
        {
            let mut commit = pin!(node.engine.commit(&session, &mut response));
            let mut left = polls;
            poll_fn(|cx| {
                if left == 0 || commit.as_mut().poll(cx).is_ready() {
                    return Ready(());
                }
                left -= 1;
                cx.waker().wake_by_ref();
                Pending
            })
            .await;
        }
        tokio::time::sleep(second(1) / 100).await;
        node.store.set_slow(false);
        let logged_in = node.who(&visitor).await.is_some();
        let listed = node.engine.sessions_of(&user("ada")).await.unwrap().len();
        assert_eq!(listed, usize::from(logged_in), "after {polls} polls");
        assert_eq!(node.stored().await, 1, "after {polls} polls: the data is in one place");
    }
}
