//! `#[session_policy]`: a struct that is a policy's typed data, and mostly the policy itself.
//! parse → model → check → expand.

mod check;
mod expand;
mod model;
mod parse;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// Expands `#[session_policy(arguments)] item`.
pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let arguments = parse::arguments(arguments, &mut errors);
    let target = parse::target(item.clone(), &mut errors);
    let implementation = target.map(|target| {
        let policy = check::check(arguments, target, &mut errors);
        expand::expand(&policy)
    });
    let errors = errors.into_compile_errors();
    quote::quote!(#errors #item #implementation)
}
