//! A preset is the same however it is written.

mod common;

use std::time::Duration;

use sessions_policy::{BehaviorOnLimit, SameSite, Scope, SessionPolicy, SessionPolicyBuilder};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn presets() -> [(SessionPolicy, SessionPolicyBuilder); 6] {
    let user_default = SessionPolicy::named("user_default")
        .lasting(7 * DAY)
        .idle_timeout(HOUR / 2)
        .max_concurrent(5, BehaviorOnLimit::EvictOldest);
    let api_token = SessionPolicy::named("api_token").lasting(HOUR).via_header("X-Session-ID");
    let admin = SessionPolicy::named("admin")
        .lasting(8 * HOUR)
        .sliding()
        .idle_timeout(HOUR / 4)
        .absolute_timeout(12 * HOUR)
        .max_concurrent(1, BehaviorOnLimit::Reject)
        .cookie_samesite(SameSite::Strict);
    let on_device = |name: &str, most| {
        SessionPolicy::named(name)
            .lasting(90 * DAY)
            .idle_timeout(30 * DAY)
            .scoped_to(Scope::Device)
            .max_concurrent(most, BehaviorOnLimit::EvictOldest)
    };
    [
        (SessionPolicy::user_default(), user_default),
        (SessionPolicy::api_token(), api_token),
        (SessionPolicy::ephemeral(), SessionPolicy::named("ephemeral").not_stored()),
        (SessionPolicy::admin(), admin),
        (SessionPolicy::mobile(), on_device("mobile", 3)),
        (SessionPolicy::device(), on_device("device", 10)),
    ]
}

#[test]
fn each_preset_equals_what_the_builder_says_key_by_key() {
    for (preset, builder) in presets() {
        assert_eq!(builder.build().unwrap(), preset);
    }
}

#[test]
fn each_preset_equals_a_table_that_extends_its_own_name() {
    for (preset, _) in presets() {
        let name = preset.name();
        let text = format!("[policies.{name}]\nextends = \"{name}\"\n");
        assert_eq!(common::good(&text).policy(name), Some(&preset));
    }
}

#[test]
fn each_entry_point_begins_with_its_preset() {
    let begun = [
        SessionPolicy::for_web_users(),
        SessionPolicy::for_api_tokens(),
        SessionPolicy::for_single_requests(),
        SessionPolicy::for_admin_users(),
        SessionPolicy::for_mobile_users(),
        SessionPolicy::for_devices(),
    ];
    for (builder, (preset, _)) in begun.into_iter().zip(presets()) {
        assert_eq!(builder.build().unwrap(), preset);
    }
}

#[test]
fn the_builder_says_where_the_mistake_is_called() {
    let line = line!() + 1;
    let problems = SessionPolicy::for_web_users().idle_timeout(30 * DAY).build().unwrap_err();
    let problem = common::only(problems);
    assert_eq!(problem.rule(), "idle_over_ttl");
    let place = format!("{}:{line}:", file!());
    assert!(problem.origin().to_string().starts_with(&place), "{}", problem.origin());
}

#[test]
fn the_builder_refuses_nothing_lasting() {
    let problem = common::only(SessionPolicy::for_web_users().lasting(Duration::ZERO).build().unwrap_err());
    assert_eq!(problem.rule(), "zero_duration");
}

#[test]
fn each_call_of_the_builder_has_its_effect() {
    let policy = SessionPolicy::for_web_users()
        .named("shop")
        .no_idle_timeout()
        .rotating_every(HOUR, Duration::from_secs(5))
        .touching_every(Duration::from_secs(9))
        .remember(30 * DAY, Some(10 * DAY))
        .fresh_for(HOUR)
        .carrying_over(["cart"])
        .strict_csrf()
        .trusting_origins(["https://Pay.example:443"])
        .with_fingerprint_binding()
        .unlimited_concurrent()
        .stored_in("elsewhere")
        .via_cookie()
        .cookie_name("__Secure-shop")
        .cookie_path("/shop")
        .cookie_domain("Shop.example")
        .set("max_keys", 8)
        .build()
        .unwrap();
    assert_eq!(policy.name(), "shop");
    assert_eq!(policy.idle_timeout(), None);
    assert_eq!(policy.rotate_every(), Some(HOUR));
    assert_eq!(policy.rotation_grace(), Duration::from_secs(5));
    assert_eq!(policy.touch_every(), Some(Duration::from_secs(9)));
    let remember = policy.remember().unwrap();
    assert_eq!((remember.ttl(), remember.idle_timeout()), (30 * DAY, Some(10 * DAY)));
    assert_eq!(policy.fresh_for(), HOUR);
    assert!(policy.carry_over().carries("cart") && !policy.carry_over().carries("other"));
    assert_eq!(policy.csrf().as_str(), "strict");
    assert_eq!(policy.trusted_origins(), ["https://pay.example"]);
    assert!(policy.fingerprint_binding());
    assert_eq!(policy.concurrency().max_sessions_per_principal(), None);
    assert_eq!(policy.persistence().store_name(), "elsewhere");
    let transport = policy.transport();
    assert_eq!(transport.cookie_name(), "__Secure-shop");
    assert_eq!(transport.cookie_path(), "/shop");
    assert_eq!(transport.cookie_domain(), Some("shop.example"));
    assert_eq!(policy.max_keys(), 8);
    assert!(SessionPolicy::for_web_users().rotating_on_use().build().unwrap().rotate_on_use());
}

#[test]
fn a_later_call_overrides_an_earlier_one() {
    let policy = SessionPolicy::named("a").lasting(DAY).lasting(HOUR).build().unwrap();
    assert_eq!(policy.ttl(), HOUR);
}

#[test]
fn the_builder_names_what_it_can_not_set() {
    let problem = common::only(SessionPolicy::named("a").set("idle_timout", "1h").build().unwrap_err());
    assert_eq!(problem.suggestion(), Some("idle_timeout"));
    let problem = common::only(SessionPolicy::named("A").build().unwrap_err());
    assert_eq!(problem.rule(), "name");
}
