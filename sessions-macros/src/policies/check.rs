//! Which types the module gets: the file's policies, those declared in the call, and the structs that are listed; and
//! what the policy core says to all of them together.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use sessions_policy::{Configuration, describe};
use syn::Ident;
use syn::ext::IdentExt;

use super::model::{Arguments, Inline, Listed, Marker, Module, Respelt};
use crate::errors::Errors;
use crate::judge::{self, Written};
use crate::lookup::{self, PolicyFile};
use crate::warning::Warning;
use crate::{names, place};

/// Checks the policies and plans the module.
pub(crate) fn check(arguments: Arguments, errors: &mut Errors) -> Module {
    let Arguments { crate_path, file: file_name, listed, inline } = arguments;
    let file_tokens = file_name.to_token_stream();
    let file = file_name.as_ref().and_then(|name| {
        lookup::find(&name.value(), name.span()).map_err(|missing| errors.at(name.span(), missing)).ok()
    });
    let listed = listed_structs(listed, errors);
    let inline = distinct(inline, errors);
    let (configuration, warnings) = judge_all(&inline, file.as_ref(), &listed, &file_tokens, errors);
    let of_file = file.as_ref().map(|file| judge::names_in(file, configuration.as_ref())).unwrap_or_default();
    if file_name.is_none() && listed.is_empty() && inline.is_empty() {
        errors.at(
            Span::call_site(),
            "no policy is declared: name the policy file, as in `policies!(\"sessions.toml\")`",
        );
    }
    let mut names: Vec<String> = of_file.clone();
    names.extend(inline.iter().map(Inline::name).filter(|name| !of_file.contains(name)));
    let markers = markers(&names, inline, file.as_ref(), place::first(&file_tokens), configuration.as_ref());
    let markers = without_collisions(markers, &listed, errors);
    let respelt = respelt(&listed, &markers);
    Module { crate_path, file, listed, respelt, markers, names, warnings }
}

/// The structs, each once.
fn listed_structs(structs: Vec<Listed>, errors: &mut Errors) -> Vec<Listed> {
    let mut listed: Vec<Listed> = Vec::new();
    for Listed { path, ident } in structs {
        if is_taken(&ident) {
            errors.on(
                &path,
                format!("the name `{ident}` is taken in the module `policies`: rename the struct"),
            );
        } else if listed.iter().any(|earlier| earlier.ident == ident) {
            errors.on(&path, format!("`{ident}` is listed twice"));
        } else {
            listed.push(Listed { path, ident });
        }
    }
    listed
}

/// The structs whose name isn't the one that their policy's name makes.
fn respelt(listed: &[Listed], markers: &[Marker]) -> Vec<Respelt> {
    let mut respelt: Vec<Respelt> = Vec::new();
    for Listed { ident, .. } in listed {
        let marker = judge::marker(&names::of_type(&ident.unraw().to_string()));
        let is_free = !listed.iter().any(|listed| listed.ident == marker)
            && !markers.iter().any(|known| known.ident == marker)
            && !respelt.iter().any(|known| known.ident == marker);
        let Some(marker) =
            syn::parse_str::<Ident>(&marker).ok().filter(|marker| is_free && !is_taken(marker))
        else {
            continue;
        };
        respelt.push(Respelt { listed: ident.clone(), ident: Ident::new(&marker.to_string(), ident.span()) });
    }
    respelt
}

/// Whether the module has a type of its own of this name.
fn is_taken(ident: &Ident) -> bool {
    ident == "Registry" || ident == "Declared"
}

/// The policies declared in the call, each name once.
fn distinct(declared: Vec<Inline>, errors: &mut Errors) -> Vec<Inline> {
    let mut distinct: Vec<Inline> = Vec::new();
    for policy in declared {
        if distinct.iter().any(|earlier| earlier.name() == policy.name()) {
            errors.at(policy.name.span(), format!("the policy `{}` is declared twice", policy.name()));
        } else {
            distinct.push(policy);
        }
    }
    distinct
}

/// Lets the policy core judge everything that can be known here, and tells its problems.
fn judge_all(
    inline: &[Inline],
    file: Option<&PolicyFile>,
    listed: &[Listed],
    file_tokens: &TokenStream,
    errors: &mut Errors,
) -> (Option<Configuration>, Vec<Warning>) {
    let names: Vec<String> = inline.iter().map(Inline::name).collect();
    let tokens: Vec<TokenStream> = inline.iter().map(|policy| policy.name.to_token_stream()).collect();
    let written: Vec<Written<'_>> = inline
        .iter()
        .zip(names.iter().zip(&tokens))
        .map(|(policy, (name, name_tokens))| Written { name, name_tokens, settings: &policy.settings })
        .collect();
    let elsewhere: Vec<String> = listed
        .iter()
        .map(|listed| names::of_type(&listed.ident.unraw().to_string()))
        .filter(|name| !names.contains(name))
        .collect();
    let judged = judge::check_beside(&written, file, &elsewhere);
    for problem in &judged.problems {
        judge::tell(problem, &written, file_tokens, errors);
    }
    let warnings = judged.findings.iter().map(|finding| judge::warning(finding, &written, file_tokens));
    (judged.configuration, warnings.collect())
}

/// A marker for each name.
fn markers(
    names: &[String],
    inline: Vec<Inline>,
    file: Option<&PolicyFile>,
    file_span: Span,
    configuration: Option<&Configuration>,
) -> Vec<Marker> {
    let mut inline: BTreeMap<String, Inline> =
        inline.into_iter().map(|policy| (policy.name(), policy)).collect();
    let marker = |name: &String| {
        let declared = inline.remove(name);
        let span = declared.as_ref().map_or(file_span, |policy| policy.name.span());
        let origin = match (&declared, file) {
            (None, Some(file)) => format!("The policy `{name}` of `{}`.", file.name),
            _ => format!("The policy `{name}`, declared in the call of `policies!`."),
        };
        let settings = configuration.and_then(|configuration| configuration.policy(name)).map(describe);
        let summary = settings.map_or_else(|| origin.clone(), |settings| format!("{origin}\n\n{settings}"));
        let docs = declared.as_ref().map(|policy| policy.docs.clone()).unwrap_or_default();
        // A name that the policy core refuses is perhaps no identifier, or one of ours; what is wrong with it was told.
        let ident = syn::parse_str::<Ident>(&judge::marker(name)).ok().filter(|ident| !is_taken(ident))?;
        Some(Marker {
            name: name.clone(),
            ident: Ident::new(&ident.to_string(), span),
            docs,
            summary,
            declared,
        })
    };
    names.iter().filter_map(marker).collect()
}

/// The markers whose type's name is free. A listed struct takes the place of the file's policy that it is named after.
fn without_collisions(markers: Vec<Marker>, listed: &[Listed], errors: &mut Errors) -> Vec<Marker> {
    let mut kept: Vec<Marker> = Vec::new();
    for marker in markers {
        if listed.iter().any(|listed| listed.ident == marker.ident) {
            if marker.declared.is_some() {
                let text = format!(
                    "`{}` is declared here and by the struct `{}`: keep one",
                    marker.name, marker.ident
                );
                errors.at(marker.ident.span(), text);
            }
            continue;
        }
        // Two names that would be one type are a problem of the policy core's, which was told.
        if !kept.iter().any(|earlier| earlier.ident == marker.ident) {
            kept.push(marker);
        }
    }
    kept
}
