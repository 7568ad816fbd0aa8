//! Starting: the ready line, where settings come from, and what is said when they are wrong.

use std::{env, fs, net::TcpListener, path::PathBuf, process::Output};

use crate::{
    COOKIE, ada,
    program::{Showcase, command, run_to_end, workspace},
};

/// A folder of its own for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("sessions-showcase-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for files");
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).expect("a file in it");
        path.to_str().expect("a path in UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn refused(variables: &[(&str, &str)]) -> (i32, String) {
    let Output { status, stdout, stderr } = run_to_end(command(variables));
    assert!(stdout.is_empty(), "nothing is ready");
    (status.code().expect("an exit code"), String::from_utf8(stderr).expect("UTF-8"))
}

/// The workspace's own file with something put in the place of something.
fn changed(from: &str, to: &str) -> String {
    let text = fs::read_to_string(workspace().join("sessions.toml")).expect("the workspace's file");
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn it_says_where_it_listens_in_one_line() {
    let shop = Showcase::start();
    assert_ne!(shop.address.port(), 0);
    assert_eq!(shop.ready, format!("listening on http://127.0.0.1:{}\n", shop.address.port()));
    shop.browser().get("/healthz").expect_status(200);
    shop.signal("TERM");
    let stopped = shop.ended(std::time::Duration::from_secs(5));
    assert_eq!(stopped.stdout, "");
}

#[test]
fn a_file_is_named_by_a_variable() {
    let folder = Folder::new("named");
    let text = changed("max_sessions_per_principal = 5", "max_sessions_per_principal = 1");
    let path = folder.file("other.toml", &text);
    let shop = Showcase::with(&[("SESSIONS_CONFIG", &path)]);
    let (mut first, mut second) = (ada(&shop), ada(&shop));
    first.expect_logged_out();
    second.expect_logged_in("u1");
}

#[test]
fn a_named_file_has_to_exist() {
    let (code, stderr) = refused(&[("SESSIONS_CONFIG", "/nowhere/sessions.toml")]);
    assert_eq!(code, 2);
    assert!(stderr.contains("SESSIONS_CONFIG") && stderr.contains("/nowhere/sessions.toml"), "{stderr}");
}

#[test]
fn the_file_of_the_working_directory_is_read() {
    let folder = Folder::new("working");
    folder
        .file("sessions.toml", &changed("max_sessions_per_principal = 5", "max_sessions_per_principal = 1"));
    let mut command = command(&[]);
    command.current_dir(&folder.0);
    let shop = Showcase::spawn(command);
    let (mut first, _second) = (ada(&shop), ada(&shop));
    first.expect_logged_out();
}

#[test]
fn without_any_file_the_one_of_the_build_holds() {
    let folder = Folder::new("empty");
    let mut command = command(&[]);
    command.current_dir(&folder.0);
    let shop = Showcase::spawn(command);
    ada(&shop).expect_logged_in("u1");
}

#[test]
fn a_profile_is_laid_over_the_file_and_variables_over_both() {
    let folder = Folder::new("profile");
    let text = format!(
        "{}\n[production.policies.user_default.concurrency]\nmax_sessions_per_principal = 1\n\
         [development.policies.user_default.concurrency]\nmax_sessions_per_principal = 2\n",
        changed("max_sessions_per_principal = 5", "max_sessions_per_principal = 4")
    );
    let path = folder.file("sessions.toml", &text);
    let most = "SESSIONS_POLICIES__USER_DEFAULT__CONCURRENCY__MAX_SESSIONS_PER_PRINCIPAL";
    for (variables, alive) in [
        (vec![], 1),
        (vec![("SESSIONS_PROFILE", "production")], 1),
        (vec![("SESSIONS_PROFILE", "development")], 2),
        (vec![("SESSIONS_PROFILE", "development"), (most, "3")], 3),
    ] {
        let variables: Vec<_> = variables.into_iter().chain([("SESSIONS_CONFIG", path.as_str())]).collect();
        let shop = Showcase::with(&variables);
        let mut browsers: Vec<_> = (0..5).map(|_| ada(&shop)).collect();
        let living =
            browsers.iter_mut().filter_map(|browser| (browser.get("/profile").status == 200).then_some(()));
        assert_eq!(living.count(), alive, "{variables:?}");
    }
}

#[test]
fn an_unknown_profile_is_refused_with_the_nearest_name() {
    let (code, stderr) = refused(&[("SESSIONS_PROFILE", "prodution")]);
    assert_eq!(code, 2);
    assert!(stderr.contains("SESSIONS_PROFILE") && stderr.contains("production"), "{stderr}");
}

#[test]
fn a_file_that_is_not_there_and_a_profile_that_is_none_hide_nothing() {
    let wrong = ("SESSIONS_POLICIES__ADMIN__TTL", "5M");
    let (code, stderr) =
        refused(&[("SESSIONS_CONFIG", "nowhere.toml "), ("SESSIONS_PROFILE", "prod"), wrong]);
    assert_eq!(code, 2);
    for says in ["SESSIONS_CONFIG: ", "\"nowhere.toml \"", "(\"prod\")", "did you mean `5min`?"] {
        assert!(stderr.contains(says), "{says}: {stderr}");
    }
}

#[test]
fn every_problem_is_told_at_once_with_its_place_and_the_nearest_spelling() {
    let folder = Folder::new("problems");
    let text = "[stores.main]\n\
                kind = \"memory\"\n\
                \n\
                [policies.user_default]\n\
                extends = \"user_default\"\n\
                idle_timout = \"30min\"\n\
                ttl = 3600\n\
                persistence = { store_name = \"mian\" }\n\
                \n\
                [policies.api_token]\n\
                extends = \"api_token\"\n\
                \n\
                [policies.ephemeral]\n\
                extends = \"ephemeral\"\n\
                \n\
                [policies.admin]\n\
                extends = \"admin\"\n\
                transport = { cookie_samesite = \"stict\" }\n";
    let path = folder.file("broken.toml", text);
    let (code, stderr) = refused(&[
        ("SESSIONS_CONFIG", &path),
        ("SESSIONS_POLICIES__API_TOKEN__TTL", "0s"),
        ("SESSIONS_POLICIES__USER_DEFALT__TTL", "1h"),
        ("SESSIONS_POLICIES__ADMIN__IDEL_TIMEOUT", "1h"),
    ]);
    assert_eq!(code, 2);
    for (place, about) in [
        ("broken.toml:6:", "idle_timeout"),
        ("broken.toml:7:", "ttl"),
        ("broken.toml:8:", "main"),
        ("broken.toml:18:", "strict"),
        ("SESSIONS_POLICIES__API_TOKEN__TTL", "zero"),
        ("SESSIONS_POLICIES__USER_DEFALT__TTL", "USER_DEFAULT"),
        ("SESSIONS_POLICIES__ADMIN__IDEL_TIMEOUT", "IDLE_TIMEOUT"),
    ] {
        let problem = stderr.split("error[").find(|problem| problem.contains(place));
        let named = problem.is_some_and(|problem| problem.to_lowercase().contains(&about.to_lowercase()));
        assert!(named, "`{about}` at `{place}` in:\n{stderr}");
    }
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_place() {
    let folder = Folder::new("syntax");
    let path = folder.file("broken.toml", "[policies.user_default]\nttl = \n");
    let (code, stderr) = refused(&[("SESSIONS_CONFIG", &path)]);
    assert_eq!(code, 2);
    assert!(stderr.contains("broken.toml:2:"), "{stderr}");
}

#[test]
fn a_policy_that_the_build_knows_has_to_be_there() {
    let folder = Folder::new("lost");
    let text = changed("[policies.ephemeral]\nextends = \"ephemeral\"", "");
    let path = folder.file("lost.toml", &text);
    let (code, stderr) = refused(&[("SESSIONS_CONFIG", &path)]);
    assert_eq!(code, 2);
    assert!(stderr.contains("ephemeral"), "{stderr}");
}

#[test]
fn a_contradiction_of_variables_is_refused() {
    let (code, stderr) = refused(&[
        ("SESSIONS_POLICIES__USER_DEFAULT__TTL", "1h"),
        ("SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT", "2h"),
    ]);
    assert_eq!(code, 2);
    assert!(stderr.contains("SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT"), "{stderr}");
}

#[test]
fn a_variable_that_weakens_a_policy_is_refused_in_production_only() {
    let name = "SESSIONS_POLICIES__USER_DEFAULT__TRANSPORT__COOKIE_SAMESITE";
    let (code, stderr) = refused(&[(name, "none")]);
    assert_eq!(code, 2);
    for part in ["error[SL094]", name, "policies.user_default.transport.cookie_samesite", "SL010"] {
        assert!(stderr.contains(part), "{part} in:\n{stderr}");
    }
    let shop = Showcase::with(&[(name, "none"), ("SESSIONS_PROFILE", "development")]);
    shop.signal("TERM");
    let stopped = shop.ended(std::time::Duration::from_secs(5));
    assert!(stopped.stderr.contains("warning[SL094]"), "{}", stopped.stderr);
}

#[test]
fn a_message_shows_its_line_and_no_secret_of_it() {
    let folder = Folder::new("snippet");
    let text = "[stores]\nmain = { kind = \"memry\", url = \"redis://:hunter2@host\" }\n";
    let path = folder.file("broken.toml", text);
    let (_, stderr) = refused(&[("SESSIONS_CONFIG", &path)]);
    assert!(stderr.contains("2 | main = { kind = \"memry\", url = … }"), "{stderr}");
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[test]
fn a_password_is_never_printed() {
    let url = "redis://user:hunter2@127.0.0.1:1";
    for variables in [
        vec![("SESSIONS_STORES__MAIN__URL", url)],
        vec![("SESSIONS_STORES__MAIN__KIND", "redis"), ("SESSIONS_STORES__MAIN__URL", url)],
        vec![("SESSIONS_STORES__MAIN__KIND", url)],
        vec![("SESSIONS_POLICIES__USER_DEFAULT__TTL", url)],
    ] {
        let Output { status, stdout, stderr } = run_to_end(command(&variables));
        assert!(!status.success(), "{variables:?}");
        assert!(!String::from_utf8_lossy(&stdout).contains("hunter2"));
        assert!(!String::from_utf8_lossy(&stderr).contains("hunter2"));
    }
}

#[test]
fn an_address_that_is_none_is_refused() {
    let (code, stderr) = refused(&[("SHOWCASE_ADDR", "nonsense")]);
    assert_eq!(code, 2);
    assert!(stderr.contains("SHOWCASE_ADDR") && stderr.contains("nonsense"), "{stderr}");
}

#[test]
fn a_port_in_use_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (code, stderr) = refused(&[("SHOWCASE_ADDR", &address)]);
    assert_eq!(code, 1);
    assert!(stderr.contains(&address), "{stderr}");
}

#[test]
fn no_id_is_logged_at_any_level() {
    let shop = Showcase::with(&[("RUST_LOG", "trace")]);
    let mut browser = ada(&shop);
    let first = browser.cookie(COOKIE).to_owned();
    browser.post("/rotate").expect_status(200);
    let second = browser.cookie(COOKIE).to_owned();
    browser.holding(COOKIE, &first).expect_logged_out();
    browser.post("/logout").expect_status(200);
    shop.signal("TERM");
    let stopped = shop.ended(std::time::Duration::from_secs(5));
    for id in [first, second] {
        assert!(!stopped.stderr.contains(id.rsplit('.').next().unwrap()));
    }
    assert_eq!(stopped.stdout, "");
}
