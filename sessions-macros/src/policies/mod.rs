//! `policies!`: the module with a type for each policy, and the registry. parse → model → check → expand.

mod check;
mod expand;
mod model;
mod parse;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// Expands `policies!(input)`.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let arguments = parse::arguments(input, &mut errors);
    let is_read = errors.is_empty();
    let mut module = check::check(arguments, &mut errors);
    if !is_read {
        // What couldn't be read is missing, so that a lint would warn of what the user wrote.
        module.warnings.clear();
    }
    let errors = errors.into_compile_errors();
    let module = expand::expand(&module);
    quote::quote!(#errors #module)
}
