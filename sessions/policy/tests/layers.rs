//! Which source wins, what gives way to what, and where each value is said to come from.

mod common;

use std::time::Duration;

use common::{bad, checked, file, good, only, with_variables};
use sessions_policy::{Declaration, Entry, Literal, Location, Origin, Profile, Sources, Stage, StoreKind};

const SECOND: Duration = Duration::from_secs(1);

fn location(line: u32) -> Location {
    Location::new("src/main.rs", line, 5)
}

fn declared(name: &'static str, entries: &[(&'static str, &'static str)]) -> Declaration {
    let entries = entries.iter().enumerate().map(|(index, (key, text))| {
        let line = 2 + u32::try_from(index).expect("a few entries");
        Entry::new(key, Literal::text(text), location(line))
    });
    Declaration { name: name.into(), location: location(1), entries: entries.collect() }
}

#[test]
fn each_layer_overrides_the_one_below() {
    let text = "[policies.p]\nidle_timeout = '3s'\nfresh_for = '3s'\ntouch_every = '1s'\n\
                [production.policies.p]\nfresh_for = '4s'\ntouch_every = '1500ms'\n";
    let code = declared(
        "p",
        &[("extends", "user_default"), ("ttl", "2s"), ("idle_timeout", "2s"), ("fresh_for", "2s")],
    );
    let mut sources = with_variables(text, &[("SESSIONS_POLICIES__P__TOUCH_EVERY", "1700ms")]);
    sources.declarations.push(code);
    // idle_timeout of the file is above ttl of the code, which it beats: a contradiction.
    assert_eq!(only(sources.check().unwrap_err()).rule(), "idle_over_ttl");
    sources.variables.push(("SESSIONS_POLICIES__P__TTL".into(), "9s".into()));

    let configuration = checked(&sources);
    let policy = configuration.policy("p").unwrap();
    assert_eq!(policy.ttl(), 9 * SECOND);
    assert_eq!(policy.idle_timeout(), Some(3 * SECOND));
    assert_eq!(policy.fresh_for(), 4 * SECOND);
    assert_eq!(policy.touch_every(), Some(Duration::from_millis(1700)));
    assert_eq!(policy.concurrency().max_sessions_per_principal(), Some(5));

    let origin = |key| configuration.origin("p", key).unwrap().to_string();
    assert_eq!(origin("ttl"), "SESSIONS_POLICIES__P__TTL");
    assert_eq!(origin("idle_timeout"), "sessions.toml:2:16");
    assert_eq!(origin("fresh_for"), "sessions.toml:6:13");
    assert_eq!(origin("extends"), "src/main.rs:2:5");
    assert_eq!(origin("concurrency.max_sessions_per_principal"), "preset `user_default`");
    assert_eq!(origin("max_keys"), "default");
    assert_eq!(configuration.origin("p", "nonsense"), None);
}

#[test]
fn a_profile_is_laid_over_only_where_it_is_chosen() {
    let text = "[policies.p]\nttl = '1h'\n[development.policies.p]\nttl = '2h'\n";
    assert_eq!(good(text).policy("p").unwrap().ttl(), 3600 * SECOND);
    let development = Sources { profile: Profile::Development, ..file(text) };
    assert_eq!(checked(&development).policy("p").unwrap().ttl(), 7200 * SECOND);
}

#[test]
fn the_compiler_sees_the_mistakes_of_every_profile_each_once() {
    let text = "[policies.p]\nttl = 1\n[development.policies.p]\nmax_keys = 0\n[production.policies.p]\nrenew = 'x'\n";
    let problems = file(text).check_every_profile().unwrap_err();
    let places: Vec<String> = problems.iter().map(|problem| problem.origin().to_string()).collect();
    assert_eq!(places, ["sessions.toml:2:7", "sessions.toml:4:12", "sessions.toml:6:9"]);
    assert!(file("[policies.p]\n").check_every_profile().is_ok());
}

#[test]
fn a_list_replaces_a_list() {
    let text = "[policies.p]\ncarry_over = ['a', 'b']\n[production.policies.p]\ncarry_over = ['c']\n";
    let configuration = good(text);
    let policy = configuration.policy("p").unwrap();
    assert!(policy.carry_over().carries("c") && !policy.carry_over().carries("a"));
    let sources = with_variables(text, &[("SESSIONS_POLICIES__P__CARRY_OVER", "all")]);
    assert!(checked(&sources).policy("p").unwrap().carry_over().carries("z"));
}

#[test]
fn a_variable_of_any_kind_is_read_as_its_key_is() {
    let sources = with_variables(
        "[policies.p]\n",
        &[
            ("SESSIONS_POLICIES__P__MAX_KEYS", "9"),
            ("SESSIONS_POLICIES__P__FINGERPRINT_BINDING", "true"),
            ("SESSIONS_POLICIES__P__TRUSTED_ORIGINS", "https://a.example, https://b.example"),
            ("SESSIONS_POLICIES__P__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL", "1"),
            ("SESSIONS_POLICIES__P__TRANSPORT__COOKIE_SAMESITE", "strict"),
            ("SESSIONS_STORES__MAIN__MAX_SESSIONS", "7"),
            ("SESSIONS_CONFIG", "elsewhere.toml"),
            ("SESSIONS_PROFILE", "production"),
            ("PATH", "/bin"),
        ],
    );
    let configuration = checked(&sources);
    let policy = configuration.policy("p").unwrap();
    assert_eq!(policy.max_keys(), 9);
    assert!(policy.fingerprint_binding());
    assert_eq!(policy.trusted_origins().len(), 2);
    assert_eq!(policy.concurrency().max_sessions_per_principal(), Some(1));
    assert_eq!(policy.transport().cookie_samesite().as_str(), "strict");
    let StoreKind::Memory { max_sessions, .. } = configuration.store("main").unwrap().kind() else {
        panic!("main is a memory store");
    };
    assert_eq!(*max_sessions, 7);
}

#[test]
fn a_variable_that_names_nothing_is_refused_with_the_nearest_name() {
    for (variable, nearest) in [
        ("SESSIONS_POLICIES__SHOP__IDEL_TIMEOUT", "SESSIONS_POLICIES__SHOP__IDLE_TIMEOUT"),
        ("SESSIONS_POLICIES__SHPO__TTL", "SESSIONS_POLICIES__SHOP__TTL"),
        ("SESSIONS_STORES__MIAN__TIMEOUT", "SESSIONS_STORES__MAIN__TIMEOUT"),
    ] {
        let sources = with_variables("[policies.shop]\n", &[(variable, "1h")]);
        let problem = only(sources.check().unwrap_err());
        assert_eq!(problem.origin(), &Origin::Variable(variable.into()));
        assert_eq!(problem.suggestion(), Some(nearest));
    }
}

#[test]
fn a_variable_of_a_later_version_never_prints_its_text() {
    let sources = with_variables(
        "[policies.p]\n",
        &[("SESSIONS_POLICIES__P__PERSISTENCE__COMPRESS", "redis://:hunter2@host")],
    );
    let text = sources.check().unwrap_err().to_string();
    assert!(text.contains("comes with a later version") && !text.contains("hunter2"), "{text}");
}

#[test]
fn any_timeout_can_be_cut_to_seconds_and_the_rest_gives_way() {
    let text = "[policies.p]\nextends = 'user_default'\nttl = '7days'\nidle_timeout = '30min'\ntouch_every = '1min'\n\
                rotate_every = '1h'\nrotation_grace = '30s'\nfresh_for = '5min'\n\
                remember = { ttl = '30days', idle_timeout = '10days' }\n";
    let cut = |key: &str| {
        let sources = with_variables(text, &[(&format!("SESSIONS_POLICIES__P__{key}"), "3s")]);
        checked(&sources).policy("p").unwrap().clone()
    };
    let policy = cut("TTL");
    assert_eq!((policy.ttl(), policy.idle_timeout()), (3 * SECOND, Some(3 * SECOND)));
    assert_eq!(policy.touch_every(), Some(Duration::from_millis(300)));
    assert_eq!(policy.rotate_every(), Some(3 * SECOND));
    assert_eq!(policy.rotation_grace(), Duration::from_millis(1500));
    assert_eq!(policy.fresh_for(), 300 * SECOND);
    assert_eq!(policy.remember().unwrap().ttl(), 30 * 86_400 * SECOND);

    let policy = cut("IDLE_TIMEOUT");
    assert_eq!(policy.idle_timeout(), Some(3 * SECOND));
    assert_eq!(policy.touch_every(), Some(Duration::from_millis(300)));
    assert_eq!(policy.ttl(), 7 * 86_400 * SECOND);

    assert_eq!(cut("ABSOLUTE_TIMEOUT").idle_timeout(), Some(3 * SECOND));
    assert_eq!(cut("ROTATE_EVERY").rotation_grace(), Duration::from_millis(1500));
    assert_eq!(cut("REMEMBER__TTL").remember().unwrap().idle_timeout(), Some(3 * SECOND));
    assert_eq!(cut("FRESH_FOR").fresh_for(), 3 * SECOND);
    assert_eq!(cut("REMEMBER__IDLE_TIMEOUT").remember().unwrap().idle_timeout(), Some(3 * SECOND));
    assert_eq!(cut("TOUCH_EVERY").touch_every(), Some(3 * SECOND));
    assert_eq!(cut("ROTATION_GRACE").rotation_grace(), 3 * SECOND);
}

#[test]
fn what_gives_way_is_noted() {
    let sources = with_variables(
        "[policies.p]\nttl = '7days'\nidle_timeout = '30min'\n",
        &[("SESSIONS_POLICIES__P__TTL", "3s")],
    );
    let configuration = checked(&sources);
    let notes: Vec<String> = configuration.notes().iter().map(ToString::to_string).collect();
    let note =
        "note: sessions.toml:3:16: `policies.p.idle_timeout` (30min) gives way to `ttl` (3s) and is 3s";
    assert_eq!(notes, [note]);
}

#[test]
fn a_later_contradiction_is_still_one() {
    let text = "[policies.p]\nttl = '7days'\nidle_timeout = '30min'\n";
    let problem =
        only(with_variables(text, &[("SESSIONS_POLICIES__P__IDLE_TIMEOUT", "30days")]).check().unwrap_err());
    assert_eq!(problem.rule(), "idle_over_ttl");
    assert_eq!(problem.origin().to_string(), "SESSIONS_POLICIES__P__IDLE_TIMEOUT");
}

#[test]
fn a_closer_policy_states_the_bound() {
    let text = "[policies.base]\nttl = '1day'\nidle_timeout = '2h'\nmax_keys = 9\ntransport.cookie_name = 'sid'\n\
                [policies.p]\nextends = 'base'\nttl = '1h'\n";
    let configuration = good(text);
    let policy = configuration.policy("p").unwrap();
    assert_eq!(policy.idle_timeout(), Some(3600 * SECOND));
    assert_eq!(policy.max_keys(), 9);
    assert_eq!(policy.transport().cookie_name(), "__Host-Http-p", "a cookie's name is never inherited");
    assert_eq!(configuration.policy("base").unwrap().transport().cookie_name(), "sid");
    let text = "[policies.base]\nttl = '1h'\n[policies.p]\nextends = 'base'\nidle_timeout = '2h'\n";
    assert_eq!(only(bad(text)).key(), "policies.p.idle_timeout");
}

#[test]
fn a_header_policy_may_extend_a_cookie_policy() {
    let text = "[policies.web]\ntransport = { cookie_samesite = 'strict', cookie_path = '/' }\ncsrf = 'strict'\n\
                remember.ttl = '30days'\n[policies.api]\nextends = 'web'\ntransport.adapter = 'header'\n";
    let configuration = good(text);
    let api = configuration.policy("api").unwrap();
    assert_eq!(api.transport().adapter().as_str(), "header");
    assert_eq!(api.remember(), None);
    assert_eq!(api.csrf().as_str(), "standard");
}

#[test]
fn a_policy_may_extend_its_own_name_or_a_policy_over_a_preset() {
    let text = "[policies.user_default]\nextends = 'user_default'\nmax_keys = 9\n\
                [policies.p]\nextends = 'user_default'\n";
    let configuration = good(text);
    let policy = configuration.policy("p").unwrap();
    assert_eq!(policy.max_keys(), 9);
    assert_eq!(policy.idle_timeout(), Some(1800 * SECOND));
}

#[test]
fn a_touch_is_derived_from_what_activity_prolongs() {
    let touch = |body: &str| good(&format!("[policies.p]\n{body}\n")).policy("p").unwrap().touch_every();
    assert_eq!(touch(""), None);
    assert_eq!(touch("idle_timeout = '2min'"), Some(12 * SECOND));
    assert_eq!(touch("idle_timeout = '2days'"), Some(60 * SECOND));
    assert_eq!(touch("renew = 'sliding'\nttl = '2min'"), Some(12 * SECOND));
    assert_eq!(touch("remember = { ttl = '2days', idle_timeout = '5min' }"), Some(30 * SECOND));
}

#[test]
fn policies_come_as_the_file_has_them_then_those_of_code() {
    let mut sources = file("[policies.z]\n[policies.c]\n[policies.b]\n");
    sources.declarations = vec![declared("y", &[]), declared("c", &[]), declared("a", &[])];
    let configuration = checked(&sources);
    let names: Vec<&str> = configuration.policies().map(sessions_policy::SessionPolicy::name).collect();
    assert_eq!(names, ["z", "c", "b", "y", "a"]);
}

#[test]
fn a_name_that_the_build_did_not_know_or_that_is_gone_is_refused() {
    let mut sources = file("[policies.shop]\n[policies.new]\n");
    sources.known = Some(vec!["shop".into(), "checkout".into(), "lost".into()]);
    sources.declarations = vec![declared("checkout", &[])];
    let problems = sources.check().unwrap_err();
    let found: Vec<String> = problems
        .iter()
        .map(|problem| format!("{} {} {}", problem.origin(), problem.rule(), problem.key()))
        .collect();
    assert_eq!(
        found,
        ["sessions.toml:2:11 unknown_policy policies.new", "sessions.toml lost_policy policies.lost",]
    );
    let variables = with_variables("[policies.shop]\n", &[("SESSIONS_POLICIES__NEW__TTL", "1h")]);
    assert_eq!(only(variables.check().unwrap_err()).rule(), "unknown_variable");
}

#[test]
fn a_policy_stands_in_no_profile_alone() {
    let problem = only(bad("[production.policies.p]\nttl = '1h'\n"));
    assert_eq!(
        (problem.rule(), problem.origin().to_string().as_str()),
        ("profile_alone", "sessions.toml:1:22")
    );
    let mut sources = file("[production.policies.p]\nttl = '1h'\n");
    sources.declarations = vec![declared("p", &[])];
    assert_eq!(checked(&sources).policy("p").unwrap().ttl(), 3600 * SECOND);
}

#[test]
fn the_store_main_is_always_there() {
    let configuration = good("");
    let main = configuration.store("main").unwrap();
    assert_eq!(main.timeout(), 2 * SECOND);
    assert!(matches!(main.kind(), StoreKind::Memory { max_sessions: 100_000, .. }));
    assert_eq!(configuration.stores().count(), 1);
}

#[test]
fn a_later_layer_that_changes_the_kind_makes_keys_moot() {
    let text = "[stores.main]\nmax_sessions = 100_000\n[production.stores.main]\nkind = 'custom'\n";
    let configuration = good(text);
    assert_eq!(configuration.store("main").unwrap().kind(), &StoreKind::Custom);
    let [note] = configuration.notes() else { panic!("one note") };
    assert_eq!(
        (note.key(), note.origin().to_string().as_str()),
        ("stores.main.max_sessions", "sessions.toml:2:16")
    );
}

#[test]
fn a_variable_moves_the_sessions_of_a_file_to_another_kind_of_store() {
    let text = "[stores.main]\nkind = 'memory'\nmax_sessions = 5\n[policies.p]\nextends = 'user_default'\n\
                [development.stores.main]\nkind = 'file'\n\
                directory = 'sessions'\n";
    let kind = ("SESSIONS_STORES__MAIN__KIND", "sqlite");
    let url = ("SESSIONS_STORES__MAIN__URL", "sqlite:///var/lib/x.db");
    for (profile, moot) in [(Profile::Production, 1), (Profile::Development, 2)] {
        let sources = Sources { profile, stage: Stage::Start, ..with_variables(text, &[kind, url]) };
        let configuration = checked(&sources);
        let path = "/var/lib/x.db".into();
        assert_eq!(configuration.store("main").unwrap().kind(), &StoreKind::Sqlite { path });
        assert_eq!(configuration.notes().len(), moot, "{:?}", configuration.notes());
    }
    let development = Sources { profile: Profile::Development, ..file(text) };
    let directory = "sessions".into();
    assert_eq!(checked(&development).store("main").unwrap().kind(), &StoreKind::File { directory });
    let missing = only(with_variables(text, &[kind]).check().unwrap_err());
    assert_eq!((missing.rule(), missing.key()), ("store_place_missing", "stores.main.url"));
    assert!(missing.help().unwrap().contains("SESSIONS_STORES__MAIN__URL=sqlite://"), "{missing}");
}

#[test]
fn the_file_store_of_a_variable_is_refused_in_production_as_it_is_written() {
    let kind = ("SESSIONS_STORES__MAIN__KIND", "file");
    let directory = ("SESSIONS_STORES__MAIN__DIRECTORY", "sessions");
    let text = "[policies.p]\nextends = 'user_default'\n";
    let sources = Sources { stage: Stage::Start, ..with_variables(text, &[kind, directory]) };
    let refused = only(sources.check().unwrap_err());
    assert_eq!((refused.rule(), refused.lint().id()), ("store_file", "SL078"));
    assert!(refused.help().unwrap().contains("SESSIONS_PROFILE=development"), "{refused}");
    let development = Sources { profile: Profile::Development, ..sources };
    assert!(checked(&development).findings().is_empty());
}

#[test]
fn what_a_url_says_is_never_printed() {
    for (kind, url) in [
        ("sqlite", "redis://:hunter2@host"),
        ("sqlite", "hunter2"),
        ("sqlite", "sqlite://u:hunter2@host/x"),
        ("sqlite", "sqlite://hunter2.db?key=hunter2"),
        ("postgres", "hunter2"),
        ("postgres", "postgres://u:hunter2@/x"),
        ("postgres", "postgres://u:hunter2@host/x?sslmode=hunter2"),
    ] {
        let text = format!("[stores.main]\nkind = '{kind}'\nurl = '{url}'\n");
        let variable = [("SESSIONS_STORES__MAIN__URL", url), ("SESSIONS_STORES__MAIN__KIND", kind)];
        for sources in [file(&text), with_variables("", &variable)] {
            let problem = only(sources.check().unwrap_err());
            assert_eq!(problem.rule(), "store_place");
            assert!(!format!("{problem} {problem:?}").contains("hunter2"), "{problem}");
        }
    }
}

#[test]
fn a_file_overrides_only_what_it_writes_of_a_declaration() {
    let mut sources = file("[policies.checkout]\nttl = '1h'\ntransport.cookie_samesite = 'strict'\n");
    let entries = [("ttl", "20min"), ("idle_timeout", "10min"), ("transport.cookie_path", "/")];
    sources.declarations = vec![declared("checkout", &entries)];
    let configuration = checked(&sources);
    let policy = configuration.policy("checkout").unwrap();
    assert_eq!((policy.ttl(), policy.idle_timeout()), (3600 * SECOND, Some(600 * SECOND)));
    assert_eq!(policy.transport().cookie_samesite().as_str(), "strict");
    let origin = configuration.origin("checkout", "transport.cookie_path").unwrap();
    assert_eq!(origin, &Origin::Code("src/main.rs".into(), 4, 5));
}

#[test]
fn a_scope_that_is_stated_later_or_closer_decides_whether_sessions_are_stored() {
    let variable = ("SESSIONS_POLICIES__P__SCOPE", "device");
    for text in ["[policies.p]\nextends = 'ephemeral'\n", "[policies.p]\npersistence.enabled = false\n"] {
        let configuration = checked(&with_variables(text, &[variable]));
        assert!(configuration.policy("p").unwrap().is_persistent(), "{text}");
    }
    assert!(
        good("[policies.p]\nextends = 'ephemeral'\nscope = 'user'\n").policy("p").unwrap().is_persistent()
    );
}
