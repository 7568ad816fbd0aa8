//! What an operator looks at first: is anything wrong, and who was here last?

use axum::response::Response;
use maud::{Markup, html};

use super::{
    super::{
        page::{Page, instant, party, table},
        view::View,
    },
    sessions::search,
    stores,
};

/// How many principals are shown.
const SEEN: usize = 20;

pub(in super::super) async fn show(view: View) -> Response {
    let stores = stores::asked(&view).await;
    let findings = view.settings.configuration().findings().len();
    let body = html! {
        p {
            "Profile: " strong { (view.settings.profile()) } ". "
            @if findings > 0 {
                a href=(view.at("/policies")) {
                    @if findings == 1 { "The lints have one finding" } @else { "The lints have " (findings) " findings" }
                }
                "."
            } @else {
                "The lints find nothing."
            }
        }
        section aria-labelledby="find" {
            h2 id="find" { "Find sessions" }
            (search(&view, "", "", ""))
        }
        (stores::table_of(&stores))
        (of_policies(&view))
        (seen(&view))
    };
    Page::new("/", "Overview", body).shown(&view)
}

fn of_policies(view: &View) -> Markup {
    let rows = html! {
        @for engine in view.settings.engines() {
            @let policy = engine.policy();
            tr {
                th scope="row" { a href=(view.at(&format!("/policies/{}", policy.name()))) { (policy.name()) } }
                td { (policy.transport().adapter()) }
                td { @if policy.is_persistent() { (policy.persistence().store_name()) } @else { "none" } }
                td { (limit(policy.concurrency().max_sessions_per_principal())) }
                td.number { (engine.open_watches()) }
            }
        }
    };
    let heads = ["Policy", "Transport", "Store", "Sessions a principal", "Open sockets here"];
    html! {
        section aria-labelledby="policies-caption" {
            (table("policies", "Policies", &heads, &rows))
        }
    }
}

fn limit(limit: Option<impl std::fmt::Display>) -> Markup {
    html! { @match limit { Some(limit) => { "at most " (limit) } None => "any number" } }
}

fn seen(view: &View) -> Markup {
    let seen = view.shared.recent.principals(SEEN);
    let rows = html! {
        @for seen in &seen {
            tr {
                th scope="row" { a href=(view.sessions_of(&seen.kind, &seen.id)) { (party(&seen.kind, &seen.id)) } }
                td { (seen.last.kind) }
                td { (seen.last.policy) }
                td { (instant(seen.last.timestamp())) }
            }
        }
        @if seen.is_empty() { tr { td colspan="4" { "Nobody yet." } } }
    };
    html! {
        section aria-labelledby="seen-caption" {
            (table("seen", "Principals seen last", &["Principal", "Last event", "Policy", "When (UTC)"], &rows))
            p.hint {
                "Seen by this process since " (instant(view.shared.recent.since()))
                ". A store finds the sessions of a principal, and can't list all principals: look for others by name."
            }
        }
    }
}
