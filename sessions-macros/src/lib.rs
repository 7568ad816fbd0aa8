//! The macros of the `sessions` library, which exports them: `use sessions::{policies, session, session_policy};`.
//!
//! Each macro is a folder with the same four files: parse → model → check → expand. What a policy may say is judged
//! by `sessions-policy`, with the code that runs at start; nothing here knows a key or a rule.

mod crate_path;
mod declaration;
mod dependency;
mod errors;
mod judge;
mod list;
mod lookup;
mod names;
mod place;
mod policies;
mod salvage;
mod session;
mod session_policy;
mod settings;
mod spelling;
mod warning;

use proc_macro::TokenStream;

#[doc = include_str!("../docs/policies.md")]
#[proc_macro]
pub fn policies(input: TokenStream) -> TokenStream {
    policies::expand(input.into()).into()
}

#[doc = include_str!("../docs/session_policy.md")]
#[proc_macro_attribute]
pub fn session_policy(arguments: TokenStream, item: TokenStream) -> TokenStream {
    session_policy::expand(arguments.into(), &item.into()).into()
}

#[doc = include_str!("../docs/session.md")]
#[proc_macro_attribute]
pub fn session(arguments: TokenStream, item: TokenStream) -> TokenStream {
    session::expand(arguments.into(), &item.into()).into()
}
