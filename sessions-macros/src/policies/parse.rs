//! From tokens to [`Arguments`].

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Path, Token, braced, parenthesized, token};

use super::model::{Arguments, Inline, Listed};
use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::judge;
use crate::list::each_item;
use crate::settings;

/// Reads everything between the parentheses.
pub(crate) fn arguments(input: TokenStream, errors: &mut Errors) -> Arguments {
    let mut arguments = Arguments::default();
    let parser = |input: ParseStream<'_>| {
        each_item(input, errors, |input, errors| item(input, &mut arguments, errors));
        Ok(())
    };
    if let Err(error) = parser.parse2(input) {
        errors.push(error);
    }
    arguments
}

/// Reads the file's name, a struct or an inline policy.
fn item(input: ParseStream<'_>, arguments: &mut Arguments, errors: &mut Errors) -> syn::Result<()> {
    let attrs = input.call(Attribute::parse_outer)?;
    if starts_quoted(input) {
        arguments.inline.push(quoted(attrs, input, errors)?);
        return Ok(());
    }
    if starts_inline(input) {
        arguments.inline.push(inline(attrs, input, errors)?);
        return Ok(());
    }
    if let Some(attribute) = attrs.first() {
        errors.on(attribute, "only a policy that is declared here can have comments");
    }
    if CratePath::is_next(input) {
        return arguments.crate_path.read(input);
    }
    if input.peek(LitStr) {
        let file: LitStr = input.parse()?;
        if arguments.file.is_some() {
            errors.at(
                file.span(),
                "there is one policy file: declare further policies in it, or here in braces",
            );
        }
        arguments.file.get_or_insert(file);
        return Ok(());
    }
    let path = listed(input)?;
    let renamed = input.parse::<Option<Token![as]>>()?.map(|_| input.parse::<Ident>()).transpose()?;
    if let Some(ident) = renamed.or_else(|| path.segments.last().map(|last| last.ident.clone())) {
        arguments.listed.push(Listed { path, ident });
    }
    Ok(())
}

/// Whether `name: {…}` stands next, in one of its spellings.
fn starts_inline(input: ParseStream<'_>) -> bool {
    let path = input.peek2(Token![::]);
    let word = input.peek(Ident::peek_any) && !input.peek(Token![crate]);
    word && !path
        && (input.peek2(Token![:])
            || input.peek2(Token![=])
            || input.peek2(token::Brace)
            || input.peek2(token::Paren))
}

/// Whether `"name": {…}` stands next.
fn starts_quoted(input: ParseStream<'_>) -> bool {
    input.peek(LitStr) && (input.peek2(Token![:]) || input.peek2(Token![=]) || input.peek2(token::Brace))
}

/// Reads an inline policy whose name stands in quotes, as if it didn't.
fn quoted(attrs: Vec<Attribute>, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Inline> {
    let text: LitStr = input.parse()?;
    let name = text.parse_with(Ident::parse_any).map_err(|_| {
        syn::Error::new(text.span(), "a policy's name is written without quotes, as in `partner: { … }`")
    })?;
    errors.at(text.span(), format!("write the name without quotes: `{name}: {{ … }}`"));
    inline_named(attrs, Ident::new(&name.to_string(), text.span()), input, errors)
}

/// Reads an inline policy.
fn inline(attrs: Vec<Attribute>, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Inline> {
    let name = input.call(Ident::parse_any)?;
    inline_named(attrs, name, input, errors)
}

/// Reads what follows the name of an inline policy.
fn inline_named(
    attrs: Vec<Attribute>,
    name: Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Inline> {
    let (docs, others): (Vec<_>, Vec<_>) =
        attrs.into_iter().partition(|attribute| attribute.path().is_ident("doc"));
    for other in others {
        errors.on(other, "a policy that is declared here takes doc comments, and no other attribute");
    }
    if input.peek(Token![:]) {
        input.parse::<Token![:]>()?;
    } else if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
    }
    let mut declared = Inline { docs, name, settings: Vec::new() };
    let inner;
    if input.peek(token::Brace) {
        braced!(inner in input);
    } else if input.peek(token::Paren) {
        parenthesized!(inner in input);
    } else if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        errors.at(text.span(), in_braces(&declared.name, &text.value()));
        return Ok(declared);
    } else {
        return Err(input.error(format!("a policy has settings: `{}: {{ ttl: \"1h\" }}`", declared.name)));
    }
    settings::read_all(&inner, "", &mut declared.settings, errors);
    Ok(declared)
}

/// What to write instead of a text for a whole policy.
fn in_braces(name: &Ident, text: &str) -> String {
    let setting = if judge::name(text).is_ok() { "extends" } else { "ttl" };
    format!("a policy has settings: `{name}: {{ {setting}: \"{text}\" }}`")
}

/// Reads the path of a struct.
fn listed(input: ParseStream<'_>) -> syn::Result<Path> {
    let start = input.span();
    let path = input.call(Path::parse_mod_style).map_err(|_| {
        syn::Error::new(
            start,
            "expected the policy file `\"sessions.toml\"`, a struct with `#[session_policy]`, or `name: { … }`",
        )
    })?;
    let Some(word) = path.get_ident().map(ToString::to_string) else { return Ok(path) };
    if word.starts_with(|first: char| first.is_lowercase()) {
        return Err(syn::Error::new(
            start,
            format!(
                "`{word}` isn't a struct: the file's policies are there without being listed; to declare one here, \
                 write `{word}: {{ … }}`"
            ),
        ));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::{ToTokens, quote};

    fn read(tokens: TokenStream) -> (Arguments, Vec<String>) {
        let mut errors = Errors::default();
        let arguments = arguments(tokens, &mut errors);
        (arguments, errors.texts())
    }

    #[test]
    fn file_structs_and_inline_policies_are_told_apart() {
        let (arguments, errors) = read(quote! {
            "sessions.toml",
            Checkout, shop::Basket, crate::Cart,
            /// for partners
            partner_api: { extends: "api_token", transport: { header_name: "X-Partner" } },
            short(ttl = "1h"),
            crate = ::shop::sessions,
        });
        assert_eq!(errors, [""; 0]);
        assert_eq!(arguments.file.map(|file| file.value()).as_deref(), Some("sessions.toml"));
        let listed: Vec<String> = arguments
            .listed
            .iter()
            .map(|listed| listed.path.to_token_stream().to_string().replace(' ', ""))
            .collect();
        assert_eq!(listed, ["Checkout", "shop::Basket", "crate::Cart"]);
        let inline: Vec<String> = arguments.inline.iter().map(Inline::name).collect();
        assert_eq!(inline, ["partner_api", "short"]);
        assert_eq!(arguments.inline[0].docs.len(), 1);
        assert_eq!(arguments.inline[0].settings[1].key, "transport.header_name");
        assert_eq!(arguments.crate_path.to_token_stream().to_string().replace(' ', ""), "::shop::sessions");
    }

    #[test]
    fn a_mistake_does_not_hide_the_next() {
        let (arguments, errors) = read(quote!("a.toml", checkout, "b.toml", 3, short: "1h", Checkout));
        assert_eq!(errors.len(), 4, "{errors:#?}");
        assert_eq!(arguments.listed.len(), 1);
    }
}
