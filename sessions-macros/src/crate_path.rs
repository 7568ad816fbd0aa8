//! Where generated code finds the runtime crate: what the argument `crate = …` says, else the name
//! under which the package depends on it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::parse::ParseStream;
use syn::{Path, Token};

use crate::dependency;

/// The path of the runtime crate in generated code. Everything generated goes through it.
#[derive(Clone, Default)]
pub(crate) struct CratePath {
    given: Option<Path>,
}

impl CratePath {
    /// Whether the argument `crate = path` stands next.
    pub(crate) fn is_next(input: ParseStream<'_>) -> bool {
        input.peek(Token![crate]) && input.peek2(Token![=])
    }

    /// Reads `crate = path` and keeps the path.
    ///
    /// # Errors
    /// - the argument was given before, or what follows isn't a path
    pub(crate) fn read(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let keyword: Token![crate] = input.parse()?;
        input.parse::<Token![=]>()?;
        let path = input.call(Path::parse_mod_style)?;
        if self.given.is_some() {
            return Err(syn::Error::new(keyword.span, "`crate` is given twice"));
        }
        self.given = Some(path);
        Ok(())
    }

    /// This path where one was given, else the other.
    pub(crate) fn or(&self, other: &Self) -> Self {
        if self.given.is_some() { self.clone() } else { other.clone() }
    }

    /// The path with `span`, for tokens whose errors belong to one of the user's own.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        self.given.as_ref().map_or_else(
            || {
                let name = Ident::new(&dependency::name(), span);
                quote_spanned!(span=> ::#name)
            },
            ToTokens::to_token_stream,
        )
    }
}

impl ToTokens for CratePath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.at(Span::call_site()));
    }
}
