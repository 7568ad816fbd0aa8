//! From a [`StructPolicy`] to tokens: the implementation of `Policy` for the struct.

use proc_macro2::{TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use super::model::{Declares, StructPolicy};
use crate::{declaration, place};

/// The implementation.
pub(crate) fn expand(policy: &StructPolicy) -> TokenStream {
    let StructPolicy { crate_path: krate, ident, name, namespace, file, declares, warnings, .. } = policy;
    let namespace = namespace.as_ref().map(|namespace| quote!(const NAMESPACE: &'static str = #namespace;));
    let declaration = match declares {
        Declares::Nothing => quote!(::core::option::Option::None),
        Declares::Policy { name_tokens, settings } => {
            let declaration = declaration::constant(krate, name, place::first(name_tokens), settings);
            quote!(::core::option::Option::Some(#declaration))
        }
    };
    let tracked = file.as_ref().map(|file| {
        let path = &file.path;
        quote!(
            const _: &str = ::core::include_str!(#path);
        )
    });
    // On the struct's name, so that a missing `Serialize` underlines the struct.
    let data = quote_spanned!(ident.span()=> #ident);
    quote! {
        impl #krate::Policy for #ident {
            const NAME: &'static str = #name;
            type Data = #data;
            #namespace
            const DECLARATION: ::core::option::Option<#krate::__private::Declaration> = #declaration;
        }
        #tracked
        #(#warnings)*
    }
}

/// The item with `summary` behind the comments that it has.
pub(crate) fn documented(item: &TokenStream, summary: &str) -> TokenStream {
    let mut tokens = item.clone().into_iter().peekable();
    let mut attributes = TokenStream::new();
    while matches!(tokens.peek(), Some(TokenTree::Punct(hash)) if hash.as_char() == '#') {
        attributes.extend(tokens.by_ref().take(2));
    }
    // An empty line, so that a comment of the user's ends before it.
    quote!(#attributes #[doc = ""] #[doc = #summary] #(#tokens)*)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_follows_the_users_own_comments() {
        let item = quote!(
            /// A cart.
            #[derive(Default)]
            pub struct Cart {
                items: u8,
            }
        );
        let expected = quote!(
            /// A cart.
            #[derive(Default)]
            #[doc = ""]
            #[doc = "The policy."]
            pub struct Cart {
                items: u8,
            }
        );
        assert_eq!(documented(&item, "The policy.").to_string(), expected.to_string());
    }
}
