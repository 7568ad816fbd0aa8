//! Where each value comes from: every layer's word, the one that holds last.

mod common;

use common::with_variables;
use sessions_policy::{
    Declaration, Entry, Layer, Literal, Location, Profile, Provenance, SourceFile, Sources,
};

const FILE: &str = "\
[policies.base]
extends = \"user_default\"
idle_timeout = \"20min\"
transport = { cookie_name = \"__Host-base\" }

[policies.shop]
extends = \"base\"
ttl = \"2h\"

[production.policies.shop]
ttl = \"1h\"

[development.policies.shop]
ttl = \"9h\"

[production.stores.main]
max_sessions = 10
";

fn chain(sources: &Sources, policy: &str, key: &str) -> Vec<String> {
    sources.explain(policy, key).unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn every_layer_is_told_from_the_default_to_the_value_that_holds() {
    let mut sources = with_variables(FILE, &[("SESSIONS_POLICIES__SHOP__TTL", "40min")]);
    let at = Location::new("src/main.rs", 7, 9);
    let entries = vec![Entry::new("ttl", Literal::text("3h"), at.clone())];
    sources.declarations = vec![Declaration { name: "shop".into(), location: at, entries: entries.into() }];
    assert_eq!(
        chain(&sources, "shop", "ttl"),
        [
            "7days (default)",
            "7days (preset `user_default`)",
            "3h (src/main.rs:7:9, code of `shop`)",
            "2h (sessions.toml:8:7, file of `shop`)",
            "1h (sessions.toml:11:7, profile of `shop`)",
            "40min (SESSIONS_POLICIES__SHOP__TTL)",
        ]
    );
    let explained = sources.explain("shop", "ttl").unwrap();
    let holding: Vec<bool> = explained.iter().map(Provenance::holds).collect();
    assert_eq!(holding, [false, false, false, false, false, true]);
    let layers: Vec<Layer> = explained.iter().map(Provenance::layer).collect();
    assert!(layers.is_sorted());
    sources.profile = Profile::Development;
    assert!(
        chain(&sources, "shop", "ttl").contains(&"9h (sessions.toml:14:7, profile of `shop`)".to_owned())
    );
}

#[test]
fn the_value_that_holds_is_that_of_the_policy() {
    let sources = with_variables(FILE, &[("SESSIONS_POLICIES__SHOP__TTL", "10min")]);
    let configuration = sources.check().unwrap();
    let shop = configuration.policy("shop").unwrap();
    assert_eq!(shop.idle_timeout().map(|idle| idle.as_secs()), Some(600));
    assert_eq!(
        chain(&sources, "shop", "idle_timeout"),
        [
            "30min (preset `user_default`)",
            "20min (sessions.toml:3:16, file of `base`)",
            "10min (SESSIONS_POLICIES__SHOP__TTL, gave way)",
        ]
    );
}

#[test]
fn what_is_not_handed_on_is_not_told() {
    let sources = with_variables(FILE, &[]);
    assert_eq!(chain(&sources, "shop", "transport.cookie_name"), ["__Host-Http-shop (default)"]);
    let base = chain(&sources, "base", "transport.cookie_name");
    assert_eq!(base[1], "__Host-base (sessions.toml:4:29, file of `base`)");
}

#[test]
fn a_store_is_explained_too() {
    let sources = with_variables(FILE, &[("SESSIONS_STORES__MAIN__MAX_SESSIONS", "5")]);
    let told: Vec<String> =
        sources.explain_store("main", "max_sessions").unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "100000 (default)",
            "10 (sessions.toml:17:16, profile of `main`)",
            "5 (SESSIONS_STORES__MAIN__MAX_SESSIONS)"
        ]
    );
    assert!(sources.explain_store("mian", "max_sessions").is_none());
}

#[test]
fn what_is_not_there_has_no_explanation_and_what_is_broken_elsewhere_does_not_matter() {
    let file =
        SourceFile { name: "sessions.toml".into(), text: format!("{FILE}\n[policies.bad]\nttl = 1\n") };
    let sources = Sources { file: Some(file), ..Sources::default() };
    assert!(sources.explain("shopp", "ttl").is_none());
    assert!(sources.explain("shop", "tll").is_none());
    assert_eq!(chain(&sources, "shop", "ttl").len(), 4);
    assert_eq!(chain(&sources, "bad", "ttl"), ["7days (default)"]);
    let circle = "[policies.a]\nextends = 'b'\nttl = '1h'\n[policies.b]\nextends = 'a'\nttl = '2h'\n";
    assert_eq!(
        chain(&with_variables(circle, &[]), "a", "ttl").last().unwrap(),
        "1h (sessions.toml:3:7, file of `a`)"
    );
}
