//! The small examples: each that ends by itself runs to its end and shows what it promises.

use std::{fs, path::Path, process::Command};

use sessions_tests::built;

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// What an example prints.
fn output_of(example: &str) -> String {
    let mut command = Command::new(built::example(example));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("SESSIONS_")) {
            command.env_remove(name);
        }
    }
    // One of them builds another.
    built::forget_the_package(&mut command);
    let output = command.current_dir(workspace()).output().expect("it runs");
    assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("examples write UTF-8")
}

#[test]
fn the_engine_works_by_hand() {
    let lines = output_of("by_hand");
    let told: Vec<_> =
        lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(told[0], "GET / 200 hello, whoever you are no cookie");
    assert!(told[1].starts_with("POST /visit 200 visit 1 cookie set: "), "{lines}");
    assert!(told[2].starts_with("POST /login 200 logged in cookie set: "), "{lines}");
    assert_eq!(told[3], "POST /visit 200 visit 2 no cookie");
    assert_eq!(told[4], "GET / 200 hello, u1 no cookie");
    assert!(told[5].starts_with("POST /logout 200 logged out cookie removed: Max-Age=0; "), "{lines}");
    assert_eq!(told[6], told[0]);
}

#[test]
fn presets_are_shown_and_a_contradiction_is_refused_with_its_places() {
    let text = output_of("presets");
    for name in ["user_default", "api_token", "ephemeral", "admin", "mobile", "device", "backoffice"] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} in {text}");
    }
    assert_eq!(text.matches("error[").count(), text.matches("presets.rs:").count());
    assert!(text.contains("`policies.broken.idle_timeout` (1h) is longer than `ttl` (1min)"), "{text}");
    assert!(text.contains("cookie_domain"), "{text}");
}

#[test]
fn a_logout_at_one_node_is_a_401_at_the_other() {
    let lines = output_of("cluster");
    let told: Vec<_> =
        lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let due = [
        "one POST /login 200",
        "another GET /profile 200",
        "one POST /logout 200",
        "another GET /profile 401",
    ];
    assert_eq!(told[1..], due);
}

#[test]
fn a_consumer_that_ended_before_it_acknowledged_has_its_events_again() {
    let text = output_of("outbox");
    let told: Vec<_> = text.lines().map(str::trim).collect();
    let of = |again: &str| {
        ["created", "authenticated", "revoked"].map(|kind| format!("session_{kind} of ada{again}"))
    };
    let due = [vec!["a run that is ended: 3 events".to_owned()], of("").to_vec()]
        .into_iter()
        .chain([vec!["the next run: 3 events".to_owned()], of(" (had it)").to_vec()])
        .chain([vec!["the one after: 0 events".to_owned()]]);
    assert_eq!(told, due.flatten().collect::<Vec<_>>());
}

#[test]
fn a_store_of_ones_own_is_bound_by_name() {
    let text = output_of("stores");
    assert!(text.contains("main     3 sessions of 2 principals"), "{text}");
    assert!(text.contains("counted  3 reads, 3 writes"), "{text}");
}

#[test]
fn a_store_of_ones_own_keeps_to_the_limit() {
    let text = output_of("own_store");
    assert!(text.contains("login 2: 2 of at most 2 sessions"), "{text}");
    assert!(text.contains("login 3: 2 of at most 2 sessions"), "{text}");
}

#[test]
fn a_session_of_grpc_lives_in_metadata() {
    let text = output_of("grpc");
    for line in [
        "WhoAmI  Unauthenticated: An authenticated session is required",
        "Visit   1",
        "LogIn   logged in",
        "WhoAmI  ada",
        "Visit   2",
        "Rotate  another id",
        "Report  PermissionDenied: The session does not permit this",
        "LogOut  logged out",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in {text}");
    }
    assert!(text.trim_end().ends_with("Unauthenticated: An authenticated session is required"), "{text}");
}

#[test]
fn transports_show_no_id() {
    let text = output_of("transports");
    assert!(
        text.contains("set-cookie: __Host-Http-site=…; Path=/; Secure; HttpOnly; SameSite=Lax"),
        "{text}"
    );
    assert!(text.contains("x-session-id: …"), "{text}");
    assert!(text.lines().all(|line| line.split(['=', ' ', ';']).all(|word| word.len() < 43)), "{text}");
}

#[test]
fn an_extractor_of_ones_own_takes_the_session() {
    let text = output_of("current_user");
    let told: Vec<_> =
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for refused in &told[..2] {
        assert!(refused.contains(" 401 ") && refused.contains("SESSION_REQUIRED"), "{text}");
    }
    assert_eq!(
        told[2..9],
        [
            "POST /login 200 logged in",
            "GET /me 200 u1 is Ada",
            "POST /visit 200 visit 1 of Ada",
            "POST /visit 200 visit 2 of Ada",
            "GET /settings/keys 200 keys",
            "GET /account 200 Ada since a while",
            "DELETE /account 200 deleted",
        ]
    );
    assert!(told[9].starts_with("GET /account 401 "), "{text}");
}

#[test]
fn a_store_of_ones_own_stays_below_two_hundred_lines() {
    let text = fs::read_to_string(workspace().join("examples/own_store/map.rs")).expect("the store");
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    assert!(text.lines().filter(is_code).count() < 200);
}

#[test]
fn the_quick_start_stays_within_forty_lines() {
    let text = fs::read_to_string(workspace().join("examples/quickstart.rs")).expect("the quick start");
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    assert!(text.lines().filter(is_code).count() <= 40);
}
