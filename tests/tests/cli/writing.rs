//! `sessions schema`, `sessions completions`: what the program writes for other programs.

use crate::program::{sessions, workspace};

#[test]
fn the_schema_is_the_one_in_the_repository() {
    let ran = sessions(&["schema"]).expect_code(0).quiet();
    let kept = std::fs::read_to_string(workspace().join("sessions/policy/sessions.schema.json")).unwrap();
    assert_eq!(ran.stdout, kept);
}

#[test]
fn each_shell_has_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = sessions(&["completions", shell]).expect_code(0).quiet().stdout;
        for word in ["check", "explain", "diff", "schema", "env-file"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    sessions(&["completions", "tcsh"]).expect_code(2);
}
