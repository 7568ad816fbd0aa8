//! The last events, and those that happen while the page is open.

use std::sync::Arc;

use axum::{extract::Query, response::Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{
    page::{Page, foreign, instant, party, table},
    view::View,
};
use crate::event::{EventKind, SessionEvent};

/// How many events are shown.
const SHOWN: usize = 200;
const HEADS: [&str; 8] = ["Time (UTC)", "Event", "Policy", "Session", "Principal", "Reason", "By", "More"];

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Asked {
    event: String,
    policy: String,
}

pub(in super::super) async fn show(view: View, Query(asked): Query<Asked>) -> Response {
    let is_asked = |event: &SessionEvent| {
        (asked.event.is_empty() || event.kind.name() == asked.event)
            && (asked.policy.is_empty() || *event.policy == *asked.policy)
    };
    let events = view.shared.recent.latest(SHOWN, is_asked);
    let stream = view.at("/events/stream");
    let body = html! {
        (filter(&view, &asked))
        section #live aria-labelledby="live-title" data-stream=(stream) data-event=(asked.event) data-policy=(asked.policy)
            data-sessions=(view.at("/sessions")) data-session=(view.at("/session")) {
            h2 id="live-title" { "As they happen" }
            p #live-state role="status" { "Load the page again to see what is new: what happens while it is open takes a script." }
            p #live-count aria-live="polite" {}
            button #live-pause type="button" hidden aria-pressed="false" { "Pause" }
        }
        (table_of(&view, "Events, newest first", &events))
        p.hint {
            "The last " (SHOWN) " at most, as this process has seen them since " (instant(view.shared.recent.since()))
            ", but for what every request does. A sink keeps them for good."
        }
    };
    Page::new("/events", "Events", body).live().shown(&view)
}

fn filter(view: &View, asked: &Asked) -> Markup {
    let kinds = EventKind::ALL.iter().filter(|kind| !kind.is_routine());
    html! {
        form.search method="get" action=(view.at("/events")) {
            p {
                label for="filter-event" { "Event" }
                select id="filter-event" name="event" {
                    option value="" { "all" }
                    @for kind in kinds { option value=(kind) selected[kind.name() == asked.event] { (kind) } }
                }
            }
            p {
                label for="filter-policy" { "Policy" }
                select id="filter-policy" name="policy" {
                    option value="" { "all" }
                    @for engine in view.settings.engines() {
                        @let name = engine.policy().name();
                        option value=(name) selected[name == asked.policy] { (name) }
                    }
                }
            }
            p { button { "Show" } }
        }
    }
}

pub(super) fn table_of(view: &View, caption: &str, events: &[Arc<SessionEvent>]) -> Markup {
    let rows = html! {
        @for event in events { (row(view, event)) }
        @if events.is_empty() { tr.none { td colspan=(HEADS.len()) { "None." } } }
    };
    table("events", caption, &HEADS, &rows)
}

fn row(view: &View, event: &SessionEvent) -> Markup {
    let owner = event.principal_kind.as_deref().zip(event.principal_id.as_deref());
    let handle = event.handle.map(|handle| handle.to_string());
    html! {
        tr class=(event.severity().name()) data-id=(event.id()) {
            td { (instant(event.timestamp())) }
            th scope="row" { (event.kind) }
            td { (event.policy) }
            td {
                @match (&handle, owner) {
                    (Some(handle), Some((kind, id))) => a href=(view.session(kind, id, handle)) { code { (handle) } },
                    (Some(handle), None) => code { (handle) },
                    (None, _) => "",
                }
            }
            td {
                @match owner {
                    Some((kind, id)) => a href=(view.sessions_of(kind, id)) { (party(kind, id)) },
                    None => (event.principal_kind.as_deref().unwrap_or_default()),
                }
            }
            td { (event.reason.unwrap_or_default()) }
            td {
                @if let Some(kind) = &event.by_kind { (party(kind, event.by_id.as_deref().unwrap_or_default())) }
            }
            td {
                @if event.count != 1 { (event.count) " " }
                @if let Some(fault) = event.fault { (fault.code()) " " }
                @if let Some(request) = &event.request { "request " (foreign(request.as_str())) " " }
                @if let Some(peer) = event.peer { "from " (peer) " " }
                (event.detail.unwrap_or_default())
            }
        }
    }
}
