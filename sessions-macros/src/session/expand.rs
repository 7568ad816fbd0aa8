//! From a [`Bound`] item to tokens: its handlers with their policies and guards written into their types. Nothing else is
//! generated, so that a handler can stand anywhere.

use proc_macro2::{Delimiter, Group, Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{FnArg, PathArguments, parse_quote};

use super::model::{Asks, Bound, BoundContainer, BoundHandler, PolicyName, Requirement};
use super::shape::{Shape, session_path, shape};
use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::judge;

/// The item and every mistake.
pub(crate) fn expand(bound: Bound, errors: Errors) -> TokenStream {
    let errors = errors.into_compile_errors();
    let item = item(bound);
    quote!(#errors #item)
}

fn item(bound: Bound) -> TokenStream {
    match bound {
        Bound::Handler(bound) => handler(*bound),
        Bound::Container(bound) => container(bound),
        Bound::Other(tokens) => tokens,
    }
}

/// The container around its items, on the braces of the user's own.
fn container(bound: BoundContainer) -> TokenStream {
    let BoundContainer { attrs, vis, head, is_module, span, items, taken } = bound;
    let imports = (!taken.is_empty()).then(|| {
        quote! {
            const _: () = {
                #(#[allow(unused_imports)] use #taken as _;)*
            };
        }
    });
    let (inside, behind) = if is_module { (imports, None) } else { (None, imports) };
    let items = items.into_iter().map(item);
    let mut braces = Group::new(Delimiter::Brace, quote!(#(#items)* #inside));
    braces.set_span(span);
    quote!(#(#attrs)* #vis #head #braces #behind)
}

/// The handler with its policies and its guard.
fn handler(bound: BoundHandler) -> TokenStream {
    let BoundHandler { crate_path, mut handler, bindings, requirements } = bound;
    for binding in &bindings {
        let Some(FnArg::Typed(parameter)) = handler.sig.inputs.get_mut(binding.parameter) else { continue };
        let optional = shape(&parameter.ty) == Shape::Optional;
        let Some(session) = session_path(&mut parameter.ty).and_then(|path| path.segments.last_mut()) else {
            continue;
        };
        let policy = policy_type(&binding.policy);
        let guard = if optional {
            Some(quote!(, #crate_path::guard::IfStored))
        } else {
            binding.guarded.then(|| guard_type(&crate_path, &requirements))
        };
        session.arguments = PathArguments::AngleBracketed(parse_quote!(<#policy #guard>));
    }
    // A handler is async because its caller asks for it, whether or not it awaits anything.
    let lints = handler.sig.asyncness.is_some().then(|| quote!(#[allow(clippy::unused_async)]));
    let handler = handler.into_tokens();
    quote!(#lints #handler)
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

/// The second parameter of the session's type, with the comma before it.
fn guard_type(krate: &CratePath, requirements: &[Requirement]) -> TokenStream {
    // Each of the others asks for a login as well.
    let alone = requirements.iter().all(|requirement| requirement.asks == Asks::Authenticated);
    let needed = |requirement: &&Requirement| alone || requirement.asks != Asks::Authenticated;
    let guards: Vec<TokenStream> =
        requirements.iter().filter(needed).map(|requirement| guard(krate, &requirement.asks)).collect();
    match guards.as_slice() {
        [one] => quote!(, #one),
        several => quote!(, (#(#several),*)),
    }
}

/// One requirement as a type of the library.
fn guard(krate: &CratePath, asks: &Asks) -> TokenStream {
    match asks {
        Asks::Authenticated => quote!(#krate::guard::Authenticated),
        Asks::Kind(kind) => {
            let name = name(krate, kind);
            quote!(#krate::guard::Kind<#name>)
        }
        Asks::Role(role) => {
            let name = name(krate, role);
            quote!(#krate::guard::Role<#name>)
        }
        Asks::Fresh => quote!(#krate::guard::Fresh),
        Asks::FreshWithin(within) => {
            let (seconds, nanoseconds) = (within.as_secs(), within.subsec_nanos());
            if nanoseconds == 0 {
                quote!(#krate::guard::FreshWithin<#seconds>)
            } else {
                quote!(#krate::guard::FreshWithin<#seconds, #nanoseconds>)
            }
        }
    }
}

/// How many letters one word holds.
const LETTERS: usize = 32;

/// A text as a type that spells it.
fn name(krate: &CratePath, text: &str) -> TokenStream {
    let letters: Vec<char> = text.chars().collect();
    spell(krate, &letters)
}

fn spell(krate: &CratePath, letters: &[char]) -> TokenStream {
    let Some((word, rest)) = letters.split_at_checked(LETTERS).filter(|(_, rest)| !rest.is_empty()) else {
        return quote!(#krate::guard::Word<#(#letters),*>);
    };
    let rest = spell(krate, rest);
    quote!(#krate::guard::Word<#(#word,)* #rest>)
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
                other: Option<Session<policies::ApiToken, ::sessions::guard::IfStored>>,
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
            quote!(policy = "admin", require = authenticated, role = "boss", fresh, crate = shop::sessions),
            &quote!(
                pub(crate) async fn r#fn(session: Session) {}
            ),
        );
        let expected = "session:Session<policies::Admin,(shop::sessions::guard::Role<shop::sessions::guard::Word\
                        <'b','o','s','s'>>,shop::sessions::guard::Fresh)>";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_long_name_goes_on_in_another_word() {
        let role = "x".repeat(33);
        let text = expanded(
            quote!(policy = "admin", role = #role),
            &quote!(
                fn f(session: Session) {}
            ),
        );
        assert!(text.contains("'x',::sessions::guard::Word<'x'>>"), "{text}");
        assert_eq!(text.matches("'x'").count(), 33);
    }

    #[test]
    fn a_parameter_may_have_a_policy_of_its_own_without_the_guard() {
        let text = expanded(
            quote!(policy = "user_default", require = authenticated),
            &quote!(
                async fn two(a: Session, #[session("admin")] b: Session) {}
            ),
        );
        assert!(text.contains("a:Session<policies::UserDefault,::sessions::guard::Authenticated>"), "{text}");
        assert!(text.contains("b:Session<policies::Admin>"), "{text}");
    }

    #[test]
    fn a_default_is_for_handlers_without_an_attribute_of_their_own() {
        let text = expanded(
            quote!(policy = "admin", require = authenticated),
            &quote! {
                mod office {
                    fn a(s: Session) {}
                    #[session(fresh)]
                    fn b(s: Session) {}
                    #[session(policy = "api_token")]
                    fn c(s: Session) {}
                    fn d(s: &Session, t: u8) {}
                    impl Desk {
                        fn e(&self, s: Session, #[session("shop")] t: Session) {}
                    }
                }
            },
        );
        let guarded = "Session<policies::Admin,::sessions::guard::Authenticated>";
        assert!(text.contains(&format!("fna(s:{guarded}){{}}")), "{text}");
        assert!(text.contains("fnb(s:Session<policies::Admin,::sessions::guard::Fresh>){}"), "{text}");
        assert!(text.contains("fnc(s:Session<policies::ApiToken>){}"), "{text}");
        assert!(text.contains("fnd(s:&Session,t:u8){}"), "{text}");
        assert!(text.contains(&format!("fne(&self,s:{guarded},t:Session<policies::Shop>){{}}")), "{text}");
        assert!(!text.contains("#[session"), "{text}");
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
        assert!(text.ends_with("asyncfnf(session:Session<policies::Admin>){}"), "{text}");
        let text = expanded(
            quote!(policy = "admin"),
            &quote!(
                struct S;
            ),
        );
        assert!(text.contains("compile_error!") && text.ends_with("structS;"), "{text}");
    }
}
