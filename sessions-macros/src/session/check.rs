//! What may stand together: the policy of each parameter, and whether the requirements guard something.
//! Which arguments a handler without an attribute of its own has, `defaults.rs` says.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{FnArg, Type};

use super::model::{
    Arguments, Asks, Binding, Bound, BoundHandler, Handler, Item, Named, PolicyName, Requirement,
};
use super::shape::{Shape, shape};
use super::{defaults, parse};
use crate::errors::Errors;
use crate::judge;

/// How many roles one guard can hold.
const ROLES: usize = 4;
/// The longest name of a kind or a role that a type can spell.
const LONGEST_NAME: usize = 256;

/// A parameter that has to do with a session.
struct Parameter {
    position: usize,
    ty: Type,
    shape: Shape,
    own: Named,
}

impl Parameter {
    /// Whether the function's policy is this parameter's.
    fn takes_the_handlers_policy(&self) -> bool {
        self.shape.is_bindable() && matches!(self.own, Named::Nothing)
    }
}

/// Binds the handlers of the item under the attribute.
pub(crate) fn check(arguments: Arguments, target: Item, errors: &mut Errors) -> Bound {
    let arguments = check_arguments(arguments, errors);
    match target {
        Item::Handler(handler) => Bound::Handler(Box::new(check_handler(arguments, *handler, errors))),
        Item::Container(container) => Bound::Container(defaults::check(arguments, container, errors)),
        Item::Other(tokens) => Bound::Other(tokens),
    }
}

/// Checks what an attribute says by itself, whatever it stands on.
pub(crate) fn check_arguments(arguments: Arguments, errors: &mut Errors) -> Arguments {
    let Arguments { crate_path, policy, requirements } = arguments;
    check_requirements(&requirements, errors);
    Arguments { crate_path, policy: checked(policy, errors), requirements }
}

/// Binds the handler's parameters to their policies.
pub(crate) fn check_handler(arguments: Arguments, mut handler: Handler, errors: &mut Errors) -> BoundHandler {
    let Arguments { crate_path, policy, requirements } = arguments;
    let parameters = session_parameters(&mut handler, errors);
    for parameter in &parameters {
        check_parameter(parameter, &policy, errors);
    }
    check_policy(&policy, &handler, &parameters, errors);
    let guards = check_guard(&requirements, &parameters, errors);
    let bindings: Vec<Binding> =
        parameters.into_iter().filter_map(|parameter| bind(parameter, &policy, guards)).collect();
    let guarded = bindings.iter().any(|binding| binding.guarded);
    let requirements = if guarded { requirements } else { Vec::new() };
    BoundHandler { crate_path, handler, bindings, requirements }
}

/// The parameters that take a session or carry the attribute, which is taken off.
fn session_parameters(handler: &mut Handler, errors: &mut Errors) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for (position, parameter) in handler.sig.inputs.iter_mut().enumerate() {
        let own = own_policy(parameter, errors);
        let FnArg::Typed(typed) = parameter else { continue };
        let shape = shape(&typed.ty);
        if shape != Shape::Other || !matches!(own, Named::Nothing) {
            parameters.push(Parameter { position, ty: (*typed.ty).clone(), shape, own });
        }
    }
    parameters
}

/// Takes the attribute off a parameter and reads the policy that it names.
fn own_policy(parameter: &mut FnArg, errors: &mut Errors) -> Named {
    let mut own = Named::Nothing;
    for attribute in parse::take_attributes(parameter) {
        if !matches!(own, Named::Nothing) {
            errors.on(attribute, "the parameter has two policies: keep one");
            continue;
        }
        own = match parse::parameter(&attribute) {
            Ok(policy) => checked(Named::Policy(policy), errors),
            Err(error) => {
                errors.push(error);
                Named::Wrong
            }
        };
    }
    own
}

/// Refuses a text that can't name a policy. Whether the policy exists, the compiler's own look-up tells.
fn checked(named: Named, errors: &mut Errors) -> Named {
    if let Named::Policy(PolicyName::Text(text)) = &named
        && let Err(problem) = judge::name(&text.value())
    {
        errors.at(text.span(), problem);
        return Named::Wrong;
    }
    named
}

/// Refuses what a parameter's type and its own attribute can't mean.
fn check_parameter(parameter: &Parameter, policy: &Named, errors: &mut Errors) {
    let has_own = !matches!(parameter.own, Named::Nothing);
    match parameter.shape {
        Shape::Misplaced => errors.on(
            &parameter.ty,
            format!(
                "a handler takes `Session` or `Option<Session>`; inside another type write the policy out, \
                 as in `Session<{}>`",
                type_of(policy)
            ),
        ),
        Shape::Typed if has_own => {
            errors.on(
                &parameter.ty,
                "the type names its policy already: leave the parameter's `#[session]` away",
            );
        }
        Shape::Other if has_own => {
            errors.on(&parameter.ty, "`#[session]` on a parameter needs a `Session` or an `Option<Session>`");
        }
        _ => {}
    }
}

/// Refuses a handler without a session, without a policy, or with a policy that nothing takes.
fn check_policy(policy: &Named, handler: &Handler, parameters: &[Parameter], errors: &mut Errors) {
    if parameters.is_empty() {
        errors.at(handler.sig.ident.span(), no_session(&handler.sig.ident.to_string(), policy));
        return;
    }
    let taken = parameters.iter().any(Parameter::takes_the_handlers_policy);
    match policy {
        Named::Nothing if taken => {
            errors.at(Span::call_site(), "the policy is missing: write `#[session(policy = \"…\")]`");
        }
        Named::Policy(policy) if !taken && parameters.iter().all(|parameter| parameter.shape.is_sound()) => {
            errors.on(
                policy,
                "no parameter takes this policy: every session of the handler names one of its own",
            );
        }
        _ => {}
    }
}

/// Refuses a guard that would not guard. Says whether there is one to generate.
fn check_guard(requirements: &[Requirement], parameters: &[Parameter], errors: &mut Errors) -> bool {
    let Some(first) = requirements.first() else { return false };
    let ours = || parameters.iter().filter(|parameter| parameter.takes_the_handlers_policy());
    for optional in ours().filter(|parameter| parameter.shape == Shape::Optional) {
        errors.on(
            &optional.ty,
            "an optional session can't be required: take `Session`, or leave the guard away and look into the \
             session in the body",
        );
    }
    if ours().next().is_none() && !parameters.is_empty() {
        errors.at(
            first.span,
            "nothing is guarded: a guard holds for a parameter `session: Session` without a policy of its own",
        );
    }
    ours().any(|parameter| parameter.shape == Shape::Required)
}

/// Refuses requirements that are empty, repeated or too many.
fn check_requirements(requirements: &[Requirement], errors: &mut Errors) {
    let mut seen: Vec<&Asks> = Vec::new();
    for requirement in requirements {
        let asks = &requirement.asks;
        if let Asks::Kind(text) | Asks::Role(text) = asks
            && let Some(problem) = refused_name(text)
        {
            errors.at(requirement.span, problem);
            continue;
        }
        if seen.iter().any(|earlier| earlier.is_like(asks)) {
            errors.at(requirement.span, format!("{} is asked for twice: keep one", asks.noun()));
            continue;
        }
        seen.push(asks);
    }
    check_number_of_roles(requirements, errors);
}

/// Why a text names no kind and no role.
fn refused_name(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("an empty name is nobody's: write the kind or the role that is asked for".to_owned());
    }
    if text.contains('\0') {
        return Some("a name holds no NUL".to_owned());
    }
    (text.chars().count() > LONGEST_NAME).then(|| format!("a name has at most {LONGEST_NAME} characters"))
}

/// Refuses more roles than a guard can hold, at the first that is too many.
pub(crate) fn check_number_of_roles(requirements: &[Requirement], errors: &mut Errors) {
    let mut roles: Vec<&Requirement> = Vec::new();
    for requirement in requirements.iter().filter(|requirement| matches!(requirement.asks, Asks::Role(_))) {
        if !roles.iter().any(|earlier| earlier.asks == requirement.asks) {
            roles.push(requirement);
        }
    }
    if let Some(one_too_many) = roles.get(ROLES) {
        errors.at(one_too_many.span, format!("a guard asks for at most {ROLES} roles"));
    }
}

/// What is generated for a parameter; nothing where its policy is unknown or written out.
fn bind(parameter: Parameter, handlers: &Named, guards: bool) -> Option<Binding> {
    if !parameter.shape.is_bindable() {
        return None;
    }
    let guarded = guards && parameter.takes_the_handlers_policy() && parameter.shape == Shape::Required;
    let named = if matches!(parameter.own, Named::Nothing) { handlers.clone() } else { parameter.own };
    let Named::Policy(policy) = named else { return None };
    Some(Binding { parameter: parameter.position, policy, guarded })
}

/// The text for a handler that takes no session.
fn no_session(name: &str, policy: &Named) -> String {
    format!(
        "`{name}` takes no session, so its policy would bind nothing: add a parameter `session: Session`\n  \
         help: {}",
        router_form(policy)
    )
}

/// What to do for handlers that need no session.
pub(crate) fn router_form(policy: &Named) -> String {
    format!(
        "to guard routes whose handlers need no session, put the guard before them: \
         `.route_layer(sessions::require::<{}>(sessions::guard::authenticated()))`",
        type_of(policy)
    )
}

/// The type of a policy as a handler would write it.
fn type_of(policy: &Named) -> String {
    match policy {
        Named::Policy(PolicyName::Text(text)) => format!("policies::{}", judge::marker(&text.value())),
        Named::Policy(PolicyName::Word(word)) => {
            format!("policies::{}", judge::marker(&word.unraw().to_string()))
        }
        Named::Policy(PolicyName::Path(path)) => path.to_token_stream().to_string().replace(' ', ""),
        Named::Nothing | Named::Wrong => "policies::…".to_owned(),
    }
}
