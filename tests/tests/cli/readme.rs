//! What the README shows of the program is what the program does.

use crate::program::{Folder, Ran, sessions, workspace};

const VARIABLE: &str = "SESSIONS_POLICIES__USER_DEFAULT__IDLE_TIMEOUT=1h";

fn readme() -> String {
    std::fs::read_to_string(workspace().join("README.md")).unwrap()
}

/// The fenced blocks with what stands behind their fences.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    page.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn every_command_of_the_readme_runs_and_prints_what_is_shown() {
    let readme = readme();
    assert!(readme.contains(&format!("With `{VARIABLE}` in `staging.env`")));
    let file = std::fs::read_to_string(workspace().join("sessions.toml")).unwrap();
    let folder = Folder::new("readme").file("sessions.toml", &file).file("staging.env", VARIABLE);
    let blocks = blocks(&readme);
    let mut commands = 0;
    for (index, (kind, text)) in blocks.iter().enumerate().filter(|(_, (kind, _))| *kind == "sh") {
        for command in text.lines().filter_map(|line| line.strip_prefix("sessions ")) {
            let arguments: Vec<&str> = command.split_whitespace().collect();
            let Ran { stdout, .. } = folder.run(&arguments).expect_code(0);
            assert!(!stdout.is_empty(), "{kind}: {command}");
            if let Some(("text", shown)) = blocks.get(index + 1) {
                assert_eq!(stdout.trim_end(), shown.trim_end(), "{command}");
            }
            commands += 1;
        }
    }
    assert!(commands >= 9, "{commands}");
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_help() {
    let help = sessions(&["--help"]).expect_code(0).stdout;
    let told = help.split("Exit codes:\n").nth(1).unwrap();
    let readme = readme();
    let mut codes = 0;
    for (code, meaning) in told.lines().filter_map(|line| line.trim().split_once("  ")) {
        assert!(readme.contains(&format!("| {code} | {meaning}")), "{code}: {meaning}");
        codes += 1;
    }
    assert_eq!(codes, 4);
}

#[test]
fn every_subcommand_is_in_the_readme() {
    let help = sessions(&["--help"]).expect_code(0).stdout;
    let commands = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    for line in commands.lines() {
        let name = line.split_whitespace().next().unwrap();
        assert!(name == "help" || readme().contains(&format!("sessions {name}")), "{name}");
    }
}
