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

/// Declares a program's policies: makes `pub mod policies`, with a type for each policy and `policies::Registry`.
///
/// Mostly it is one line: `sessions::policies!("sessions.toml", Checkout);`.
///
/// - `"sessions.toml"`: the policy file. It is looked for beside the source file of the call, then in the package's
///   folder and its parents up to the workspace's root. It becomes part of the binary, and when it changes, the crate
///   is built anew. Each of its policies becomes a type, `user_default` the type `policies::UserDefault`, whose
///   documentation shows the policy's settings.
/// - `Checkout`, `shop::Basket`: structs of this crate with [`#[session_policy]`](macro@session_policy), by paths that
///   begin in the module of the call. A struct that is named like a policy of the file stands for that policy.
/// - `Cart as Basket`: a struct `Cart` that declares the policy `basket`. Handlers look a policy up by its name, so a
///   struct that is named otherwise is listed under the type's name that the policy's makes.
/// - `name: { … }`: a policy that is declared here. The file may have a table of the same name, which overrides it.
///
/// ```
/// use sessions::Policy;
///
/// sessions::policies! {
///     Checkout,
///     /// What partners' programs use.
///     partner_api: {
///         extends: "api_token",
///         ttl: "15min",
///         transport: { header_name: "X-Partner" },
///         concurrency.max_sessions_per_principal: 3,
///     },
/// }
///
/// #[sessions::session_policy(extends = "user_default", ttl = "20min", idle_timeout = "10min")]
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// pub struct Checkout {
///     step: u8,
/// }
///
/// fn main() {
///     assert_eq!(policies::PartnerApi::NAME, "partner_api");
///     assert_eq!(policies::Checkout::NAME, "checkout");
/// }
/// ```
///
/// The argument `crate = path` names the runtime crate, where the package doesn't depend on it itself. A dependency that
/// `Cargo.toml` renames is found.
///
/// # Warnings
/// What a lint finds that not every profile refuses is a warning of the compiler: the use of a deprecated constant that
/// has the lint's id as its name and place, reason and fix as its note. `allow = [{ rule, reason, owner, until }]` in
/// the policy suppresses it.
///
/// # Errors
/// The build fails, with every problem at once:
/// - the file isn't found, or isn't what a policy file may be; each problem comes with the file's line and column
/// - an inline policy breaks a rule; the problem stands at its token
/// - two policies would be one type, or one name is declared twice, here, by structs, or by both
/// - a struct is listed under another name than its policy's
#[proc_macro]
pub fn policies(input: TokenStream) -> TokenStream {
    policies::expand(input.into()).into()
}

/// Makes a struct a policy: its fields are the session's typed data.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sessions::{Policy, session_policy};
///
/// #[session_policy(name = "checkout", extends = "user_default", ttl = "20min", idle_timeout = "10min")]
/// #[derive(Default, Serialize, Deserialize)]
/// pub struct Checkout {
///     step: u8,
///     items: Vec<String>,
/// }
///
/// assert_eq!(Checkout::NAME, "checkout");
/// ```
///
/// Every key of a policy is an argument; keys of a table are written `transport(cookie_samesite = "strict")` or
/// `transport.cookie_samesite = "strict"`. List the struct in [`policies!`](macro@policies): then a registry runs it.
///
/// - `name = "checkout"`: the policy's name; without it, the struct's name as `snake_case`. Where the two differ, the
///   struct is listed as `policies!(…, Cart as Basket)`, so that `#[session(policy = "basket")]` finds it
/// - `namespace = "checkout"`: under which its fields are kept; without it, the policy's name
/// - `file = "sessions.toml"`: the file against which `extends` is resolved; this is the default, where it exists
/// - `policy = "user_default"`: types the data of a policy that the file declares, instead of declaring one
/// - `crate = path`: the runtime crate, where the package doesn't depend on it itself
///
/// The struct needs `Default`, `Serialize` and `Deserialize`, and stays as it is.
///
/// # Errors
/// The build fails, with every problem at once, at the key or the value that is wrong.
#[proc_macro_attribute]
pub fn session_policy(arguments: TokenStream, item: TokenStream) -> TokenStream {
    session_policy::expand(arguments.into(), &item.into()).into()
}

/// Binds a handler, or all handlers of an `impl` or a `mod`, to a policy, and puts a guard before it.
///
/// ```
/// use axum::{Router, routing::get};
/// use sessions::{Session, session};
///
/// sessions::policies!(api_token: { extends: "api_token" });
///
/// #[session(policy = "api_token", require = authenticated)]
/// async fn me(session: Session) -> String {
///     session.principal().map_or_else(String::new, |principal| principal.id().to_owned())
/// }
///
/// fn main() {
///     let _: Router = Router::new().route("/me", get(me));
/// }
/// ```
///
/// Parameters of the type `Session` or `Option<Session>` become sessions of that policy. The policy is the type
/// `policies::ApiToken`, looked up where the handler stands (`use crate::policies;`). A path instead of the text names
/// any other type: `policy = shop::policies::ApiToken`. Nothing else changes: the function can be called and tested as
/// it is written.
/// The attribute stands above `#[axum::debug_handler]`.
///
/// A guard refuses a request before the body runs:
/// - `require = authenticated`: someone is logged in
/// - `kind = "service"`: the principal is of this kind
/// - `role = "admin"`, `role = ["admin", "auditor"]`: the principal has the role, or all of at most four
/// - `fresh` or `require = fresh`: the login is at most as old as the policy's `fresh_for`
/// - `fresh = "5min"`: the login is at most as old as this
///
/// Each of the others asks for a login as well. An `Option<Session>` can't be guarded. Routes whose handlers need no
/// session are guarded by the layer `sessions::require`.
///
/// On an `impl`, a `trait` or a `mod` it is the default of every function in it that takes a `Session` or an
/// `Option<Session>`; all others are left alone. A handler's own attribute adds its guards to the default's, in place of
/// one of the same sort; one that names a policy stands alone:
///
/// ```
/// use sessions::{Session, session};
///
/// sessions::policies!(admin: { extends: "admin" });
///
/// struct Office;
///
/// #[session(policy = "admin", require = authenticated)]
/// impl Office {
///     async fn desk(session: Session) {}
///
///     #[session(role = "boss")]
///     async fn close(session: Session) {}
///
///     #[session(policy = "admin")]
///     async fn door(session: Session) {}
/// }
/// # fn main() {}
/// ```
///
/// In a `mod`, `policies` is looked up inside: `use super::policies;`.
///
/// A parameter may have a policy of its own, so that one handler takes two sessions. The guard isn't for it:
///
/// ```
/// use sessions::{Session, session};
///
/// sessions::policies!(user_default: { extends: "user_default" }, admin: { extends: "admin" });
///
/// #[session(policy = "user_default", require = authenticated)]
/// async fn welcome(user: Session, #[session("admin")] admin: Option<Session>) -> &'static str {
///     if admin.is_some_and(|admin| admin.is_authenticated()) { "welcome back, boss" } else { "welcome" }
/// }
/// # fn main() {}
/// ```
///
/// The argument `crate = path` names the runtime crate, where the package doesn't depend on it itself. A dependency that
/// `Cargo.toml` renames is found.
///
/// # Errors
/// The build fails, with every problem at once: on a policy that doesn't exist, on a handler that takes no session, and
/// on a guard that would guard nothing.
#[proc_macro_attribute]
pub fn session(arguments: TokenStream, item: TokenStream) -> TokenStream {
    session::expand(arguments.into(), &item.into()).into()
}
