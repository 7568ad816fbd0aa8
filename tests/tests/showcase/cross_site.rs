//! Requests that another site's page makes with the browser's cookies.

use serde_json::json;

use crate::{ada, program::Showcase};

#[test]
fn unsafe_requests_of_other_sites_are_refused_and_end_nothing() {
    let shop = Showcase::start();
    let mut browser = ada(&shop);
    let own = format!("http://{}", shop.address);
    let other = "https://evil.example";
    for (headers, allowed) in [
        (vec![("Sec-Fetch-Site", "same-origin")], true),
        (vec![("Sec-Fetch-Site", "none")], true),
        (vec![("Sec-Fetch-Site", "same-site")], false),
        (vec![("Sec-Fetch-Site", "cross-site")], false),
        (vec![("Sec-Fetch-Site", "nonsense")], false),
        (vec![("Sec-Fetch-Site", "cross-site"), ("Origin", own.as_str())], false),
        (vec![("Sec-Fetch-Site", "same-origin"), ("Origin", own.as_str())], true),
        (vec![("Origin", own.as_str())], true),
        (vec![("Origin", other)], false),
        (vec![("Origin", "null")], false),
        (vec![("Origin", other), ("X-HTTP-Method-Override", "GET")], false),
        (vec![], true),
    ] {
        let reply = browser.send("POST", "/visits", &headers, None);
        if allowed {
            reply.expect_status(200);
        } else {
            reply.expect_problem(403, "SESSION_CROSS_SITE").expect_no_cookie();
        }
    }
    for path in ["/logout", "/sessions/revoke-all", "/rotate"] {
        let reply = browser.send("POST", path, &[("Sec-Fetch-Site", "cross-site")], None);
        reply.expect_problem(403, "SESSION_CROSS_SITE").expect_no_cookie();
    }
    browser.expect_logged_in("u1");
    let linked = browser.send("GET", "/profile", &[("Sec-Fetch-Site", "cross-site")], None);
    linked.expect_status(200);
}

#[test]
fn a_login_from_another_site_is_refused() {
    let shop = Showcase::start();
    let form = json!({ "email": "ada@example.com", "password": "analytical-engine" });
    let reply = shop.browser().send("POST", "/login", &[("Sec-Fetch-Site", "cross-site")], Some(&form));
    reply.expect_problem(403, "SESSION_CROSS_SITE").expect_no_cookie();
}

#[test]
fn a_strict_policy_asks_for_evidence() {
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__CSRF", "strict")]);
    shop.browser().post("/visits").expect_problem(403, "SESSION_CROSS_SITE").expect_no_cookie();
    let reply = shop.browser().send("POST", "/visits", &[("Sec-Fetch-Site", "same-origin")], None);
    reply.expect_status(200);
    shop.browser().get("/").expect_status(200);
}

#[test]
fn trusted_origins_may_write() {
    let partner = "https://partner.example";
    let shop = Showcase::with(&[("SESSIONS_POLICIES__USER_DEFAULT__TRUSTED_ORIGINS", partner)]);
    let headers = [("Sec-Fetch-Site", "cross-site"), ("Origin", partner)];
    shop.browser().send("POST", "/visits", &headers, None).expect_status(200);
    let headers = [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://partner.example.evil")];
    let reply = shop.browser().send("POST", "/visits", &headers, None);
    reply.expect_problem(403, "SESSION_CROSS_SITE");
}

#[test]
fn what_no_browser_sends_by_itself_needs_no_such_rule() {
    let shop = Showcase::start();
    let form = json!({ "email": "ada@example.com", "password": "analytical-engine" });
    let headers = [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")];
    shop.browser().send("POST", "/api/token", &headers, Some(&form)).expect_status(200);
}
