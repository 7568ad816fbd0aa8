//! The key ring of a running program: from its variables and its file, into force without a restart, and never shown.

use http::{Request, Response};
use sessions::{SessionEngine, SessionPrincipal};

sessions::policies! { safe: { extends: "user_default" } }

type Registry = policies::Registry;

const ONE: &str = "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const TWO: &str = "2:f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff101112131415161718191a1b1c1d1e1f";

fn given(keys: &[&str]) -> Vec<(String, String)> {
    vec![("SESSIONS_STORES__MAIN__ENCRYPTION_KEYS".to_owned(), keys.join(","))]
}

async fn set(engine: &SessionEngine, cookie: Option<&str>, key: &str) -> String {
    let mut request = Request::builder();
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let mut session = engine.resolve(&request.body(()).unwrap()).await.unwrap();
    session.set(key, "kept").unwrap();
    if cookie.is_none() {
        session.mark_authenticated(SessionPrincipal::user("ada"));
    }
    let mut response = Response::new(());
    engine.commit(&session, &mut response).await.unwrap();
    let set = response.headers().get("set-cookie").map(|line| line.to_str().unwrap());
    set.or(cookie).unwrap().split(';').next().unwrap().to_owned()
}

async fn is_readable(engine: &SessionEngine, cookie: &str, key: &str) -> bool {
    let request = Request::builder().header("cookie", cookie).body(()).unwrap();
    let session = engine.resolve(&request).await.unwrap();
    assert!(session.is_authenticated() && session.contains(key));
    session.get::<String>(key).is_ok()
}

#[tokio::test]
async fn a_key_is_rotated_while_the_program_runs() {
    let registry = Registry::builder().with_settings(None, given(&[ONE])).load().await.unwrap();
    let engine = || registry.engine::<policies::Safe>();
    let cookie = set(&engine(), None, "old").await;
    let under_way = engine();

    // Known everywhere before it is used anywhere.
    assert_eq!(registry.reload_with(None, given(&[ONE, TWO])).unwrap().policies, ["safe"]);
    assert_eq!(registry.reload_with(None, given(&[TWO, ONE])).unwrap().policies, ["safe"]);
    set(&engine(), Some(&cookie), "new").await;
    assert!(is_readable(&engine(), &cookie, "old").await && is_readable(&engine(), &cookie, "new").await);
    assert!(!is_readable(&under_way, &cookie, "new").await, "a request goes by the keys that it began with");

    registry.reload_with(None, given(&[TWO])).unwrap();
    assert!(!is_readable(&engine(), &cookie, "old").await && is_readable(&engine(), &cookie, "new").await);
    assert!(registry.reload_with(None, given(&[TWO])).unwrap().policies.is_empty());

    let refused = registry.reload_with(None, given(&[])).unwrap_err().to_string();
    assert!(refused.contains("has no key"), "{refused}");
    assert!(is_readable(&engine(), &cookie, "new").await, "nothing has changed");
}

#[tokio::test]
async fn a_key_in_the_file_is_refused_in_production() {
    let file = format!("[stores.main]\nencryption_keys = [\"{ONE}\"]\n");
    let refused = Registry::builder().with_settings(Some(&file), []).load().await.unwrap_err().to_string();
    assert!(
        refused.contains("SL090") && refused.contains("SESSIONS_STORES__MAIN__ENCRYPTION_KEYS"),
        "{refused}"
    );
    assert!(!refused.contains("0b0c0d"));
    let development = [("SESSIONS_PROFILE".to_owned(), "development".to_owned())];
    let registry = Registry::builder().with_settings(Some(&file), development).load().await.unwrap();
    let cookie = set(&registry.engine::<policies::Safe>(), None, "key").await;
    assert!(is_readable(&registry.engine::<policies::Safe>(), &cookie, "key").await);
}

#[tokio::test]
async fn no_part_of_a_running_program_shows_a_key() {
    let registry = Registry::builder().with_settings(None, given(&[ONE, TWO])).load().await.unwrap();
    let engine = registry.engine::<policies::Safe>();
    let session = engine.resolve(&Request::new(())).await.unwrap();
    let findings = (registry.findings(), registry.notes(), registry.engines());
    let shown = format!("{registry:?}{engine:?}{session:?}{findings:?}");
    for part in ["0b0c0d", "fafbfc", "[0, 1, 2", "240, 241"] {
        assert!(!shown.contains(part), "{shown}");
    }
}
