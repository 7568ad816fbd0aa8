//! What `#[session_policy]` works on: its arguments, the struct's name, and the policy that they make.

use proc_macro2::TokenStream;
use syn::{Ident, LitStr};

use crate::crate_path::CratePath;
use crate::lookup::PolicyFile;
use crate::settings::Setting;
use crate::warning::Warning;

/// The arguments of the attribute.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) crate_path: CratePath,
    /// The policy that the struct declares.
    pub(crate) name: Option<LitStr>,
    /// The policy of the file whose data the struct types.
    pub(crate) policy: Option<LitStr>,
    pub(crate) namespace: Option<LitStr>,
    pub(crate) file: Option<LitStr>,
    pub(crate) settings: Vec<Setting>,
}

/// The struct under the attribute.
pub(crate) struct Target {
    pub(crate) ident: Ident,
}

/// A struct policy, checked.
pub(crate) struct StructPolicy {
    pub(crate) crate_path: CratePath,
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) namespace: Option<LitStr>,
    /// The file that the check has read, whose changes ask for a new build.
    pub(crate) file: Option<PolicyFile>,
    pub(crate) declares: Declares,
    pub(crate) warnings: Vec<Warning>,
    /// What the struct's documentation says of its policy.
    pub(crate) summary: String,
}

/// Whether the struct declares its policy or borrows it.
pub(crate) enum Declares {
    /// It types the data of a policy that the file declares.
    Nothing,
    /// It declares the policy with these settings.
    Policy { name_tokens: TokenStream, settings: Vec<Setting> },
}
