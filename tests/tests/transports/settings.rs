//! Carriers are settings like any other: a variable overrides them, and what contradicts them gives way.

use super::*;

#[tokio::test]
async fn variables_choose_the_carriers() {
    let server = Server::with(&[
        ("SESSIONS_POLICIES__API__TRANSPORT__ADAPTER", "composite"),
        ("SESSIONS_POLICIES__API__TRANSPORT__ORDER", "bearer,cookie"),
        ("SESSIONS_POLICIES__BOTH__TRANSPORT__ADAPTER", "bearer"),
    ])
    .await;
    let id = server.send("/api/login", &[]).await.id("x-api").unwrap();
    let cookie = format!("__Host-Http-api={id}");
    server.send("/api/me", &[("cookie", &cookie)]).await.expect(200, "ada");

    let login = server.send("/both/login", &[]).await;
    assert_eq!(login.cookie(), None);
    let cookie = format!("__Host-Http-both={}", login.id("x-both").unwrap());
    server.send("/both/me", &[("cookie", &cookie)]).await.expect_refusal(Fault::Required);
}

#[tokio::test]
async fn carriers_need_a_restart() {
    let server = Server::start().await;
    for (name, value) in [
        ("SESSIONS_POLICIES__BOTH__TRANSPORT__ORDER", "bearer,cookie"),
        ("SESSIONS_POLICIES__API__TRANSPORT__ADAPTER", "cookie"),
    ] {
        let refused = server.registry.reload_with(Some(FILE), [(name.to_owned(), value.to_owned())]);
        let told = refused.unwrap_err().to_string();
        assert!(told.contains("can't change from"), "{told}");
        assert_eq!(told.matches("error:").count(), 1, "{told}");
    }
}
