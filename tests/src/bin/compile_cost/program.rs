//! The two programs, as text: a router of many handlers, with policies and without.

use std::{fmt::Write as _, fs, io, path::Path};

/// How many policies the file declares; inline ones and structs come beside them.
const IN_FILE: usize = 80;
const INLINE: usize = 10;
const STRUCTS: usize = 10;
const POLICIES: usize = IN_FILE + INLINE + STRUCTS;

const MODULES: usize = 20;
const HANDLERS_PER_MODULE: usize = 25;

/// Where the edit goes: a number in the body of a handler.
const EDITED: (usize, usize) = (7, 13);

/// The guards that handlers have in turn.
const GUARDS: [&str; 5] =
    ["", "", ", require = authenticated", ", role = \"admin\"", ", role = [\"admin\", \"auditor\"], fresh"];

/// One of the programs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// Its handlers take an extractor of axum's.
    Without,
    /// Its handlers take sessions.
    With,
}

impl Program {
    pub(crate) const BOTH: [Self; 2] = [Self::Without, Self::With];

    /// The name of its package.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Without => "without",
            Self::With => "with",
        }
    }

    /// Writes the whole package.
    pub(crate) fn write(self, folder: &Path) -> io::Result<()> {
        let package = folder.join(self.name());
        fs::create_dir_all(package.join("src"))?;
        fs::write(package.join("Cargo.toml"), self.manifest())?;
        if self == Self::With {
            fs::write(package.join("sessions.toml"), policy_file())?;
        }
        fs::write(package.join("src/main.rs"), self.root())?;
        for module in 0..MODULES {
            fs::write(package.join(format!("src/m{module}.rs")), self.module(module, 0))?;
        }
        Ok(())
    }

    /// Changes the body of one handler.
    pub(crate) fn edit(self, folder: &Path, round: usize) -> io::Result<()> {
        let path = folder.join(self.name()).join(format!("src/m{}.rs", EDITED.0));
        fs::write(path, self.module(EDITED.0, round + 1))
    }

    fn manifest(self) -> String {
        format!(
            "[package]\nname = {:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             axum = {{ version = \"0.8\", default-features = false, features = [\"json\", \"http1\", \"tokio\"] }}\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\n\
             sessions = {{ path = {:?} }}\n",
            self.name(),
            concat!(env!("CARGO_MANIFEST_DIR"), "/../sessions"),
        )
    }

    fn root(self) -> String {
        let mut text = String::new();
        if self == Self::With {
            text.push_str("sessions::policies! {\n    \"sessions.toml\",\n");
            for index in 0..STRUCTS {
                let _ = writeln!(text, "    S{index},");
            }
            for index in 0..INLINE {
                let _ = writeln!(
                    text,
                    "    inline{index}: {{ extends: \"user_default\", ttl: \"{}h\" }},",
                    index + 1
                );
            }
            text.push_str("}\n");
        }
        for index in 0..STRUCTS {
            if self == Self::With {
                let _ =
                    writeln!(text, "#[sessions::session_policy(extends = \"user_default\", ttl = \"1day\")]");
            }
            let _ = writeln!(
                text,
                "#[derive(Default, serde::Serialize, serde::Deserialize)]\npub struct S{index} {{ pub step: u32, \
                 pub items: Vec<String> }}"
            );
        }
        for module in 0..MODULES {
            let _ = writeln!(text, "mod m{module};");
        }
        text.push_str("fn main() {\n    let _: axum::Router = axum::Router::new()");
        for module in 0..MODULES {
            let _ = write!(text, "\n        .merge(m{module}::routes())");
        }
        text.push_str(";\n}\n");
        text
    }

    /// A module of handlers. `edit` is a number in one of them.
    fn module(self, module: usize, edit: usize) -> String {
        let mut text = String::from("use axum::{Json, Router, extract::{Path, State}, routing::get};\n");
        text.push_str(match self {
            Self::Without => "type Session = axum::http::HeaderMap;\n",
            Self::With => "use sessions::{Session, session};\nuse crate::policies;\n",
        });
        text.push_str("#[derive(serde::Deserialize)]\npub struct Form { name: String, count: u32 }\n");
        for handler in 0..HANDLERS_PER_MODULE {
            let number = module * HANDLERS_PER_MODULE + handler;
            if self == Self::With {
                let (policy, guard) = (policy(number % POLICIES), GUARDS[number % GUARDS.len()]);
                let _ = writeln!(text, "#[session(policy = {policy:?}{guard})]");
            }
            let added = if (module, handler) == EDITED { edit } else { 0 };
            let _ = write!(
                text,
                "async fn h{handler}(_session: Session, Path(id): Path<u32>, State(()): State<()>, Json(form): \
                 Json<Form>) -> Json<Vec<String>> {{\n    let mut lines = Vec::new();\n    for line in 0..form.count {{\n        \
                 lines.push(format!(\"{{}} {{}} {{}}\", form.name, line, id + {added}));\n    }}\n    \
                 lines.sort();\n    Json(lines)\n}}\n"
            );
        }
        text.push_str("pub fn routes() -> Router {\n    Router::new()");
        for handler in 0..HANDLERS_PER_MODULE {
            let _ = write!(text, "\n        .route(\"/m{module}/h{handler}/{{id}}\", get(h{handler}))");
        }
        text.push_str("\n}\n");
        text
    }
}

/// The name of a policy, by its number.
fn policy(number: usize) -> String {
    if number < IN_FILE {
        format!("policy{number}")
    } else if number < IN_FILE + INLINE {
        format!("inline{}", number - IN_FILE)
    } else {
        format!("s{}", number - IN_FILE - INLINE)
    }
}

fn policy_file() -> String {
    let mut text = String::from("[stores.main]\nkind = \"memory\"\n");
    for number in 0..IN_FILE {
        let _ = write!(
            text,
            "\n[policies.policy{number}]\nextends = \"user_default\"\nttl = \"{}days\"\nidle_timeout = \"{}min\"\n\
             concurrency = {{ max_sessions_per_principal = 3, behavior_on_limit = \"reject\" }}\n",
            number % 20 + 1,
            number % 30 + 5,
        );
    }
    text
}
