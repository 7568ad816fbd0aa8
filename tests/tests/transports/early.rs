//! Early data of TLS (RFC 8470): whoever is on the way can send it once more.

use super::*;

#[tokio::test]
async fn an_unsafe_request_in_early_data_is_refused_before_the_store_is_asked() {
    let server = Server::start().await;
    let id = server.send("/api/login", &[]).await.id("x-api").unwrap();
    let cookie = server.send("/both/visit", &[]).await.cookie().unwrap();
    server.store.take_counts();
    // A value that is none, and a second line, count as 1 (5.1).
    for early in [&["1"][..], &["0"], &[""], &["1", "1"]] {
        let early = early.iter().map(|value| ("early-data", *value)).collect::<Vec<_>>();
        for (path, credential) in [
            ("/api/me", Some(("authorization", bearer(&id)))),
            ("/both/visit", Some(("cookie", cookie.clone()))),
            ("/both/login", None),
        ] {
            let mut fields = early.clone();
            fields.extend(credential.as_ref().map(|(name, value)| (*name, value.as_str())));
            let refused = server.send(path, &fields).await;
            assert_eq!(refused.expect_refusal(Fault::TooEarly).status, 425, "{path}");
            assert_eq!((refused.cookie(), refused.id("x-api")), (None, None));
        }
    }
    assert_eq!(server.store.take_counts().totals(), (0, 0));
    let fields = [("early-data", "1"), ("cookie", &*cookie)];
    server.ask("GET", "/both/visit", &fields).await.expect(200, "2");
    server.send("/api/me", &[("authorization", &bearer(&id))]).await.expect(200, "ada");
}

#[tokio::test]
async fn another_site_is_refused_as_such_also_in_early_data() {
    let server = Server::start().await;
    let fields = [("early-data", "1"), ("sec-fetch-site", "cross-site")];
    server.send("/both/visit", &fields).await.expect_refusal(Fault::CrossSite);
}

#[tokio::test]
async fn a_refusal_for_early_data_is_told() {
    let server = Server::start().await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    server.registry.on_event(move |event| drop(tell.send(event.clone())));
    server.send("/api/login", &[("early-data", "1")]).await.expect_refusal(Fault::TooEarly);
    let event = told.recv().await.unwrap();
    assert_eq!((event.fault, event.reason), (Some(Fault::TooEarly), Some("early_data")));
}
