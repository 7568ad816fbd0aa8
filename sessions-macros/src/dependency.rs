//! The name under which a package depends on the runtime crate, as its manifest says: `sessions`, unless it was renamed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use toml::{Table, Value};

use crate::lookup;

/// The runtime crate's own name.
const PACKAGE: &str = "sessions";
/// The tables of a manifest that hold dependencies.
const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What is known of the packages that this process has expanded macros for: mostly one.
static KNOWN: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());

/// The name of the runtime crate in the package that is being compiled.
pub(crate) fn name() -> String {
    let Some(package) = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) else {
        return PACKAGE.to_owned();
    };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = known.get(&package) {
        return name.clone();
    }
    let name = name_in(&package);
    known.insert(package, name.clone());
    name
}

/// The name in the package of this folder. Where its manifest tells nothing, the crate's own.
fn name_in(package: &Path) -> String {
    let Some(manifest) = manifest(package) else { return PACKAGE.to_owned() };
    let workspace =
        package.ancestors().find(|folder| lookup::is_workspace_root(folder)).and_then(self::manifest);
    let inherited =
        workspace.as_ref().and_then(|manifest| manifest.get("workspace")?.get("dependencies")?.as_table());
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let places = targets.filter_map(Value::as_table).chain([&manifest]);
    let tables = places.flat_map(|place| TABLES.iter().filter_map(|table| place.get(*table)?.as_table()));
    let is_ours = |(name, dependency): &(&String, &Value)| is_ours(name, dependency, inherited);
    let mut names =
        tables.flat_map(|table| table.iter().filter(is_ours)).map(|(name, _)| name.replace('-', "_"));
    let renamed = names.next();
    let plain = renamed.as_deref() == Some(PACKAGE) || names.any(|name| name == PACKAGE);
    renamed.filter(|_| !plain).unwrap_or_else(|| PACKAGE.to_owned())
}

/// Whether a dependency is the runtime crate. `inherited` are the workspace's.
fn is_ours(name: &str, dependency: &Value, inherited: Option<&Table>) -> bool {
    if dependency.get("workspace").and_then(Value::as_bool) == Some(true) {
        return inherited
            .and_then(|dependencies| dependencies.get(name))
            .is_some_and(|dependency| is_ours(name, dependency, None));
    }
    dependency.get("package").and_then(Value::as_str).unwrap_or(name) == PACKAGE
}

fn manifest(folder: &Path) -> Option<Table> {
    fs::read_to_string(folder.join("Cargo.toml")).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(manifest: &str, inherited: &str) -> String {
        let folder = tempfile(manifest, inherited);
        let name = name_in(&folder.join("member"));
        let _ = fs::remove_dir_all(folder);
        name
    }

    /// A workspace with one member.
    fn tempfile(manifest: &str, inherited: &str) -> PathBuf {
        let number = manifest.len() * 1000 + inherited.len();
        let folder =
            std::env::temp_dir().join(format!("sessions-dependency-{}-{number}", std::process::id()));
        fs::create_dir_all(folder.join("member")).unwrap();
        fs::write(folder.join("Cargo.toml"), format!("[workspace]\n[workspace.dependencies]\n{inherited}"))
            .unwrap();
        fs::write(folder.join("member/Cargo.toml"), manifest).unwrap();
        folder
    }

    #[test]
    fn a_renamed_dependency_is_found_where_it_stands() {
        for manifest in [
            "[dependencies]\nweb-sessions = { package = \"sessions\", path = \"x\" }",
            "[dev-dependencies.web-sessions]\npackage = \"sessions\"",
            "[target.'cfg(unix)'.dependencies]\nweb-sessions = { package = \"sessions\" }\n[dependencies]\naxum = \"1\"",
        ] {
            assert_eq!(name_of(manifest, ""), "web_sessions", "{manifest}");
        }
        let inherits = "[dependencies]\nweb.workspace = true";
        assert_eq!(name_of(inherits, "web = { package = \"sessions\" }"), "web");
    }

    #[test]
    fn otherwise_it_has_its_own_name() {
        for (manifest, inherited) in [
            ("[dependencies]\nsessions = \"1\"", ""),
            ("[dependencies]\nsessions = \"1\"\nother = { package = \"sessions\" }", ""),
            ("[dependencies]\nsessions.workspace = true", "sessions = { path = \"x\" }"),
            ("[dependencies]\naxum = \"1\"", ""),
            ("not a manifest", ""),
        ] {
            assert_eq!(name_of(manifest, inherited), "sessions", "{manifest}");
        }
    }
}
