//! Consumers that end, come back, are several, or are away for too long.

use std::{collections::HashSet, time::Duration};

use super::shop::{HOUR, Server, Shop, again, take};

/// Sessions come and go while a consumer ends at every place where it can.
async fn misses_nothing_however_often_it_ends(server: Server) {
    const SESSIONS: usize = 30;
    let shop = Shop::on(&server).await;
    let coming = async {
        let mut handles = Vec::new();
        for number in 0..SESSIONS {
            handles.push(shop.come_and_go(&format!("u{number}")).await.to_string());
        }
        handles
    };
    let consuming = async {
        let (mut handled, mut times) = (Vec::new(), 0);
        let mut known = HashSet::new();
        for end in ["before", "half-way", "unacknowledged", "never", "never"].into_iter().cycle() {
            if known.len() == 3 * SESSIONS {
                break;
            }
            // Each time another process: nothing but the store remembers where it was.
            let reader = shop.reader("mail");
            let batch = again(|| reader.next(4)).await;
            let some = match end {
                "before" => 0,
                "half-way" => batch.len().div_ceil(2),
                _ => batch.len(),
            };
            for event in &batch[..some] {
                times += 1;
                if known.insert(event.id.clone()) {
                    handled.push((event.event.clone(), event.handle.clone().unwrap()));
                }
            }
            if end == "never" {
                again(|| reader.ack(&batch)).await;
            }
        }
        (handled, times)
    };
    let both = async { tokio::join!(coming, consuming) };
    let (gone, (handled, times)) = tokio::time::timeout(Duration::from_secs(120), both).await.unwrap();
    let expected: Vec<_> = gone
        .iter()
        .flat_map(|handle| {
            ["created", "authenticated", "logged_out"].map(|kind| (format!("session_{kind}"), handle.clone()))
        })
        .collect();
    assert_eq!(handled, expected, "each once, in the order in which it happened");
    assert!(times > expected.len(), "and some came again");
}

#[tokio::test]
async fn on_redis_a_consumer_misses_nothing_however_often_it_ends() {
    misses_nothing_however_often_it_ends(Server::redis()).await;
}

#[tokio::test]
async fn on_postgres_a_consumer_misses_nothing_however_often_it_ends() {
    misses_nothing_however_often_it_ends(Server::postgres().await).await;
}

async fn two_consumers_have_everything_each(server: Server) {
    let shop = Shop::on(&server).await;
    for number in 0..5 {
        shop.come_and_go(&format!("u{number}")).await;
    }
    let (mail, audit) = (shop.reader("mail"), shop.reader("audit"));
    assert_eq!(take(&mail, 15).await.len(), 15);
    shop.come_and_go("last").await;
    assert_eq!(take(&audit, 18).await.len(), 18, "also what came before it");
    assert_eq!(take(&mail, 3).await.len(), 3);
    // Another process of the same name goes on where it was acknowledged.
    assert!(shop.reader("mail").read(10).await.unwrap().is_empty());
    shop.outbox().forget("mail").await.unwrap();
    assert_eq!(take(&shop.reader("mail"), 18).await.len(), 18, "it is new");
    for name in ["", "a b", "a:b", &"x".repeat(65)] {
        assert!(shop.outbox().reader(name).is_none(), "{name}");
    }
}

#[tokio::test]
async fn on_redis_two_consumers_have_everything_each() {
    two_consumers_have_everything_each(Server::redis()).await;
}

#[tokio::test]
async fn on_postgres_two_consumers_have_everything_each() {
    two_consumers_have_everything_each(Server::postgres().await).await;
}

/// Keeps events for a moment, and has a consumer that is away for longer.
async fn what_was_missed_is_counted(server: Server) {
    let shop = Shop::on(&server).await;
    let reader = shop.reader("mail");
    shop.come_and_go("first").await;
    assert_eq!(take(&reader, 3).await.len(), 3);
    let hasty = Shop::with(server.store(Duration::from_millis(1)).await);
    for number in 0..4 {
        hasty.come_and_go(&format!("u{number}")).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        // One node that keeps events for so short frees them for all.
        server.frees_events_of(&hasty).await;
    }
    let patient = Shop::with(server.store(HOUR).await);
    patient.come_and_go("last").await;
    let mut missed = 0;
    let mut had = 0;
    while missed + had < 15 {
        let batch = reader.next(100).await.unwrap();
        missed += batch.missed();
        had += batch.len() as u64;
        reader.ack(&batch).await.unwrap();
    }
    assert!(missed >= 9 && had >= 3, "{missed} and {had}");
    assert_eq!(missed + had, 15);
    let batch = reader.read(10).await.unwrap();
    assert!(batch.is_empty() && batch.missed() == 0, "it is told once: {batch:?}");
}

#[tokio::test]
async fn on_redis_what_was_missed_is_counted() {
    what_was_missed_is_counted(Server::redis()).await;
}

#[tokio::test]
async fn on_postgres_what_was_missed_is_counted() {
    what_was_missed_is_counted(Server::postgres().await).await;
}
