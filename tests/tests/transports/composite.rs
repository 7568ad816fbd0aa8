//! Several carriers of one policy: contradictions are refused, and the answer goes to the one that asked.

use sessions::EventKind;

use super::*;

const COOKIE: &str = "__Host-Http-both";

#[tokio::test]
async fn the_answer_goes_to_the_carrier_that_asked() {
    let server = Server::start().await;
    let by_cookie = server.send("/both/login", &[]).await;
    assert_eq!(by_cookie.id("x-both"), None, "the first of the order answers whom it doesn't know");
    let cookie = by_cookie.cookie().unwrap();
    assert!(cookie.starts_with(COOKIE));
    let by_program = server.send("/both/login-by-program", &[]).await;
    assert_eq!(by_program.cookie(), None);
    let id = by_program.id("x-both").unwrap();

    let rotated = server.send("/both/rotate", &[("cookie", &cookie)]).await;
    assert_eq!(rotated.id("x-both"), None);
    let cookie = rotated.cookie().unwrap();
    let rotated = server.send("/both/rotate", &[("authorization", &bearer(&id))]).await;
    assert_eq!(rotated.cookie(), None);
    let id = rotated.id("x-both").unwrap();

    let left = server.send("/both/logout", &[("authorization", &bearer(&id))]).await;
    assert_eq!((left.cookie(), left.id("x-both")), (None, None), "no cookie is removed that nobody sent");
    let left = server.send("/both/logout", &[("cookie", &cookie)]).await;
    assert_eq!(left.cookie().as_deref(), Some("__Host-Http-both="));
}

#[tokio::test]
async fn no_id_of_a_cookie_leaves_by_a_header() {
    let server = Server::start().await;
    let cookie = server.send("/both/visit", &[]).await.cookie().unwrap();
    // The handler asks for the bearer; the client came with a cookie.
    let login = server.send("/both/login-by-program", &[("cookie", &cookie)]).await;
    assert_eq!(login.id("x-both"), None, "{login:?}");
    assert!(login.cookie().is_some());
}

#[tokio::test]
async fn contradictory_credentials_are_refused_and_nothing_is_guessed() {
    let server = Server::start().await;
    let mut duplicates = server.registry.subscribe(64, |kind| kind == EventKind::Duplicate);
    let cookie = server.send("/both/login", &[]).await.cookie().unwrap();
    let id = server.send("/both/login-by-program", &[]).await.id("x-both").unwrap();
    server.store.take_counts();
    let twice = format!("{cookie}; {COOKIE}={id}");
    for (cookie, authorization) in [
        (cookie.as_str(), bearer(&id)),
        (cookie.as_str(), "Bearer nonsense".to_owned()),
        ("__Host-Http-both=nonsense", bearer(&id)),
        ("__Host-Http-both=nonsense", "Bearer nonsense".to_owned()),
        (twice.as_str(), bearer(&id)),
    ] {
        for path in ["/both/visit", "/both/me", "/both/logout", "/both/login"] {
            let refused = server.send(path, &[("cookie", cookie), ("authorization", &authorization)]).await;
            refused.expect_refusal(Fault::Contradictory);
            assert_eq!((refused.cookie(), refused.id("x-both")), (None, None), "{refused:?}");
            assert_eq!(refused.all("www-authenticate"), ["Bearer error=\"invalid_request\""]);
            assert_eq!(refused.all("vary"), ["cookie", "authorization"]);
        }
    }
    assert_eq!(server.store.take_counts().totals(), (0, 0), "the store is not asked");
    let event = duplicates.recv().await.unwrap();
    assert_eq!(event.fault, Some(Fault::Contradictory));
    server.send("/both/me", &[("cookie", &cookie)]).await.expect(200, "ada");
    server.send("/both/me", &[("authorization", &bearer(&id))]).await.expect(200, "ada");
}

#[tokio::test]
async fn who_presents_the_same_twice_is_answered_twice() {
    let server = Server::start().await;
    let id = server.send("/both/login-by-program", &[]).await.id("x-both").unwrap();
    let cookie = format!("{COOKIE}={id}");
    let fields = [("cookie", cookie.as_str()), ("authorization", &*bearer(&id))];
    let rotated = server.send("/both/rotate", &fields).await;
    let (cookie, next) = (rotated.cookie().unwrap(), rotated.id("x-both").unwrap());
    assert_eq!(id_of(&cookie), next, "or its next request would contradict itself");
    assert_ne!(next, id);
}

#[tokio::test]
async fn another_scheme_beside_a_cookie_is_no_contradiction() {
    let server = Server::start().await;
    let cookie = server.send("/both/login", &[]).await.cookie().unwrap();
    let fields = [("cookie", cookie.as_str()), ("authorization", "Basic dTpw")];
    server.send("/both/me", &fields).await.expect(200, "ada");
}

#[tokio::test]
async fn cross_site_rules_are_for_what_came_by_cookie() {
    let server = Server::start().await;
    let cookie = server.send("/both/login", &[]).await.cookie().unwrap();
    let id = server.send("/both/login-by-program", &[]).await.id("x-both").unwrap();
    let elsewhere = ("sec-fetch-site", "cross-site");
    let (by_cookie, by_bearer) = (("cookie", cookie.as_str()), bearer(&id));
    let by_bearer = ("authorization", by_bearer.as_str());
    server.store.take_counts();
    server.send("/both/visit", &[by_cookie, elsewhere]).await.expect_refusal(Fault::CrossSite);
    server.send("/both/login", &[elsewhere]).await.expect_refusal(Fault::CrossSite);
    server.send("/both/login-by-program", &[elsewhere]).await.expect_refusal(Fault::CrossSite);
    assert_eq!(server.store.take_counts().totals(), (0, 0));
    server.send("/both/visit", &[by_bearer, elsewhere]).await.expect(200, "1");
    let same = format!("{COOKIE}={id}");
    let both = server.send("/both/visit", &[("cookie", &same), by_bearer, elsewhere]).await;
    both.expect_refusal(Fault::CrossSite);
}

#[tokio::test]
async fn a_refusal_names_the_schemes_that_would_do() {
    let server = Server::start().await;
    let nobody = server.send("/both/me", &[]).await;
    let challenges = nobody.expect_refusal(Fault::Required).all("www-authenticate");
    assert_eq!(challenges, ["Session", "Bearer"]);
    let program = server.send("/both/me", &[("authorization", "Bearer nonsense")]).await;
    let challenges = program.expect_refusal(Fault::Required).all("www-authenticate");
    assert_eq!(challenges, ["Bearer error=\"invalid_token\""]);
    let browser = server.send("/both/me", &[("cookie", "__Host-Http-both=nonsense")]).await;
    assert_eq!(browser.expect_refusal(Fault::Required).all("www-authenticate"), ["Session"]);
}

#[tokio::test]
async fn a_carrier_that_the_policy_does_not_name_answers_nobody() {
    let server = Server::start().await;
    let refused = server.send("/device/login-by-program", &[]).await;
    assert_eq!(refused.status, 500, "{refused:?}");
    assert_eq!((refused.cookie(), refused.id("x-session-id")), (None, None));
}
