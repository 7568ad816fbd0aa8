//! From a [`BoundHandler`] to tokens: the handler with its policies written into its types, and the guard's type.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{FnArg, PathArguments, parse_quote};

use super::model::{Asks, BoundHandler, PolicyName, Requirement};
use super::shape::session_path;
use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::judge;

/// The handler, its guard and every mistake.
pub(crate) fn expand(bound: BoundHandler, errors: Errors) -> TokenStream {
    let BoundHandler { crate_path, mut handler, bindings, requirements } = bound;
    let guard = format_ident!("__session_guard_of_{}", handler.sig.ident.unraw());
    for binding in &bindings {
        let Some(FnArg::Typed(parameter)) = handler.sig.inputs.get_mut(binding.parameter) else { continue };
        let Some(session) = session_path(&mut parameter.ty).and_then(|path| path.segments.last_mut()) else {
            continue;
        };
        let policy = policy_type(&binding.policy);
        let guard = binding.guarded.then(|| quote!(, #guard));
        session.arguments = PathArguments::AngleBracketed(parse_quote!(<#policy #guard>));
    }
    let guard =
        (!requirements.is_empty()).then(|| guard_type(&crate_path, &guard, &handler.vis, &requirements));
    let errors = errors.into_compile_errors();
    let super::model::Handler { attrs, vis, defaultness, sig, body } = handler;
    // A handler is async because its caller asks for it, whether or not it awaits anything.
    let lints = sig.asyncness.is_some().then(|| quote!(#[allow(clippy::unused_async)]));
    quote! {
        #errors
        #guard
        #lints
        #(#attrs)* #vis #defaultness #sig #body
    }
}

/// The policy's type, on the span of the user's own token: the compiler looks it up there and suggests the right one.
fn policy_type(policy: &PolicyName) -> TokenStream {
    let (name, span) = match policy {
        PolicyName::Text(text) => (judge::marker(&text.value()), text.span()),
        PolicyName::Word(word) => (judge::marker(&word.unraw().to_string()), word.span()),
        PolicyName::Path(path) => return quote!(#path),
    };
    let marker = Ident::new(&name, span);
    quote_spanned!(span=> policies::#marker)
}

/// The type that carries the guard, as visible as the handler whose signature names it.
fn guard_type(
    krate: &CratePath,
    name: &Ident,
    vis: &syn::Visibility,
    requirements: &[Requirement],
) -> TokenStream {
    let steps = requirements.iter().map(|requirement| step(&requirement.asks));
    quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #vis enum #name {}

        impl #krate::Guard for #name {
            const REQUIREMENTS: #krate::Requirements = #krate::Requirements::none()#(#steps)*;
        }
    }
}

/// One requirement as a call of the builder.
fn step(asks: &Asks) -> TokenStream {
    match asks {
        Asks::Authenticated => quote!(.authenticated()),
        Asks::Kind(kind) => quote!(.kind(#kind)),
        Asks::Role(role) => quote!(.role(#role)),
        Asks::Fresh => quote!(.fresh()),
        Asks::FreshWithin(within) => {
            let (seconds, nanos) = (within.as_secs(), within.subsec_nanos());
            quote!(.fresh_within(::core::time::Duration::new(#seconds, #nanos)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::expand as session;
    use proc_macro2::TokenStream;
    use quote::quote;

    fn expanded(arguments: TokenStream, item: &TokenStream) -> String {
        flat(&session(arguments, item))
    }

    /// The tokens without the spaces and trailing commas that mean nothing.
    fn flat(tokens: &TokenStream) -> String {
        tokens.to_string().replace(' ', "").replace(",)", ")")
    }

    #[test]
    fn a_handler_stays_as_it_is_but_for_its_sessions() {
        let handler = quote!(
            /// Docs.
            #[axum::debug_handler]
            pub async fn me(session: sessions::Session, other: Option<Session>, Json(b): Json<u8>) -> u8 {
                b
            }
        );
        let expected = quote!(
            #[allow(clippy::unused_async)]
            /// Docs.
            #[axum::debug_handler]
            pub async fn me(
                session: sessions::Session<policies::ApiToken>,
                other: Option<Session<policies::ApiToken>>,
                Json(b): Json<u8>,
            ) -> u8 {
                b
            }
        );
        assert_eq!(expanded(quote!(policy = "api_token"), &handler), flat(&expected));
    }

    #[test]
    fn a_guard_is_a_type_in_the_session() {
        let text = expanded(
            quote!(policy = "admin", role = "admin", fresh, crate = shop::sessions),
            &quote!(
                pub(crate) async fn r#fn(session: Session) {}
            ),
        );
        assert!(text.contains("pub(crate)enum__session_guard_of_fn{}"), "{text}");
        assert!(text.contains("implshop::sessions::Guardfor__session_guard_of_fn"), "{text}");
        assert!(text.contains("shop::sessions::Requirements::none().role(\"admin\").fresh()"), "{text}");
        assert!(text.contains("session:Session<policies::Admin,__session_guard_of_fn>"), "{text}");
    }

    #[test]
    fn a_parameter_may_have_a_policy_of_its_own_without_the_guard() {
        let text = expanded(
            quote!(policy = "user_default", require = authenticated),
            &quote!(
                async fn two(a: Session, #[session("admin")] b: Session) {}
            ),
        );
        assert!(text.contains("a:Session<policies::UserDefault,__session_guard_of_two>"), "{text}");
        assert!(text.contains("b:Session<policies::Admin>"), "{text}");
    }

    #[test]
    fn a_wrong_handler_is_emitted_still() {
        let text = expanded(
            quote!(polcy = "admin"),
            &quote!(
                async fn f(session: Session) {}
            ),
        );
        assert!(text.contains("compile_error!"), "{text}");
        assert!(text.ends_with("asyncfnf(session:Session){}"), "{text}");
        let text = expanded(
            quote!(policy = "admin"),
            &quote!(
                struct S;
            ),
        );
        assert!(text.contains("compile_error!") && text.ends_with("structS;"), "{text}");
    }
}
