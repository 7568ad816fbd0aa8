//! Reading comma-separated items past a mistake in one of them, so that one mistake doesn't hide the next.

use proc_macro2::TokenTree;
use syn::Token;
use syn::parse::ParseStream;

use crate::errors::Errors;

/// Calls `item` for each comma-separated item of `input`. After a mistake it goes on behind the next comma.
pub(crate) fn each_item(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut item: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    while !input.is_empty() {
        if let Err(error) = item(input, errors) {
            errors.push(error);
            skip_item(input);
        }
        if input.is_empty() {
            return;
        }
        if let Err(error) = input.parse::<Token![,]>() {
            errors.push(error);
            skip_item(input);
            // Either a comma stands here, or the input is at its end.
            let _ = input.parse::<Token![,]>();
        }
    }
}

/// Skips what is left of an item, up to the comma that ends it.
fn skip_item(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}
