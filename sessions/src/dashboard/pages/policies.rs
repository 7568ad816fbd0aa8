//! What each policy says, where every value comes from, and what the lints find.

use axum::{extract::Path, response::Response};
use maud::{Markup, html};
use sessions_policy::{Key, Layer, Origin, Problem, Provenance};

use super::super::{
    page::{Page, foreign, table, with_code},
    view::View,
};

pub(in super::super) async fn list(view: View) -> Response {
    let configuration = view.settings.configuration();
    let rows = html! {
        @for policy in configuration.policies() {
            tr {
                th scope="row" { a href=(view.at(&format!("/policies/{}", policy.name()))) { (policy.name()) } }
                td { (policy.transport().adapter()) }
                td.number { (found_in(&view, policy.name()).count()) }
            }
        }
    };
    let body = html! {
        (table("policies", "Policies", &["Policy", "Transport", "Findings"], &rows))
        section aria-labelledby="findings" {
            h2 id="findings" { "What the lints find" }
            (findings(configuration.findings().iter()))
        }
        section aria-labelledby="suppressed" {
            h2 id="suppressed" { "What is suppressed" }
            (suppressed(&view))
        }
        section aria-labelledby="notes" {
            h2 id="notes" { "What is without effect" }
            @if configuration.notes().is_empty() { p { "Nothing." } }
            ul { @for note in configuration.notes() { li { (with_code(note.message())) " " (place(note.origin())) } } }
        }
    };
    Page::new("/policies", "Policies", body).shown(&view)
}

pub(in super::super) async fn show(view: View, Path(name): Path<String>) -> Response {
    let known = view.settings.configuration().policy(&name).is_some();
    let Some(explained) = view.settings.sources().explain_all(&name).filter(|_| known) else {
        return Page::nowhere().shown(&view);
    };
    let rows = html! { @for (key, chain) in &explained { (row(key, chain, &name)) } };
    let body = html! {
        section aria-labelledby="findings" {
            h2 id="findings" { "What the lints find" }
            (findings(found_in(&view, &name)))
        }
        (table("settings", "Settings, and where each is from", &["Key", "Value", "From", "In the place of"], &rows))
        p.hint { "Secrets are shown as " code { "…" } ". A key that nobody has set and that has no default is left out." }
    };
    Page::new("/policies", format!("Policy {name}"), body).shown(&view)
}

fn row(key: &Key, chain: &[Provenance], policy: &str) -> Markup {
    let held: Vec<&Provenance> = chain.iter().filter(|step| step.holds()).collect();
    html! {
        @if !held.is_empty() {
            tr.stated[held.iter().any(|step| step.layer() > Layer::Preset)] {
                th scope="row" { code { (key.path()) } }
                td { @for step in &held { div { code { (foreign(step.value())) } } } }
                td { @for step in &held { div { (from(step, policy)) } } }
                td {
                    @for step in chain.iter().rev().filter(|step| !step.holds()) {
                        div { code { (foreign(step.value())) } ", " (from(step, policy)) }
                    }
                }
            }
        }
    }
}

/// Where a value is from, and whose word it is where `extends` has handed it on.
fn from(step: &Provenance, policy: &str) -> Markup {
    let other = step.stated_by().filter(|other| *other != policy);
    html! {
        @match (step.layer(), step.origin()) {
            (Layer::Default, _) => "default",
            (Layer::Preset, origin) => (with_code(&origin.to_string())),
            (Layer::Adapted, origin) => { "gave way to " (place(origin)) }
            (_, origin) => (place(origin)),
        }
        @if let Some(other) = other { " of " code { (other) } }
    }
}

fn place(origin: &Origin) -> Markup {
    html! {
        @match origin {
            Origin::Default => "default",
            Origin::Variable(_) => { "variable " code { (foreign(&origin.to_string())) } }
            origin => code { (foreign(&origin.to_string())) },
        }
    }
}

fn found_in<'a>(view: &'a View, policy: &'a str) -> impl Iterator<Item = &'a Problem> {
    let of = move |problem: &&Problem| {
        let rest = problem.key().strip_prefix("policies.").and_then(|rest| rest.strip_prefix(policy));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    view.settings.configuration().findings().iter().filter(of)
}

fn findings<'a>(problems: impl Iterator<Item = &'a Problem>) -> Markup {
    let mut problems = problems.peekable();
    html! {
        @if problems.peek().is_none() { p { "Nothing." } }
        ul.findings {
            @for problem in problems {
                li {
                    strong { (problem.severity()) " " (problem.lint().id()) } " "
                    (with_code(problem.message()))
                    div { "Written in: " (place(problem.origin())) }
                    @if let Some(help) = problem.help() { div { "Help: " (with_code(help)) } }
                    @if let Some(note) = problem.note() { div { "Note: " (with_code(note)) } }
                }
            }
        }
    }
}

fn suppressed(view: &View) -> Markup {
    let suppressions = view.settings.configuration().suppressions();
    html! {
        @if suppressions.is_empty() { p { "Nothing." } }
        ul {
            @for suppression in suppressions {
                li {
                    strong { (suppression.lint().id()) } " of " code { (suppression.of()) } " until " (suppression.until())
                    ", by " (foreign(suppression.owner())) ": " (foreign(suppression.reason())) " " (place(suppression.origin()))
                }
            }
        }
    }
}
