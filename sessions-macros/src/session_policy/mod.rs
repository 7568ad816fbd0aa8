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
    let is_read = errors.is_empty();
    let expanded = target.map(|target| {
        let mut policy = check::check(arguments, target, &mut errors);
        if !is_read {
            // What couldn't be read is missing, so that a lint would warn of what the user wrote.
            policy.warnings.clear();
        }
        (expand::documented(item, &policy.summary), expand::expand(&policy))
    });
    let errors = errors.into_compile_errors();
    let Some((item, implementation)) = expanded else { return quote::quote!(#errors #item) };
    quote::quote!(#errors #item #implementation)
}
