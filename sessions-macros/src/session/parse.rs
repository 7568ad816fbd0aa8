//! From tokens to [`Arguments`]. It judges only what stands in the way of reading on.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, FnArg, Ident, LitInt, LitStr, Meta, Path, Token, bracketed, token};

use super::model::{Arguments, Asks, Named, PolicyName, Requirement};
use crate::crate_path::CratePath;
use crate::errors::Errors;
use crate::judge;
use crate::list::each_item;
use crate::{settings, spelling};

/// What the attribute knows.
const ARGUMENTS: [&str; 5] = ["policy", "require", "kind", "role", "fresh"];
/// What `require` knows.
const REQUIREMENTS: [&str; 2] = ["authenticated", "fresh"];

/// An argument that was read.
struct Seen {
    key: String,
    /// Whether something else was written, which was told.
    is_meant_only: bool,
}

/// Reads the arguments of the attribute.
pub(crate) fn arguments(tokens: TokenStream, errors: &mut Errors) -> Arguments {
    let mut arguments = Arguments::default();
    let mut seen: Vec<Seen> = Vec::new();
    let parser = |input: ParseStream<'_>| {
        each_item(input, errors, |input, errors| argument(input, &mut arguments, &mut seen, errors));
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
    arguments
}

/// Reads one argument.
fn argument(
    input: ParseStream<'_>,
    arguments: &mut Arguments,
    seen: &mut Vec<Seen>,
    errors: &mut Errors,
) -> syn::Result<()> {
    if CratePath::is_next(input) {
        return arguments.crate_path.read(input);
    }
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        errors.at(text.span(), format!("name the argument: `policy = \"{}\"`", text.value()));
        if matches!(arguments.policy, Named::Nothing) {
            arguments.policy = Named::Policy(PolicyName::Text(text));
        }
        return Ok(());
    }
    let name = input.call(Ident::parse_any)?;
    let mut key = name.to_string();
    if !ARGUMENTS.contains(&key.as_str()) {
        let hint = if REQUIREMENTS.contains(&key.as_str()) {
            format!("write `require = {key}`")
        } else {
            spelling::hint(&key, &ARGUMENTS)
        };
        let unknown = syn::Error::new(name.span(), format!("`#[session]` has no argument `{key}`: {hint}"));
        let Some(meant) = spelling::nearest(&key, &ARGUMENTS) else { return Err(unknown) };
        // It is read as what was meant, so that nobody says that this is missing.
        errors.push(unknown);
        meant.clone_into(&mut key);
    }
    if let Some(earlier) = seen.iter().find(|earlier| earlier.key == key) {
        // Of a misspelling it was told already.
        if !earlier.is_meant_only && name == key {
            errors.at(name.span(), twice(&key));
        }
        // The first one counts, and what the second asks for is no mistake of its own.
        read_argument(&key, &name, input, &mut Arguments::default(), errors)?;
        return Ok(());
    }
    seen.push(Seen { is_meant_only: name != key, key: key.clone() });
    read_argument(&key, &name, input, arguments, errors)
}

/// Reads what follows the name of an argument.
fn read_argument(
    key: &str,
    name: &Ident,
    input: ParseStream<'_>,
    arguments: &mut Arguments,
    errors: &mut Errors,
) -> syn::Result<()> {
    match key {
        "policy" => {
            // Until it is read it is wrong, so that nobody says that it is missing.
            let earlier = std::mem::replace(&mut arguments.policy, Named::Wrong);
            equals(input, name, "\"…\"")?;
            let policy = policy_name(input)?;
            arguments.policy =
                if matches!(earlier, Named::Policy(_)) { earlier } else { Named::Policy(policy) };
        }
        "require" => require(input, name, &mut arguments.requirements, errors)?,
        "kind" => {
            let kind = text(input, name, "service")?;
            let asks = Asks::Kind(kind.value());
            arguments.requirements.push(Requirement { asks, span: kind.span() });
        }
        "role" => roles(input, name, &mut arguments.requirements)?,
        _ => fresh(input, name, &mut arguments.requirements)?,
    }
    Ok(())
}

/// Reads `= authenticated`, `= fresh`, or a list of both.
fn require(
    input: ParseStream<'_>,
    name: &Ident,
    requirements: &mut Vec<Requirement>,
    errors: &mut Errors,
) -> syn::Result<()> {
    equals(input, name, "authenticated")?;
    if !input.peek(token::Bracket) {
        requirements.push(requirement(input)?);
        return Ok(());
    }
    let inner;
    let brackets = bracketed!(inner in input);
    if inner.is_empty() {
        return Err(asks_for_nothing(brackets, "write `require = authenticated`, or leave it away"));
    }
    each_item(&inner, errors, |input, _| {
        requirements.push(requirement(input)?);
        Ok(())
    });
    Ok(())
}

/// An empty list would guard nothing, and looks as if it did.
fn asks_for_nothing(brackets: token::Bracket, help: &str) -> syn::Error {
    syn::Error::new(
        brackets.span.join(),
        format!("an empty list asks for nothing, so anyone would pass: {help}"),
    )
}

/// Reads one word of `require`.
fn requirement(input: ParseStream<'_>) -> syn::Result<Requirement> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        return Err(syn::Error::new(
            text.span(),
            "`require` takes a word without quotes: `require = authenticated`",
        ));
    }
    let word = input.call(Ident::parse_any)?;
    let asks = match word.to_string().as_str() {
        "authenticated" => Asks::Authenticated,
        "fresh" => Asks::Fresh,
        other => {
            let hint = spelling::hint(other, &REQUIREMENTS);
            return Err(syn::Error::new(word.span(), format!("`require` doesn't know `{other}`: {hint}")));
        }
    };
    Ok(Requirement { asks, span: word.span() })
}

/// Reads `= "admin"` or `= ["admin", "auditor"]`.
fn roles(input: ParseStream<'_>, name: &Ident, requirements: &mut Vec<Requirement>) -> syn::Result<()> {
    if input.peek(Token![=]) && input.peek2(token::Bracket) {
        input.parse::<Token![=]>()?;
        let inner;
        let brackets = bracketed!(inner in input);
        if inner.is_empty() {
            return Err(asks_for_nothing(brackets, "name the roles, as in `role = [\"admin\"]`"));
        }
        for role in inner.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])? {
            requirements.push(Requirement { asks: Asks::Role(role.value()), span: role.span() });
        }
        return Ok(());
    }
    let role = text(input, name, "admin")?;
    requirements.push(Requirement { asks: Asks::Role(role.value()), span: role.span() });
    Ok(())
}

/// Reads what follows `fresh`: nothing, or a duration.
fn fresh(input: ParseStream<'_>, name: &Ident, requirements: &mut Vec<Requirement>) -> syn::Result<()> {
    if !input.peek(Token![=]) {
        requirements.push(Requirement { asks: Asks::Fresh, span: name.span() });
        return Ok(());
    }
    equals(input, name, "\"5min\"")?;
    if input.peek(LitInt) {
        let number: LitInt = input.parse()?;
        let message = match number.suffix() {
            "" => format!("`fresh` takes a duration with its unit: write `\"{number}s\"`"),
            suffix => settings::in_quotes(suffix, &number.to_string(), "fresh"),
        };
        return Err(syn::Error::new(number.span(), message));
    }
    let written = quoted(input, name, "5min")?;
    let within = judge::duration(&written.value())
        .map_err(|problem| syn::Error::new(written.span(), format!("`fresh`: {problem}")))?;
    requirements.push(Requirement { asks: Asks::FreshWithin(within), span: written.span() });
    Ok(())
}

/// Reads `= "text"`.
fn text(input: ParseStream<'_>, key: &Ident, example: &str) -> syn::Result<LitStr> {
    equals(input, key, &format!("\"{example}\""))?;
    quoted(input, key, example)
}

/// Reads a text in quotes.
fn quoted(input: ParseStream<'_>, key: &Ident, example: &str) -> syn::Result<LitStr> {
    input.parse().map_err(|error| {
        syn::Error::new(error.span(), format!("`{key}` takes a text in quotes: `{key} = \"{example}\"`"))
    })
}

/// Reads `=` behind an argument's name.
fn equals(input: ParseStream<'_>, key: &Ident, example: &str) -> syn::Result<()> {
    if input.peek(Token![:]) {
        return Err(
            input.error(format!("an argument of an attribute is written with `=`: `{key} = {example}`"))
        );
    }
    let missing = |_| syn::Error::new(key.span(), format!("`{key}` needs a value: `{key} = {example}`"));
    input.parse::<Token![=]>().map(|_| ()).map_err(missing)
}

/// Reads the name of a policy: a text, a word or a path.
fn policy_name(input: ParseStream<'_>) -> syn::Result<PolicyName> {
    if input.peek(LitStr) {
        return Ok(PolicyName::Text(input.parse()?));
    }
    let path = input
        .call(Path::parse_mod_style)
        .map_err(|error| syn::Error::new(error.span(), "`policy` takes a policy's name: `policy = \"…\"`"))?;
    Ok(path.get_ident().cloned().map_or_else(|| PolicyName::Path(path.clone()), PolicyName::Word))
}

/// Reads a `#[session]` or a `#[session(…)]` on an item inside of one that has the attribute too.
///
/// `None`, with an error, where it is written otherwise.
pub(crate) fn own_arguments(attribute: &Attribute, errors: &mut Errors) -> Option<Arguments> {
    let tokens = match &attribute.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(_) => {
            errors.on(attribute, "the arguments stand in parentheses: `#[session(policy = \"…\")]`");
            return None;
        }
    };
    Some(arguments(tokens, errors))
}

/// Whether `attribute` is `#[session(…)]`.
pub(crate) fn is_session(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == "session")
}

/// Reads `#[session("admin")]` or `#[session(policy = "admin")]` on a parameter.
///
/// # Errors
/// - anything else: guards belong to the function
pub(crate) fn parameter(attribute: &Attribute) -> syn::Result<PolicyName> {
    attribute.parse_args_with(|input: ParseStream<'_>| {
        if input.peek(Ident) && input.peek2(Token![=]) {
            let name: Ident = input.parse()?;
            if name != "policy" {
                return Err(syn::Error::new(
                    name.span(),
                    format!(
                        "a parameter takes only its policy: `#[session(\"…\")]`; put `{name}` on the function"
                    ),
                ));
            }
            input.parse::<Token![=]>()?;
        }
        policy_name(input)
    })
}

/// Takes the `#[session(…)]` attributes off a parameter.
pub(crate) fn take_attributes(parameter: &mut FnArg) -> Vec<Attribute> {
    let attrs = match parameter {
        FnArg::Typed(typed) => &mut typed.attrs,
        FnArg::Receiver(receiver) => &mut receiver.attrs,
    };
    attrs.extract_if(.., |attribute| is_session(attribute)).collect()
}

/// The text for an argument that stands twice.
fn twice(key: &str) -> String {
    if key == "role" {
        return "`role` is given twice: to ask for several, write `role = [\"…\", \"…\"]`".to_owned();
    }
    format!("`{key}` is given twice")
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn read(tokens: TokenStream) -> (Arguments, Vec<String>) {
        let mut errors = Errors::default();
        let arguments = arguments(tokens, &mut errors);
        (arguments, errors.texts())
    }

    #[test]
    fn every_guard_is_read() {
        let (arguments, errors) = read(quote!(
            policy = "api_token",
            require = [authenticated],
            kind = "service",
            role = ["admin", "auditor"],
            fresh = "5min"
        ));
        assert_eq!(errors, [""; 0]);
        assert!(matches!(arguments.policy, Named::Policy(PolicyName::Text(_))));
        let asks: Vec<Asks> =
            arguments.requirements.into_iter().map(|requirement| requirement.asks).collect();
        assert_eq!(
            asks,
            [
                Asks::Authenticated,
                Asks::Kind("service".to_owned()),
                Asks::Role("admin".to_owned()),
                Asks::Role("auditor".to_owned()),
                Asks::FreshWithin(std::time::Duration::from_secs(300))
            ]
        );
    }

    #[test]
    fn an_unknown_argument_gets_the_nearest() {
        let (_, errors) = read(quote!(polcy = "x", authenticated, quux));
        assert_eq!(
            errors,
            [
                "`#[session]` has no argument `polcy`: did you mean `policy`?",
                "`#[session]` has no argument `authenticated`: write `require = authenticated`",
                "`#[session]` has no argument `quux`: there are `policy`, `require`, `kind`, `role`, `fresh`",
            ]
        );
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let (arguments, errors) =
            read(quote!(policy = "a", "b", require = "authenticated", kind = 3, fresh = 300, policy = "c"));
        assert_eq!(
            errors,
            [
                "name the argument: `policy = \"b\"`",
                "`require` takes a word without quotes: `require = authenticated`",
                "`kind` takes a text in quotes: `kind = \"service\"`",
                "`fresh` takes a duration with its unit: write `\"300s\"`",
                "`policy` is given twice",
            ]
        );
        assert!(matches!(arguments.policy, Named::Policy(PolicyName::Text(name)) if name.value() == "a"));
    }

    #[test]
    fn a_colon_is_told_to_be_an_equals_sign() {
        let (_, errors) = read(quote!(policy: "admin", require: authenticated));
        assert_eq!(errors.len(), 2, "{errors:#?}");
        assert!(errors.iter().all(|error| error.contains("is written with `=`")), "{errors:#?}");
    }
}
