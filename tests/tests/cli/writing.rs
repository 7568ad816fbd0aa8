//! `sessions schema`, `completions`, `init`, `dossier`: what the program writes.

use crate::program::{Folder, golden, sessions, workspace};

#[test]
fn the_starter_passes_in_both_profiles_and_nothing_is_told() {
    let folder = Folder::new("init");
    let ran = folder.run(&["init"]).expect_code(0).quiet();
    assert_eq!(ran.stdout, "wrote sessions.toml; `sessions check sessions.toml` checks it\n");
    let ran = folder.run(&["check", "--deny-warnings"]).expect_code(0).quiet();
    assert!(ran.stdout.ends_with("as production: fine\nas development: fine\n"), "{}", ran.stdout);
    folder.run(&["dossier"]).expect_code(0);
}

#[test]
fn init_never_takes_the_place_of_a_file_unless_it_is_told_to() {
    let folder = Folder::new("init-twice").file("own.toml", "mine");
    let path = folder.path().join("own.toml");
    let ran = folder.run(&["init", "own.toml"]).expect_code(1);
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    folder.run(&["init", "own.toml", "--force"]).expect_code(0);
    assert!(std::fs::read_to_string(&path).unwrap().contains("[policies.user_default]"));
    let ran = folder.run(&["init", "nowhere/own.toml"]).expect_code(1);
    assert!(ran.stderr.contains("can't be written"), "{}", ran.stderr);
    let ran = folder.run(&["init", "-"]).expect_code(0);
    assert_eq!(ran.stdout, std::fs::read_to_string(&path).unwrap());
}

#[test]
fn an_auditor_gets_a_page() {
    let ran = sessions(&["dossier"]).expect_code(0).quiet();
    let page: Vec<&str> = ran.stdout.lines().filter(|line| !line.starts_with("| day |")).collect();
    golden("dossier.md", &(page.join("\n") + "\n"));
}

#[test]
fn a_wrong_file_has_no_dossier() {
    let folder = Folder::new("dossier-wrong").file("sessions.toml", "[policies.shop]\nttl = 3600\n");
    let ran = folder.run(&["dossier"]).expect_code(2);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("error[SL093]: sessions.toml:2:7"), "{ran:?}");
}

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
        for word in ["check", "explain", "diff", "schema", "dossier", "init", "env-file"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    sessions(&["completions", "tcsh"]).expect_code(2);
}
