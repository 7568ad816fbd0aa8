//! A warning of the compiler at a place of the user's. Stable Rust lets no macro warn, but of what is deprecated it
//! tells where it is used: so each warning is an item of its own that is deprecated, and used once.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Ident;

/// One warning.
#[derive(Clone, Debug)]
pub(crate) struct Warning {
    /// The lint's id, which becomes the item's name.
    pub(crate) id: &'static str,
    /// What is to be told, with its place.
    pub(crate) note: String,
    /// What the compiler underlines.
    pub(crate) span: Span,
}

impl ToTokens for Warning {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { id, note, span } = self;
        let item = Ident::new(id, Span::call_site());
        let used = Ident::new(id, *span);
        tokens.extend(quote! {
            const _: () = {
                #[deprecated(note = #note)]
                const #item: () = ();
                #used
            };
        });
    }
}
