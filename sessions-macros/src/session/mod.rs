//! `#[session]`: binds a handler, or all handlers of an `impl` or a `mod`, to a policy and puts the guard before the body.
//! parse → model → check → expand.

mod check;
mod defaults;
mod expand;
mod items;
mod model;
mod parse;
mod shape;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// Expands `#[session(arguments)] item`.
pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let arguments = parse::arguments(arguments, &mut errors);
    let Some(target) = items::target(item.clone(), &mut errors) else {
        let errors = errors.into_compile_errors();
        return quote::quote!(#errors #item);
    };
    let bound = check::check(arguments, target, &mut errors);
    expand::expand(bound, errors)
}
