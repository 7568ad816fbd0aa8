//! From tokens to [`Arguments`] and [`Target`].

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Fields, Ident, Item, LitStr, Token};

use super::model::{Arguments, Target};
use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::list::each_item;
use crate::settings;

/// The arguments that aren't keys of the policy, each with an example.
const OWN: [(&str, &str); 4] =
    [("name", "checkout"), ("policy", "user_default"), ("namespace", "checkout"), ("file", "sessions.toml")];

/// Reads the arguments of the attribute.
pub(crate) fn arguments(tokens: TokenStream, errors: &mut Errors) -> Arguments {
    let mut arguments = Arguments::default();
    let parser = |input: ParseStream<'_>| {
        each_item(input, errors, |input, errors| argument(input, &mut arguments, errors));
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
    arguments
}

/// Reads one argument: one of ours, or a setting of the policy.
fn argument(input: ParseStream<'_>, arguments: &mut Arguments, errors: &mut Errors) -> syn::Result<()> {
    if CratePath::is_next(input) {
        return arguments.crate_path.read(input);
    }
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        errors.at(text.span(), format!("name the argument: `name = \"{}\"`", text.value()));
        arguments.name.get_or_insert(text);
        return Ok(());
    }
    let word = input.fork().call(Ident::parse_any)?;
    let Some((key, example)) = OWN.into_iter().find(|(key, _)| word == key) else {
        return settings::read(input, "", &mut arguments.settings, errors);
    };
    input.call(Ident::parse_any)?;
    input.parse::<Token![=]>()?;
    let value: LitStr = input.parse().map_err(|error| {
        syn::Error::new(error.span(), format!("`{key}` takes a text in quotes: `{key} = \"{example}\"`"))
    })?;
    let place = match key {
        "name" => &mut arguments.name,
        "policy" => &mut arguments.policy,
        "namespace" => &mut arguments.namespace,
        _ => &mut arguments.file,
    };
    if place.is_some() {
        errors.at(word.span(), format!("`{key}` is given twice"));
    }
    place.get_or_insert(value);
    Ok(())
}

/// Reads the struct. `None`, with an error, where the item can't be a policy.
pub(crate) fn target(item: TokenStream, errors: &mut Errors) -> Option<Target> {
    let item = match syn::parse2::<Item>(item) {
        Ok(item) => item,
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    let Item::Struct(item) = item else {
        errors.at(
            head(&item),
            "`#[session_policy]` goes on a struct with named fields: each field is a key of the session",
        );
        return None;
    };
    if !matches!(item.fields, Fields::Named(_)) {
        errors.at(
            item.ident.span(),
            format!(
                "`{0}` needs named fields, each is a key of the session: `struct {0} {{ … }}`",
                item.ident
            ),
        );
    }
    if !item.generics.params.is_empty() {
        errors.on(
            &item.generics.params,
            format!("a policy is one type: `{}` can't have parameters", item.ident),
        );
        return None;
    }
    Some(Target { ident: item.ident })
}

/// The word that tells what an item is, or the whole item.
fn head(item: &Item) -> proc_macro2::Span {
    match item {
        Item::Enum(item) => item.enum_token.span(),
        Item::Union(item) => item.union_token.span(),
        Item::Fn(item) => item.sig.ident.span(),
        Item::Type(item) => item.type_token.span(),
        other => other.span(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn settings_and_own_arguments_are_told_apart() {
        let mut errors = Errors::default();
        let arguments = arguments(
            quote!(
                name = "checkout",
                extends = "user_default",
                transport(cookie_samesite = "strict"),
                file = "a.toml"
            ),
            &mut errors,
        );
        assert_eq!(errors.texts(), [""; 0]);
        assert_eq!(arguments.name.map(|name| name.value()).as_deref(), Some("checkout"));
        assert_eq!(arguments.file.map(|file| file.value()).as_deref(), Some("a.toml"));
        let keys: Vec<&str> = arguments.settings.iter().map(|setting| setting.key.as_str()).collect();
        assert_eq!(keys, ["extends", "transport.cookie_samesite"]);
    }

    #[test]
    fn only_a_plain_struct_is_a_policy() {
        let mut errors = Errors::default();
        assert!(
            target(
                quote!(
                    enum E {
                        A,
                    }
                ),
                &mut errors
            )
            .is_none()
        );
        assert!(
            target(
                quote!(
                    struct S<T> {
                        t: T,
                    }
                ),
                &mut errors
            )
            .is_none()
        );
        // The implementation is generated still, so that its uses don't fail too.
        assert!(
            target(
                quote!(
                    struct T(u8);
                ),
                &mut errors
            )
            .is_some()
        );
        assert!(
            target(
                quote!(
                    struct U;
                ),
                &mut errors
            )
            .is_some()
        );
        assert_eq!(errors.texts().len(), 4);
        assert!(
            target(
                quote!(
                    pub struct S {
                        a: u8,
                    }
                ),
                &mut errors
            )
            .is_some()
        );
        assert_eq!(errors.texts().len(), 4);
    }
}
