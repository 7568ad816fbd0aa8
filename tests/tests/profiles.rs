//! A registry judges its settings under their profile.

#![allow(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

use sessions::{LoadError, Profile, lint::Severity};

sessions::policies! { shop: { extends: "user_default" } }

type Registry = policies::Registry;

async fn load(variables: &[(&str, &str)]) -> Result<Registry, LoadError> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Registry::builder().with_settings(None, variables).load().await
}

fn told(registry: &Registry) -> Vec<(&'static str, Severity)> {
    registry.findings().iter().map(|finding| (finding.lint().id(), finding.severity())).collect()
}

const WEAKER: (&str, &str) = ("SESSIONS_POLICIES__SHOP__IDLE_TIMEOUT", "off");

#[tokio::test]
async fn production_is_the_default_and_tells_what_it_accepts() {
    let registry = load(&[]).await.unwrap();
    assert_eq!(registry.profile(), Profile::Production);
    assert_eq!(told(&registry), [("SL070", Severity::Warning)]);
}

#[tokio::test]
async fn production_refuses_what_a_variable_weakens() {
    let Err(LoadError::Configuration(problems)) = load(&[WEAKER]).await else { panic!("it was accepted") };
    let problem = problems.iter().next().unwrap();
    assert_eq!((problem.lint().id(), problem.origin().to_string().as_str()), ("SL094", WEAKER.0));
}

#[tokio::test]
async fn development_accepts_and_tells_it() {
    let registry = load(&[WEAKER, ("SESSIONS_PROFILE", "development")]).await.unwrap();
    assert_eq!(registry.profile(), Profile::Development);
    assert_eq!(told(&registry), [("SL094", Severity::Warning)]);
}

#[tokio::test]
async fn a_profile_that_is_none_is_refused() {
    assert!(matches!(load(&[("SESSIONS_PROFILE", "test")]).await, Err(LoadError::Configuration(_))));
    // It comes with all that is wrong beside it, and in quotes, so that a space shows.
    let refused =
        load(&[("SESSIONS_PROFILE", "prod "), ("SESSIONS_WEB", "1")]).await.unwrap_err().to_string();
    assert!(
        refused.contains("error[SL093]: SESSIONS_PROFILE: ") && refused.contains("(\"prod \")"),
        "{refused}"
    );
    assert!(
        refused.contains("did you mean `production`?") && refused.contains("`SESSIONS_WEB`"),
        "{refused}"
    );
}

mod peers {
    use axum::{Router, body::Body, http::Request, routing::get};
    use sessions::{Peer, Session, session};
    use tower::ServiceExt;

    use super::policies;

    #[session(policy = "shop")]
    async fn visit(_session: Session) {}

    /// The status of a request from a peer, to a host.
    async fn status(profile: &str, host: &str, peer: [u8; 4]) -> u16 {
        let registry = super::load(&[("SESSIONS_PROFILE", profile)]).await.unwrap();
        let router = Router::new().route("/", get(visit)).layer(registry.layer());
        let request = Request::get("/").header("host", host).extension(Peer(peer.into()));
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn development_serves_this_machine_alone() {
        assert_eq!(status("development", "127.0.0.1:3000", [127, 0, 0, 1]).await, 200);
        assert_eq!(status("development", "127.0.0.1:3000", [10, 0, 0, 7]).await, 403);
        assert_eq!(status("development", "shop.example", [127, 0, 0, 1]).await, 403);
        assert_eq!(status("production", "shop.example", [10, 0, 0, 7]).await, 200);
    }
}
