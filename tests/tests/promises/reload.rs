//! New settings for a running program: all at once for the next request, or not at all.

use std::time::Duration;

use http::{Request, Response};
use sessions::{LoadError, Session, SessionEngine, SessionPrincipal, testing::ManualClock};

sessions::policies! {
    web: { extends: "user_default" },
    desk: { extends: "user_default" },
}

type Registry = policies::Registry;

async fn registry(clock: &ManualClock) -> Registry {
    Registry::builder().clock(clock.shared()).with_settings(None, []).load().await.unwrap()
}

fn given(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A cookie of a session in which Ada has logged in.
async fn log_in(engine: &SessionEngine) -> String {
    let mut session = engine.resolve(&Request::new(())).await.unwrap();
    session.mark_authenticated(SessionPrincipal::user("ada"));
    let mut response = Response::new(());
    engine.commit(&session, &mut response).await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn resolve(engine: &SessionEngine, cookie: &str) -> Session {
    engine.resolve(&Request::builder().header("cookie", cookie).body(()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_shortened_lifetime_holds_for_living_sessions_from_the_next_request_on() {
    let clock = ManualClock::default();
    let registry = registry(&clock).await;
    let cookie = log_in(&registry.engine::<policies::Web>()).await;
    clock.advance(Duration::from_secs(600));
    let shorter = given(&[("SESSIONS_POLICIES__WEB__IDLE_TIMEOUT", "5min")]);
    let reloaded = registry.reload_with(None, shorter).unwrap();
    assert_eq!(reloaded.policies, ["web"]);
    assert!(!resolve(&registry.engine::<policies::Web>(), &cookie).await.is_authenticated());
}

const THREE: (&str, &str) = ("SESSIONS_POLICIES__WEB__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL", "3");
const REJECT: (&str, &str) = ("SESSIONS_POLICIES__WEB__CONCURRENCY__BEHAVIOR_ON_LIMIT", "reject");
const SHORTER: (&str, &str) = ("SESSIONS_POLICIES__WEB__IDLE_TIMEOUT", "5min");

#[tokio::test]
async fn what_a_shortened_lifetime_ended_does_not_count_against_the_limit() {
    let clock = ManualClock::default();
    let builder = Registry::builder().clock(clock.shared()).with_settings(None, given(&[THREE, REJECT]));
    let registry = builder.load().await.unwrap();
    for _ in 0..3 {
        log_in(&registry.engine::<policies::Web>()).await;
    }
    clock.advance(Duration::from_secs(600));
    registry.reload_with(None, given(&[THREE, REJECT, SHORTER])).unwrap();
    let engine = registry.engine::<policies::Web>();
    log_in(&engine).await;
    assert_eq!(engine.sessions_of(&SessionPrincipal::user("ada")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_shortened_lifetime_ended_goes_before_a_session_in_use() {
    let clock = ManualClock::default();
    let builder = Registry::builder().clock(clock.shared()).with_settings(None, given(&[THREE]));
    let registry = builder.load().await.unwrap();
    let engine = registry.engine::<policies::Web>();
    let oldest = log_in(&engine).await;
    for _ in 0..2 {
        log_in(&engine).await;
    }
    clock.advance(Duration::from_secs(600));
    let used = resolve(&engine, &oldest).await;
    engine.commit(&used, &mut Response::new(())).await.unwrap();
    registry.reload_with(None, given(&[THREE, SHORTER])).unwrap();
    let engine = registry.engine::<policies::Web>();
    log_in(&engine).await;
    assert!(resolve(&engine, &oldest).await.is_authenticated());
}

#[tokio::test]
async fn the_profile_does_not_change() {
    let registry = registry(&ManualClock::default()).await;
    let weak = ("SESSIONS_POLICIES__WEB__IDLE_TIMEOUT", "off");
    let other = given(&[weak, ("SESSIONS_PROFILE", "development")]);
    assert!(matches!(registry.reload_with(None, other), Err(LoadError::Profile { .. })));
    assert!(matches!(registry.reload_with(None, given(&[weak])), Err(LoadError::Configuration(_))));
}

#[tokio::test]
async fn a_request_under_way_ends_by_the_settings_that_it_began_with() {
    let clock = ManualClock::default();
    let registry = registry(&clock).await;
    let engine = registry.engine::<policies::Web>();
    let cookie = log_in(&engine).await;
    let mut under_way = resolve(&engine, &cookie).await;
    registry.reload_with(None, given(&[("SESSIONS_POLICIES__WEB__MAX_KEYS", "1")])).unwrap();
    for key in ["a", "b"] {
        under_way.set(key, 1).unwrap();
    }
    engine.commit(&under_way, &mut Response::new(())).await.unwrap();
    let mut next = resolve(&registry.engine::<policies::Web>(), &cookie).await;
    next.set("c", 1).unwrap();
    let refused = registry.engine::<policies::Web>().commit(&next, &mut Response::new(())).await;
    assert_eq!(refused.unwrap_err().fault(), sessions::Fault::TooLarge);
}

#[tokio::test]
async fn wrong_settings_change_nothing() {
    let clock = ManualClock::default();
    let registry = registry(&clock).await;
    let before = registry.engine::<policies::Web>().policy().clone();
    let wrong =
        given(&[("SESSIONS_POLICIES__WEB__IDLE_TIMEOUT", "5min"), ("SESSIONS_POLICIES__WEB__TTL", "soon")]);
    let Err(LoadError::Configuration(problems)) = registry.reload_with(None, wrong) else {
        panic!("accepted")
    };
    assert_eq!(problems.len(), 1);
    assert_eq!(registry.engine::<policies::Web>().policy(), &before);
}

#[tokio::test]
async fn what_needs_a_restart_says_so_and_changes_nothing() {
    let clock = ManualClock::default();
    let registry = registry(&clock).await;
    let moved = given(&[
        ("SESSIONS_POLICIES__WEB__TTL", "1h"),
        ("SESSIONS_POLICIES__DESK__TRANSPORT__ADAPTER", "header"),
    ]);
    let error = registry.reload_with(None, moved).unwrap_err();
    let LoadError::NeedsRestart(notes) = &error else { panic!("{error}") };
    assert_eq!(notes[0].key(), "policies.desk.transport.adapter");
    assert!(error.to_string().contains("SESSIONS_POLICIES__DESK__TRANSPORT__ADAPTER"), "{error}");
    assert_eq!(registry.engine::<policies::Web>().policy().ttl(), Duration::from_secs(7 * 86_400));
}

#[tokio::test]
async fn an_engine_of_earlier_settings_still_ends_sessions_of_every_policy() {
    let clock = ManualClock::default();
    let registry = registry(&clock).await;
    let (web, desk) = (registry.engine::<policies::Web>(), registry.engine::<policies::Desk>());
    let cookies = (log_in(&web).await, log_in(&desk).await);
    registry.reload_with(None, given(&[("SESSIONS_POLICIES__DESK__TTL", "1h")])).unwrap();
    registry.reload_with(None, given(&[("SESSIONS_POLICIES__WEB__TTL", "1h")])).unwrap();
    drop(desk);
    assert_eq!(web.revoke_all(&SessionPrincipal::user("ada")).await.unwrap(), 2);
    assert!(!resolve(&registry.engine::<policies::Web>(), &cookies.0).await.is_authenticated());
    assert!(!resolve(&registry.engine::<policies::Desk>(), &cookies.1).await.is_authenticated());
}

#[tokio::test]
async fn limits_and_listeners_go_on_over_a_reload() {
    let clock = ManualClock::default();
    let registry = registry(&clock).await;
    let (sender, heard) = std::sync::mpsc::channel();
    registry.on_event(move |event| {
        let _ = sender.send(event.kind);
    });
    let first = log_in(&registry.engine::<policies::Web>()).await;
    let one = given(&[("SESSIONS_POLICIES__WEB__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL", "1")]);
    registry.reload_with(None, one).unwrap();
    log_in(&registry.engine::<policies::Web>()).await;
    assert!(!resolve(&registry.engine::<policies::Web>(), &first).await.is_authenticated(), "evicted");
    let evicted = std::iter::from_fn(|| heard.recv_timeout(Duration::from_secs(2)).ok());
    assert!(evicted.take(20).any(|kind| kind == sessions::EventKind::Evicted));
}

#[tokio::test]
async fn what_the_application_says_of_principals_stays() {
    let clock = ManualClock::default();
    let limit = |_: &SessionPrincipal| sessions::PrincipalLimit::AtMost(std::num::NonZeroU32::MIN);
    let builder = Registry::builder().clock(clock.shared()).with_settings(None, given(&[THREE]));
    let registry = builder.limit::<policies::Web>(limit).load().await.unwrap();
    registry.reload_with(None, given(&[THREE, SHORTER])).unwrap();
    let (web, desk) = (registry.engine::<policies::Web>(), registry.engine::<policies::Desk>());
    for _ in 0..3 {
        log_in(&web).await;
        log_in(&desk).await;
    }
    let listed = web.sessions_of(&SessionPrincipal::user("ada")).await.unwrap();
    let of = |policy: &str| listed.iter().filter(|info| info.policy == policy).count();
    assert_eq!((of("web"), of("desk")), (1, 3));
}
