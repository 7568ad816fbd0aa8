//! One session: what is known of it, its life as events have told it, and its end.

use axum::{extract::Query, response::Response};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    super::{
        page::{Page, foreign, instant, party},
        view::{View, principal},
    },
    events,
};
use crate::{
    SessionInfo, SessionPrincipal,
    fault::{Fault, SessionError},
    token::Handle,
};

/// How many of a principal's sessions are looked through, a page of the store at a time.
const LOOKED_AT: usize = 1_000;
const PAGE: usize = 200;
/// How many events are shown.
const EVENTS: usize = 200;

#[derive(Deserialize)]
pub(in super::super) struct Asked {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    id: String,
    handle: String,
}

/// What was found under a handle.
enum Found {
    Live(Box<SessionInfo>),
    /// Not among the principal's live sessions.
    Ended,
    /// Not among the first ones.
    TooMany,
}

pub(in super::super) async fn show(view: View, Query(asked): Query<Asked>) -> Result<Response, SessionError> {
    let handle: Handle = asked.handle.parse().map_err(|_| Fault::NotFound)?;
    let principal = principal(&asked.kind, &asked.id).ok_or(Fault::NotFound)?;
    let found = find(&view, &principal, handle).await?;
    let is_live = matches!(found, Found::Live(_));
    let told = view.shared.recent.latest(EVENTS, |event| event.handle == Some(handle));
    let body = html! {
        (known(&view, &principal, &found))
        section aria-labelledby="events-caption" {
            (events::table_of(&view, "Its events, newest first", &told))
            p.hint {
                "What this process has seen since " (instant(view.shared.recent.since()))
                ", but for what every request does. Other processes tell theirs to the sinks of events."
            }
        }
        @if is_live && view.may_revoke() { (revoke(&view, &principal, handle)) }
    };
    let page = Page::new("/sessions", format!("Session {handle}"), body);
    // An ended session that events tell of is a page; one that nothing is known of is none.
    let status = if is_live || !told.is_empty() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    Ok(page.with_status(status).shown(&view))
}

async fn find(view: &View, principal: &SessionPrincipal, handle: Handle) -> Result<Found, SessionError> {
    let engine = view.engine()?;
    let mut after = None;
    let mut looked_at = 0;
    while looked_at < LOOKED_AT {
        let page = engine.page_under(None, principal, (after.as_ref(), PAGE)).await?;
        looked_at += page.sessions.len().max(1);
        if let Some(found) = page.sessions.into_iter().find(|session| session.handle == handle) {
            return Ok(Found::Live(Box::new(found)));
        }
        after = page.next;
        if after.is_none() {
            return Ok(Found::Ended);
        }
    }
    Ok(Found::TooMany)
}

fn known(view: &View, principal: &SessionPrincipal, found: &Found) -> Markup {
    let (kind, id) = (principal.kind(), principal.id());
    html! {
        p { "Of " a href=(view.sessions_of(kind, id)) { (party(kind, id)) } }
        @match found {
            Found::Live(session) => {
                dl {
                    dt { "State" } dd { "live" @if view.operator.handle == Some(session.handle) { ", and yours" } }
                    dt { "Policy" } dd { a href=(view.at(&format!("/policies/{}", session.policy))) { (session.policy) } }
                    dt { "Begun" } dd { (instant(session.created_at)) " UTC" }
                    dt { "Last seen" } dd { (instant(session.last_seen_at)) " UTC" }
                    dt { "Ends if not used" } dd { (instant(session.expires_at)) " UTC" }
                    dt { "User agent of the login" }
                    dd { @match &session.user_agent { Some(agent) => (foreign(agent)), None => "not told" } }
                }
            }
            Found::Ended => p { "It is not live: it has ended, or it is not this principal’s." }
            Found::TooMany => p {
                "It is not among the first " (LOOKED_AT) " sessions of this principal, which is how many are looked through."
            }
        }
    }
}

fn revoke(view: &View, principal: &SessionPrincipal, handle: Handle) -> Markup {
    html! {
        form.danger method="post" action=(view.at("/session/revoke")) {
            input type="hidden" name="kind" value=(principal.kind());
            input type="hidden" name="id" value=(principal.id());
            input type="hidden" name="handle" value=(handle);
            p { "Ends this session, on every node. It can’t be undone." }
            button { "Revoke this session" }
        }
    }
}
