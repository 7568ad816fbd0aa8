//! What `policies!` works on: what is listed in it, and the module that it becomes.

use syn::{Attribute, Ident, LitStr, Path};

use crate::crate_path::CratePath;
use crate::lookup::PolicyFile;
use crate::settings::Setting;
use crate::warning::Warning;

/// What stands between the parentheses.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) crate_path: CratePath,
    pub(crate) file: Option<LitStr>,
    /// Structs that `#[session_policy]` made policies.
    pub(crate) listed: Vec<Listed>,
    pub(crate) inline: Vec<Inline>,
}

/// A policy that is declared in the macro call: `partner_api: { ttl: "15min" }`.
pub(crate) struct Inline {
    pub(crate) docs: Vec<Attribute>,
    pub(crate) name: Ident,
    pub(crate) settings: Vec<Setting>,
}

impl Inline {
    /// The policy's name.
    pub(crate) fn name(&self) -> String {
        use syn::ext::IdentExt as _;
        self.name.unraw().to_string()
    }
}

/// The module `policies`, checked.
pub(crate) struct Module {
    pub(crate) crate_path: CratePath,
    pub(crate) file: Option<PolicyFile>,
    pub(crate) listed: Vec<Listed>,
    /// Further names of structs, where a policy's name makes another type of theirs: `HTTPApi` is `httpapi` is `Httpapi`.
    pub(crate) respelt: Vec<Respelt>,
    pub(crate) markers: Vec<Marker>,
    /// Every name that the build knows, but for the structs', which only the compiler knows.
    pub(crate) names: Vec<String>,
    pub(crate) warnings: Vec<Warning>,
}

/// A struct in the module.
pub(crate) struct Listed {
    /// As the user wrote it.
    pub(crate) path: Path,
    /// Its name in the module: what follows `as`, else its last word.
    pub(crate) ident: Ident,
}

impl Listed {
    /// The struct's own name.
    pub(crate) fn own(&self) -> &Ident {
        self.path.segments.last().map_or(&self.ident, |last| &last.ident)
    }
}

/// A listed struct under a second name.
pub(crate) struct Respelt {
    pub(crate) listed: Ident,
    pub(crate) ident: Ident,
}

/// A type that stands for a policy without a struct.
pub(crate) struct Marker {
    pub(crate) name: String,
    pub(crate) ident: Ident,
    /// The user's own comments.
    pub(crate) docs: Vec<Attribute>,
    /// What hovering shows: where the policy comes from, and its settings.
    pub(crate) summary: String,
    /// What it states in the macro call; `None` for a policy of the file alone.
    pub(crate) declared: Option<Inline>,
}
