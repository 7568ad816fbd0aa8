//! The bearer token (RFC 6750).

use super::*;

#[tokio::test]
async fn a_bearer_lives_a_whole_session() {
    let server = Server::start().await;
    let first = server.send("/api/visit", &[]).await;
    first.expect(200, "1");
    let visitor = first.id("x-api").unwrap();
    assert!(first.headers["x-api"].is_sensitive());
    assert_eq!(first.all("vary"), ["authorization"]);
    assert_eq!(first.all("cache-control"), ["no-store"]);
    assert_eq!(first.cookie(), None);

    let login = server.send("/api/login", &[("authorization", &bearer(&visitor))]).await;
    let id = login.id("x-api").unwrap();
    assert_ne!(id, visitor, "a login changes the id");
    let me = server.send("/api/me", &[("authorization", &bearer(&id))]).await;
    assert_eq!(me.expect(200, "ada").id("x-api"), None, "nothing has changed");
    server.send("/api/visit", &[("authorization", &format!("bEaReR  {id}"))]).await.expect(200, "2");

    let rotated = server.send("/api/rotate", &[("authorization", &bearer(&id))]).await;
    let next = rotated.id("x-api").unwrap();
    let stale = server.send("/api/me", &[("authorization", &bearer(&id))]).await;
    stale.expect_refusal(Fault::Required);

    let left = server.send("/api/logout", &[("authorization", &bearer(&next))]).await;
    assert_eq!(left.expect(200, "logged out").id("x-api"), None);
    let gone = server.send("/api/me", &[("authorization", &bearer(&next))]).await;
    gone.expect_refusal(Fault::Required);
}

#[tokio::test]
async fn a_refusal_says_what_rfc_6750_says() {
    let server = Server::start().await;
    let nothing = server.send("/api/me", &[]).await;
    assert_eq!(nothing.expect_refusal(Fault::Required).all("www-authenticate"), ["Bearer"]);
    assert_eq!(nothing.all("vary"), ["authorization"]);
    let wrong = server.send("/api/me", &[("authorization", "Bearer nonsense")]).await;
    let challenges = wrong.expect_refusal(Fault::Required).all("www-authenticate");
    assert_eq!(challenges, ["Bearer error=\"invalid_token\""]);
    let id = server.send("/api/login", &[]).await.id("x-api").unwrap();
    let poor = server.send("/api/office", &[("authorization", &bearer(&id))]).await;
    let challenges = poor.expect_refusal(Fault::Forbidden).all("www-authenticate");
    assert_eq!(challenges, ["Bearer error=\"insufficient_scope\""]);
    server.store.set_down(true);
    let down = server.send("/api/me", &[("authorization", &bearer(&id))]).await;
    assert!(down.expect_refusal(Fault::StoreUnavailable).all("www-authenticate").is_empty());
}

#[tokio::test]
async fn two_lines_are_refused_before_the_store_is_asked() {
    let server = Server::start().await;
    let id = server.send("/api/login", &[]).await.id("x-api").unwrap();
    server.store.take_counts();
    let good = bearer(&id);
    for second in [good.as_str(), "Bearer other", "Basic dTpw", ""] {
        for path in ["/api/visit", "/api/me", "/api/login"] {
            let fields = [("authorization", good.as_str()), ("authorization", second)];
            let refused = server.send(path, &fields).await;
            let challenges = refused.expect_refusal(Fault::Contradictory).all("www-authenticate");
            assert_eq!(challenges, ["Bearer error=\"invalid_request\""]);
            assert_eq!(refused.id("x-api"), None);
        }
    }
    assert_eq!(server.store.take_counts().totals(), (0, 0));
    server.send("/api/me", &[("authorization", &good)]).await.expect(200, "ada");
}

#[tokio::test]
async fn nothing_malformed_reaches_the_store() {
    let server = Server::start().await;
    let id = server.send("/api/login", &[]).await.id("x-api").unwrap();
    server.store.take_counts();
    for value in [
        "Bearer".to_owned(),
        format!("Bearer\t{id}"),
        format!("Bearer {id},{id}"),
        format!("Bearer \"{id}\""),
        format!("Bearer {id}="),
        format!("Bearer {}", id.repeat(2_000)),
        format!("Basic {id}"),
        id.clone(),
    ] {
        server.send("/api/me", &[("authorization", &value)]).await.expect_refusal(Fault::Required);
    }
    for (field, value) in [("x-api", id.clone()), ("cookie", format!("__Host-Http-api={id}"))] {
        server.send("/api/me", &[(field, &value)]).await.expect_refusal(Fault::Required);
    }
    let query = format!("/api/me?access_token={id}");
    server.send(&query, &[]).await.expect_refusal(Fault::Required);
    assert_eq!(server.store.take_counts().totals(), (0, 0));
}

#[tokio::test]
async fn no_cross_site_rule_applies_to_what_no_browser_sends_by_itself() {
    let server = Server::start().await;
    let id = server.send("/api/login", &[("sec-fetch-site", "cross-site")]).await.id("x-api").unwrap();
    let fields = [("authorization", &*bearer(&id)), ("sec-fetch-site", "cross-site")];
    server.send("/api/me", &fields).await.expect(200, "ada");
}
