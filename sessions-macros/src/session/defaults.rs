//! The attribute on an `impl`, a `trait` or a `mod`: the default for the handlers in it, also in those that are nested.
//!
//! A handler is a function that takes a `Session` or an `Option<Session>`; all others are left alone. Its own attribute
//! goes before the default: one that names a policy stands alone, one that doesn't adds its guards to the default's.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Attribute, FnArg, Path};

use super::check;
use super::model::{Arguments, Asks, Bound, BoundContainer, Container, Handler, Item, Named, Requirement};
use super::parse;
use super::shape::shape;
use crate::errors::Errors;

/// Binds the handlers of the item under the attribute.
pub(crate) fn check(mut default: Arguments, container: Container, errors: &mut Errors) -> BoundContainer {
    if matches!(default.policy, Named::Nothing) {
        errors.at(Span::call_site(), "the policy is missing: write `#[session(policy = \"…\")]`");
        default.policy = Named::Wrong;
    }
    let head = container.head.clone();
    let bound = check_container(&default, container, errors);
    if !holds_handler(&bound) {
        errors.on(
            head,
            format!(
                "nothing in here takes a session, so the policy would bind nothing\n  help: {}",
                check::router_form(&default.policy)
            ),
        );
    }
    bound
}

fn check_container(default: &Arguments, container: Container, errors: &mut Errors) -> BoundContainer {
    let Container { attrs, vis, head, is_module, span, items } = container;
    let mut taken = Vec::new();
    let items = items.into_iter().map(|item| check_item(default, item, &mut taken, errors)).collect();
    BoundContainer { attrs, vis, head, is_module, span, items, taken }
}

fn check_item(default: &Arguments, item: Item, taken: &mut Vec<Path>, errors: &mut Errors) -> Bound {
    match item {
        Item::Other(tokens) => Bound::Other(tokens),
        Item::Container(mut container) => {
            let own = take_own(&mut container.attrs, taken, errors);
            let default = own.map_or_else(|| default.clone(), |own| merged(default, own, errors));
            Bound::Container(check_container(&default, container, errors))
        }
        Item::Handler(mut handler) => {
            let own = take_own(&mut handler.attrs, taken, errors);
            let Some(arguments) = arguments_of(&handler, default, own, errors) else {
                return Bound::Other(handler.into_tokens());
            };
            Bound::Handler(Box::new(check::check_handler(arguments, *handler, errors)))
        }
    }
}

/// What holds for a function: `None` where it has nothing to do with sessions.
fn arguments_of(
    handler: &Handler,
    default: &Arguments,
    own: Option<Arguments>,
    errors: &mut Errors,
) -> Option<Arguments> {
    if let Some(own) = own {
        return Some(merged(default, own, errors));
    }
    let typed = handler.sig.inputs.iter().filter_map(|parameter| match parameter {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    let mut has_own = false;
    let mut takes_default = false;
    for parameter in typed {
        let own = parameter.attrs.iter().any(parse::is_session);
        has_own |= own;
        takes_default |= !own && shape(&parameter.ty).is_bindable();
    }
    if takes_default {
        return Some(default.clone());
    }
    // Every session of it names its policy.
    let crate_path = default.crate_path.clone();
    has_own.then(|| Arguments { crate_path, ..Arguments::default() })
}

/// Takes the attribute off an item inside, and reads it.
fn take_own(attrs: &mut Vec<Attribute>, taken: &mut Vec<Path>, errors: &mut Errors) -> Option<Arguments> {
    for attribute in attrs.extract_if(.., |attribute| hides_session(attribute)) {
        errors.on(
            attribute,
            "what `cfg_attr` hides can't go before the default: write the function twice, each under its `cfg`",
        );
    }
    let mut own = None;
    for attribute in attrs.extract_if(.., |attribute| parse::is_session(attribute)) {
        if own.is_some() {
            errors.on(attribute, "`#[session]` stands here twice: keep one");
            continue;
        }
        note(attribute.path(), taken);
        own = parse::own_arguments(&attribute, errors)
            .map(|arguments| check::check_arguments(arguments, errors));
    }
    own
}

/// Notes a path, each once.
fn note(path: &Path, taken: &mut Vec<Path>) {
    let text = |path: &Path| path.to_token_stream().to_string();
    if !taken.iter().any(|known| text(known) == text(path)) {
        taken.push(path.clone());
    }
}

/// Whether an attribute is a `cfg_attr` with the attribute in it.
fn hides_session(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg_attr")
        && attribute.meta.require_list().is_ok_and(|list| {
            let mut tokens = list.tokens.clone().into_iter();
            tokens.any(|token| matches!(token, proc_macro2::TokenTree::Ident(word) if word == "session"))
        })
}

/// The arguments of an attribute inside, over the default.
fn merged(default: &Arguments, own: Arguments, errors: &mut Errors) -> Arguments {
    let crate_path = own.crate_path.or(&default.crate_path);
    if !matches!(own.policy, Named::Nothing) {
        return Arguments { crate_path, ..own };
    }
    let replaced = |earlier: &&Requirement| {
        own.requirements.iter().any(|later| {
            let kinds = matches!((&earlier.asks, &later.asks), (Asks::Kind(_), Asks::Kind(_)));
            kinds || earlier.asks.is_like(&later.asks)
        })
    };
    let kept = default.requirements.iter().filter(|earlier| !replaced(earlier)).cloned();
    let requirements: Vec<Requirement> = kept.chain(own.requirements.iter().cloned()).collect();
    if requirements.len() > default.requirements.len() && requirements.len() > own.requirements.len() {
        check::check_number_of_roles(&requirements, errors);
    }
    Arguments { crate_path, policy: default.policy.clone(), requirements }
}

/// Whether anything in a container was bound.
fn holds_handler(container: &BoundContainer) -> bool {
    container.items.iter().any(|item| match item {
        Bound::Handler(_) => true,
        Bound::Container(inner) => holds_handler(inner),
        Bound::Other(_) => false,
    })
}
