//! What may stand together: the policy of each parameter, and whether the requirements guard something.

use proc_macro2::Span;
use syn::{FnArg, Type};

use super::model::{Arguments, Asks, Binding, BoundHandler, Handler, Named, PolicyName, Requirement};
use super::parse;
use super::shape::{Shape, shape};
use crate::errors::Errors;
use crate::judge;

/// How many roles one guard can hold.
const ROLES: usize = 4;

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

/// Binds the handler's parameters to their policies.
pub(crate) fn check(arguments: Arguments, mut handler: Handler, errors: &mut Errors) -> BoundHandler {
    let Arguments { crate_path, policy, requirements } = arguments;
    let policy = checked(policy, errors);
    let parameters = session_parameters(&mut handler, errors);
    for parameter in &parameters {
        check_parameter(parameter, errors);
    }
    check_policy(&policy, &handler, &parameters, errors);
    check_requirements(&requirements, errors);
    let guards = check_guard(&requirements, &handler, &parameters, errors);
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
fn check_parameter(parameter: &Parameter, errors: &mut Errors) {
    let has_own = !matches!(parameter.own, Named::Nothing);
    match parameter.shape {
        Shape::Misplaced => errors.on(
            &parameter.ty,
            "a handler takes `Session` or `Option<Session>`; inside another type write the policy out, \
             as in `Session<policies::UserDefault>`",
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
        errors.at(handler.sig.ident.span(), no_session(&handler.sig.ident.to_string()));
        return;
    }
    let taken = parameters.iter().any(Parameter::takes_the_handlers_policy);
    match policy {
        Named::Nothing if taken => {
            errors.at(
                Span::call_site(),
                "the policy is missing: write `#[session(policy = \"user_default\")]`",
            );
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
fn check_guard(
    requirements: &[Requirement],
    handler: &Handler,
    parameters: &[Parameter],
    errors: &mut Errors,
) -> bool {
    let Some(first) = requirements.first() else { return false };
    if handler.sig.receiver().is_some() {
        errors.at(
            first.span,
            "a method can't carry a guard: put the guard on a free function, which may call the method",
        );
        return false;
    }
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
        let repeated = match asks {
            Asks::Kind(text) | Asks::Role(text) if text.is_empty() => {
                errors.at(
                    requirement.span,
                    "an empty name is nobody's: write the kind or the role that is asked for",
                );
                continue;
            }
            Asks::Fresh | Asks::FreshWithin(_) => {
                seen.iter().any(|earlier| matches!(earlier, Asks::Fresh | Asks::FreshWithin(_)))
            }
            _ => seen.contains(&asks),
        };
        if repeated {
            errors.at(requirement.span, format!("{} is asked for twice: keep one", asks.noun()));
            continue;
        }
        seen.push(asks);
        if matches!(asks, Asks::Role(_))
            && seen.iter().filter(|asks| matches!(asks, Asks::Role(_))).count() == ROLES + 1
        {
            errors.at(requirement.span, format!("a guard asks for at most {ROLES} roles"));
        }
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
fn no_session(name: &str) -> String {
    format!(
        "`{name}` takes no session, so its policy would bind nothing: add a parameter `session: Session`\n  \
         help: to guard a route whose handler needs no session, put a function with a session before it: \
         `.route_layer(axum::middleware::from_fn(guard))`, \
         `async fn guard(_: Session, request: Request, next: Next) -> Response {{ next.run(request).await }}`"
    )
}
