//! Policies that change while the program runs.

use std::{
    fs,
    path::PathBuf,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    ada,
    program::{Showcase, command, workspace},
};

/// A copy of the showcase's file that a test may change; removed in the end.
struct File {
    path: PathBuf,
    text: String,
}

impl File {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sessions-reload-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let text = fs::read_to_string(workspace().join("sessions.toml")).expect("the showcase's file");
        let file = Self { path: folder.join("shop.toml"), text };
        file.write(&file.text);
        file
    }

    /// Replaces the file by another one, as editors do.
    fn write(&self, text: &str) {
        let new = self.path.with_extension("new");
        fs::write(&new, text).expect("written");
        fs::rename(&new, &self.path).expect("replaced");
    }

    fn with(&self, line: &str) -> String {
        self.text.replacen("[policies.user_default]\n", &format!("[policies.user_default]\n{line}\n"), 1)
    }

    fn serve(&self) -> Showcase {
        Showcase::spawn(command(&[("SESSIONS_CONFIG", self.path.to_str().expect("text"))]))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.path.parent().expect("a folder"));
    }
}

fn within(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if done() {
            return true;
        }
        sleep(Duration::from_millis(50));
    }
    false
}

#[test]
fn a_shorter_timeout_in_the_file_ends_living_sessions_without_a_restart() {
    let file = File::new("shorter");
    let shop = file.serve();
    let mut browser = ada(&shop);
    browser.expect_logged_in("u1");
    file.write(&file.with("absolute_timeout = \"1s\""));
    let ended = within(Duration::from_secs(5), || browser.get("/profile").status == 401);
    assert!(ended, "the shortened lifetime holds for a session that lives");
}

#[test]
fn a_wrong_file_changes_nothing_and_is_told_with_line_and_key() {
    let file = File::new("wrong");
    let shop = file.serve();
    let mut browser = ada(&shop);
    file.write(&file.with("absolute_timout = \"1s\""));
    sleep(Duration::from_millis(1_500));
    browser.expect_logged_in("u1");
    shop.signal("TERM");
    let stopped = shop.ended(Duration::from_secs(5));
    assert!(stopped.status.success());
    for word in ["shop.toml:", "absolute_timout", "did you mean `absolute_timeout`?", "nothing has changed"] {
        assert!(stopped.stderr.contains(word), "{word}: {}", stopped.stderr);
    }
}

#[test]
fn a_hangup_reads_a_file_again_that_is_not_seen_to_change() {
    let file = File::new("hangup");
    let link = File::new("hangup-link");
    fs::remove_file(&link.path).expect("removed");
    std::os::unix::fs::symlink(&file.path, &link.path).expect("linked");
    let shop = link.serve();
    let mut browser = ada(&shop);
    // When the watch has looked at what changed before it began.
    sleep(Duration::from_millis(500));
    // In place, and in another folder than the one that is watched.
    fs::write(&file.path, file.with("absolute_timeout = \"1s\"")).expect("written");
    sleep(Duration::from_millis(1_500));
    browser.expect_logged_in("u1");
    shop.signal("HUP");
    let ended = within(Duration::from_secs(3), || browser.get("/profile").status == 401);
    assert!(ended, "the file was read again");
    shop.signal("TERM");
    assert!(shop.ended(Duration::from_secs(5)).status.success());
}
