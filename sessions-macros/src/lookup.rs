//! Finding and reading the policy file that a macro names. It doesn't look into the text.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::Span;

use crate::place;

/// The name of the policy file where a macro doesn't say another.
pub(crate) const DEFAULT_FILE: &str = "sessions.toml";

/// A policy file as it stood when the macro ran.
#[derive(Clone, Debug)]
pub(crate) struct PolicyFile {
    /// The name as the user wrote it, which problems print.
    pub(crate) name: String,
    /// The absolute path, for `include_str!`.
    pub(crate) path: String,
    /// What the file says.
    pub(crate) text: String,
}

/// Why there is no policy file.
#[derive(Debug)]
pub(crate) enum Missing {
    /// None of these paths is a file.
    NotFound { name: String, looked: Vec<PathBuf> },
    /// The file is there, but can't be used.
    Unusable { path: PathBuf, reason: String },
}

impl std::fmt::Display for Missing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound { name, looked } => {
                write!(out, "there is no file `{name}`; looked for")?;
                for path in looked {
                    write!(out, "\n  {}", path.display())?;
                }
                Ok(())
            }
            Self::Unusable { path, reason } => {
                write!(out, "`{}` can't be used as a policy file: {reason}", path.display())
            }
        }
    }
}

/// Reads the policy file `name`: beside the source file that holds `span`, else in the package's folder and its parents
/// up to the workspace's root.
///
/// # Errors
/// - no such file in any of these folders
/// - the file isn't UTF-8, or can't be read
pub(crate) fn find(name: &str, span: Span) -> Result<PolicyFile, Missing> {
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    find_in(name, &folders(place::source_file(span).as_deref(), manifest_dir.as_deref()))
}

/// The folders in which a policy file may lie, nearest first.
fn folders(source: Option<&Path>, manifest_dir: Option<&Path>) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(beside) =
        source.and_then(|source| std::path::absolute(source).ok()?.parent().map(Path::to_path_buf))
    {
        folders.push(beside);
    }
    if let Some(package) = manifest_dir {
        // Without a workspace above it a package stands alone, and what lies in its parents is none of its business.
        let levels = package.ancestors().position(is_workspace_root).unwrap_or(0);
        for folder in package.ancestors().take(levels + 1) {
            if !folders.iter().any(|known| known == folder) {
                folders.push(folder.to_path_buf());
            }
        }
    }
    folders
}

/// Whether `folder` holds the manifest of a workspace.
pub(crate) fn is_workspace_root(folder: &Path) -> bool {
    fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.lines().any(|line| line.trim_start().starts_with("[workspace")))
}

/// The first of `folders` that has the file.
fn find_in(name: &str, folders: &[PathBuf]) -> Result<PolicyFile, Missing> {
    let mut candidates: Vec<PathBuf> = folders.iter().map(|folder| folder.join(name)).collect();
    // An absolute name is the same in every folder.
    candidates.dedup();
    let Some(path) = candidates.iter().find(|path| path.is_file()) else {
        return Err(Missing::NotFound { name: name.to_owned(), looked: candidates });
    };
    let text = fs::read_to_string(path)
        .map_err(|error| Missing::Unusable { path: path.clone(), reason: error.to_string() })?;
    let Some(absolute) = path.to_str() else {
        return Err(Missing::Unusable { path: path.clone(), reason: "its path isn't UTF-8".to_owned() });
    };
    Ok(PolicyFile { name: name.to_owned(), path: absolute.to_owned(), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for one test, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("sessions-macros-{}-{name}", std::process::id()));
            fs::create_dir_all(path.join("member/src")).unwrap();
            Self(path)
        }

        fn write(&self, path: &str, text: &str) {
            fs::write(self.0.join(path), text).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_file_beside_the_source_wins() {
        let root = Folder::new("beside");
        root.write("Cargo.toml", "[workspace]\n");
        root.write("sessions.toml", "root");
        root.write("member/src/sessions.toml", "beside");
        let found = find_in(
            "sessions.toml",
            &folders(Some(&root.0.join("member/src/main.rs")), Some(&root.0.join("member"))),
        );
        assert_eq!(found.unwrap().text, "beside");
    }

    #[test]
    fn the_search_ends_at_the_workspace_root() {
        let root = Folder::new("root");
        root.write("Cargo.toml", "[workspace]\nmembers = [\"member\"]\n");
        root.write("member/Cargo.toml", "[package]\n");
        assert_eq!(folders(None, Some(&root.0.join("member"))), [root.0.join("member"), root.0.clone()]);
    }

    #[test]
    fn a_package_without_a_workspace_stands_alone() {
        let root = Folder::new("alone");
        root.write("Cargo.toml", "[package]\n");
        assert_eq!(folders(None, Some(&root.0.join("member"))), [root.0.join("member")]);
    }

    #[test]
    fn a_missing_file_tells_where_it_was_looked_for() {
        let root = Folder::new("missing");
        let missing = find_in("shop.toml", std::slice::from_ref(&root.0)).unwrap_err().to_string();
        assert!(missing.contains("there is no file `shop.toml`"), "{missing}");
        assert!(missing.contains(root.0.to_str().unwrap()), "{missing}");
    }
}
