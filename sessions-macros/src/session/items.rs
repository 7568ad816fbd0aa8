//! Reading items without reading bodies: the handler under the attribute, or the `impl`, `trait` or `mod` whose handlers
//! it is for. What isn't a handler stays as its tokens.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Signature, Token, Visibility};

use super::model::{Container, Handler, Item};
use crate::errors::Errors;

/// Reads the item under the attribute. `None`, with an error, where it can hold no handler.
pub(crate) fn target(tokens: TokenStream, errors: &mut Errors) -> Option<Item> {
    let tokens = match lone_handler(tokens) {
        Ok(handler) => return Some(Item::Handler(Box::new(handler))),
        Err(tokens) => tokens,
    };
    let parser = |input: ParseStream<'_>| {
        let start = input.fork();
        start.call(Attribute::parse_outer)?;
        start.parse::<Visibility>()?;
        match item(input)? {
            Item::Other(_) => Err(start.error(
                "`#[session]` goes on a handler, or on the `impl` or the `mod` whose handlers it is for",
            )),
            target => Ok(target),
        }
    };
    parser.parse2(tokens).map_err(|error| errors.push(error)).ok()
}

/// Reads an item that is nothing but a function with a body. The body isn't even looked into: most of what a build
/// spends on a handler would be spent there.
fn lone_handler(tokens: TokenStream) -> Result<Handler, TokenStream> {
    let mut head: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let Some(body) = head.pop_if(|last| is_braces(last)) else { return Err(tokens) };
    let parser = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let (defaultness, sig) = function(input).ok_or_else(|| input.error("not a function"))?;
        Ok(Handler { attrs, vis, defaultness, sig, body: body.into() })
    };
    parser.parse2(head.into_iter().collect()).map_err(|_| tokens)
}

/// Reads the items between the braces of an `impl`, a `trait` or a `mod`.
fn items(input: ParseStream<'_>) -> syn::Result<Vec<Item>> {
    let mut items = Vec::new();
    for attribute in input.call(Attribute::parse_inner)? {
        items.push(Item::Other(attribute.into_token_stream()));
    }
    while !input.is_empty() {
        items.push(item(input)?);
    }
    Ok(items)
}

/// Reads one item.
fn item(input: ParseStream<'_>) -> syn::Result<Item> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis: Visibility = input.parse()?;
    if let Some((defaultness, sig)) = function(input) {
        let body = input.parse::<TokenTree>()?.into();
        return Ok(Item::Handler(Box::new(Handler { attrs, vis, defaultness, sig, body })));
    }
    let is_container = starts_container(input);
    let is_module = input.peek(Token![mod]) || input.peek2(Token![mod]);
    let mut tokens = tokens_of_item(input)?;
    if is_container && let Some(TokenTree::Group(body)) = tokens.pop_if(|last| is_braces(last)) {
        let items = items.parse2(body.stream())?;
        let head = tokens.into_iter().collect();
        return Ok(Item::Container(Container { attrs, vis, head, is_module, span: body.span(), items }));
    }
    let mut other: TokenStream = attrs.iter().map(ToTokens::to_token_stream).collect();
    vis.to_tokens(&mut other);
    other.extend(tokens);
    Ok(Item::Other(other))
}

/// Reads a function up to its body, if one stands next.
fn function(input: ParseStream<'_>) -> Option<(Option<Token![default]>, Signature)> {
    let ahead = input.fork();
    let defaultness = ahead.parse().ok()?;
    let begins = ahead.peek(Token![fn])
        || ahead.peek(Token![async])
        || ahead.peek(Token![unsafe])
        || ahead.peek(Token![extern])
        || (ahead.peek(Token![const]) && !ahead.peek3(Token![:]));
    let sig = if begins { ahead.parse().ok()? } else { return None };
    input.advance_to(&ahead);
    Some((defaultness, sig))
}

/// Whether an `impl`, a `trait` or a `mod` stands next.
fn starts_container(input: ParseStream<'_>) -> bool {
    let begins = |input: ParseStream<'_>| {
        input.peek(Token![impl]) || input.peek(Token![trait]) || input.peek(Token![mod])
    };
    if input.peek(Token![unsafe]) || input.peek(Token![default]) {
        let ahead = input.fork();
        return ahead.parse::<TokenTree>().is_ok() && begins(&ahead);
    }
    begins(input)
}

/// Takes the tokens of an item: up to its semicolon, or up to its body.
fn tokens_of_item(input: ParseStream<'_>) -> syn::Result<Vec<TokenTree>> {
    let has_no_body = input.peek(Token![const])
        || input.peek(Token![static])
        || input.peek(Token![use])
        || input.peek(Token![type])
        || (input.peek(Token![extern]) && input.peek2(Token![crate]));
    let mut tokens = Vec::new();
    while !input.is_empty() {
        let token: TokenTree = input.parse()?;
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            // Braces that go on with these are an argument of a type: no item begins so.
            braces if is_braces(braces) => !has_no_body && !input.peek(Token![>]) && !input.peek(Token![,]),
            _ => false,
        };
        tokens.push(token);
        if ends {
            break;
        }
    }
    Ok(tokens)
}

fn is_braces(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn read(tokens: TokenStream) -> Item {
        let mut errors = Errors::default();
        let item = target(tokens, &mut errors);
        assert_eq!(errors.texts(), [""; 0]);
        item.expect("an item")
    }

    /// What kinds of items a container holds: `h`andlers, `c`ontainers, and `o`thers.
    fn kinds(tokens: TokenStream) -> String {
        let Item::Container(container) = read(tokens) else { return String::new() };
        let kind = |item: &Item| match item {
            Item::Handler(_) => 'h',
            Item::Container(_) => 'c',
            Item::Other(_) => 'o',
        };
        container.items.iter().map(kind).collect()
    }

    #[test]
    fn a_body_is_not_read() {
        let item = read(quote!(pub async fn f(session: Session) -> u8 { some new syntax }));
        assert!(matches!(item, Item::Handler(handler) if handler.body.to_string().contains("new syntax")));
    }

    #[test]
    fn items_of_a_module_are_told_apart() {
        let items = quote! {
            #[cfg(test)]
            pub(crate) mod office {
                #![allow(dead_code)]
                use super::{policies, Session};
                const LIMIT: Limit = Limit { most: 3 };
                static NAMES: [u8; { 3 }] = [0; 3];
                struct Unit;
                struct Tuple(u8);
                struct Named<const N: usize = { 3 }> { a: [u8; N] }
                macro_rules! nothing { () => {} }
                nothing!();
                nothing! {}
                async fn handler(session: Session) {}
                pub const fn constant() -> u8 { 3 }
                unsafe extern "C" fn foreign() {}
                unsafe extern "C" { safe fn other(); }
                extern crate alloc;
                impl<const N: usize> Named<{ N }> where u8: Copy, { fn method(&self) {} }
                unsafe impl Send for Unit {}
                trait Api { async fn get(&self, session: Session); }
                mod inner { fn f() {} }
                mod elsewhere;
                type Alias = [u8; { 3 }];
                enum Last { A { b: u8 } }
            }
        };
        assert_eq!(kinds(items), "oooooooooohhhoocccco".to_owned() + "oo");
    }

    #[test]
    fn a_trait_holds_functions_without_bodies() {
        let Item::Container(container) = read(quote!(
            trait T {
                type A;
                fn f(&self);
                fn g() {}
            }
        )) else {
            return;
        };
        let bodies: Vec<String> = container
            .items
            .iter()
            .filter_map(
                |item| if let Item::Handler(handler) = item { Some(handler.body.to_string()) } else { None },
            )
            .collect();
        assert_eq!(bodies, [";", "{ }"]);
    }
}
