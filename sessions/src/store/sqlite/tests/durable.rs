//! What was acknowledged is there after the file was opened again.

use super::*;

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let directory = Directory::new();
    let (user, revoked) = (owner(1), owner(2));
    let store = directory.open().await;
    store.create(anonymous(1), NOW).await;
    assert!(matches!(store.cas(change(anonymous(1), 1, NOW + 1)).await.unwrap(), CasOutcome::Stored));
    for number in 0..3 {
        store.log_in(of(user, number), user, NOW).await;
    }
    store.end(end_one(of(user, 1), EndReason::LoggedOut, NOW)).await.unwrap();
    store.log_in(of(revoked, 7), revoked, NOW).await;
    store.end(end_all(revoked, NOW + 5)).await.unwrap();
    let touch = Touch { id: of(user, 2), owner: None, seen: NOW + 9, expires: NOW + 2 * HOUR };
    assert_eq!(store.touch(touch).await.unwrap(), Touched::Noted);
    store.shutdown().await.unwrap();

    let store = directory.open().await;
    let now = NOW + 10;
    assert_eq!(store.look(anonymous(1), now).await, Look::Live(2, NOW + 1));
    assert_eq!(store.ids_of(user, now).await, [of(user, 0), of(user, 2)]);
    assert_eq!(store.look(of(user, 1), now).await, Look::Ended(EndReason::LoggedOut));
    assert_eq!(store.look(of(user, 2), NOW + HOUR).await, Look::Live(1, NOW + 9));
    let began = Admit { began: stamp(NOW + 4), ..login(of(revoked, 8), revoked, now) };
    assert_eq!(store.admit(began).await.unwrap(), Admitted::Revoked);
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.sessions, stats.principals), (3, 1));
}
