//! Whether the arguments fit together, and whether the policy core accepts the policy beside the file's.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use sessions_policy::{Origin, Problem, describe};
use syn::ext::IdentExt;
use syn::{Ident, LitStr};

use super::model::{Arguments, Declares, StructPolicy, Target};
use crate::errors::Errors;
use crate::judge::{self, Written};
use crate::lookup::{self, PolicyFile};
use crate::warning::Warning;
use crate::{names, spelling};

/// Checks the arguments and makes the policy of them.
pub(crate) fn check(arguments: Arguments, target: Target, errors: &mut Errors) -> StructPolicy {
    let file = read_file(&arguments, errors);
    let mut warnings = Vec::new();
    let summary;
    check_namespace(arguments.namespace.as_ref(), errors);
    let (name, declares) = if let Some(policy) = &arguments.policy {
        check_borrowed(policy, &arguments, file.as_ref(), errors);
        summary = format!("The data of the policy `{}`.", policy.value());
        (policy.value(), Declares::Nothing)
    } else {
        let (name, name_tokens) = own_name(arguments.name.as_ref(), &target.ident);
        let judged = check_declared(&name, &name_tokens, &arguments, file.as_ref(), errors);
        let settings = judged.settings.map(|settings| format!("\n\n{settings}")).unwrap_or_default();
        summary = format!("The policy `{name}`.{settings}");
        warnings = judged.warnings;
        (name, Declares::Policy { name_tokens, settings: arguments.settings })
    };
    let Arguments { crate_path, namespace, .. } = arguments;
    StructPolicy { crate_path, ident: target.ident, name, namespace, file, declares, warnings, summary }
}

/// The policy file: the named one must be there, the default one may be.
fn read_file(arguments: &Arguments, errors: &mut Errors) -> Option<PolicyFile> {
    let Some(file) = &arguments.file else {
        let found = lookup::find(lookup::DEFAULT_FILE, Span::call_site());
        return match (found, &arguments.policy) {
            (Ok(file), _) => Some(file),
            (Err(missing), Some(policy)) => {
                errors.at(policy.span(), missing);
                None
            }
            (Err(_), None) => None,
        };
    };
    lookup::find(&file.value(), file.span()).map_err(|missing| errors.at(file.span(), missing)).ok()
}

/// A namespace stands before a dot in the keys of a session, so that it can hold none itself.
fn check_namespace(namespace: Option<&LitStr>, errors: &mut Errors) {
    let Some(namespace) = namespace else { return };
    let text = namespace.value();
    if text.is_empty()
        || text.contains(|letter: char| letter == '.' || letter.is_whitespace() || letter.is_control())
    {
        errors.at(
            namespace.span(),
            "a namespace stands before the dot in `namespace.field`: write a word without dots and spaces",
        );
    }
}

/// The policy's name: the argument, else the struct's.
fn own_name(name: Option<&LitStr>, ident: &Ident) -> (String, TokenStream) {
    match name {
        Some(name) => (name.value(), name.to_token_stream()),
        None => (names::of_type(&ident.unraw().to_string()), ident.to_token_stream()),
    }
}

/// Checks a struct that types the data of a policy of the file.
fn check_borrowed(policy: &LitStr, arguments: &Arguments, file: Option<&PolicyFile>, errors: &mut Errors) {
    let foreign = "belongs to a policy that the struct declares; with `policy = \"…\"` the file declares it";
    if let Some(name) = &arguments.name {
        errors.at(name.span(), format!("`name` {foreign}: leave one of the two away"));
    }
    for setting in &arguments.settings {
        errors.on(&setting.key_tokens, format!("`{}` {foreign}: write it there", setting.key));
    }
    let Some(file) = file else { return };
    let known = judge::names_in(file, judge::check(&[], Some(file)).ok().as_ref());
    let name = policy.value();
    if !known.contains(&name) {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let hint =
            if known.is_empty() { "it declares none".to_owned() } else { spelling::hint(&name, &known) };
        errors.at(policy.span(), format!("`{}` declares no policy `{name}`: {hint}", file.name));
    }
}

/// What is known of a policy that a struct declares.
#[derive(Default)]
struct Declared {
    /// Its settings for the documentation; `None` where the check failed.
    settings: Option<String>,
    warnings: Vec<Warning>,
}

/// Checks the policy that a struct declares, beside the policies of the file.
fn check_declared(
    name: &str,
    name_tokens: &TokenStream,
    arguments: &Arguments,
    file: Option<&PolicyFile>,
    errors: &mut Errors,
) -> Declared {
    let written = [Written { name, name_tokens, settings: &arguments.settings }];
    let problems = match judge::check(&written, file) {
        Ok(configuration) => {
            // What the file says, `policies!` tells.
            let is_own = |finding: &&Problem| matches!(finding.origin(), Origin::Code(..));
            let findings = configuration.findings().iter().filter(is_own);
            let warnings = findings.map(|finding| judge::warning(finding, &written, name_tokens)).collect();
            return Declared { settings: configuration.policy(name).map(describe), warnings };
        }
        Err(problems) => problems,
    };
    // What is wrong with the file whatever this struct says, `policies!` tells.
    let of_the_file = judge::check_beside(&[], file, &[name.to_owned()]).problems;
    for problem in &problems {
        if !of_the_file.iter().any(|known| judge::is_same(known, problem)) {
            judge::tell_of_struct(problem, &written, name_tokens, errors);
        }
    }
    Declared::default()
}
