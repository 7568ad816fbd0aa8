//! The live sessions of a principal, under all policies or one, a page at a time; and where to look for them.

use axum::{
    extract::Query,
    response::{IntoResponse as _, Redirect, Response},
};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::{
    page::{Page, foreign, instant, party, table},
    view::{View, principal},
};
use crate::{
    SessionInfo, SessionPrincipal,
    engine::{SessionCursor, SessionPage},
    fault::SessionError,
    token::Handle,
};

/// How many sessions a page shows.
const SHOWN: usize = 50;

/// What is looked for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Search {
    kind: String,
    id: String,
    policy: String,
    handle: String,
    /// Where the page before ended.
    after: String,
    /// How many sessions were just revoked.
    revoked: String,
}

pub(in super::super) async fn show(
    view: View,
    Query(search): Query<Search>,
) -> Result<Response, SessionError> {
    let (kind, id, handle) = (search.kind.trim(), search.id.trim(), search.handle.trim());
    if !handle.is_empty() {
        return Ok(by_handle(&view, kind, id, handle));
    }
    // An id may begin or end with a space: only the form's own emptiness counts.
    let Some(principal) = principal(kind, &search.id) else {
        let body = html! { (self::search(&view, kind, id, &search.policy)) (hint()) };
        return Ok(Page::new("/sessions", "Sessions", body).shown(&view));
    };
    let after: Option<SessionCursor> = search.after.parse().ok();
    let policy = Some(search.policy.as_str()).filter(|policy| !policy.is_empty());
    let page = view.engine()?.page_under(policy, &principal, (after.as_ref(), SHOWN)).await?;
    let title = format!("Sessions of {}:{}", principal.kind(), principal.id());
    let body = html! {
        @if let Ok(revoked) = search.revoked.parse::<u64>() { (told(revoked)) }
        (self::search(&view, principal.kind(), principal.id(), &search.policy))
        (listed(&view, &principal, &page))
        (further(&view, &principal, &search, &page))
        @if view.may_revoke() && !page.sessions.is_empty() { (revoke_all(&view, &principal)) }
    };
    Ok(Page::new("/sessions", title, body).shown(&view))
}

/// Goes to a session by its handle: no store finds it, so an event or the form has to say whose it is.
fn by_handle(view: &View, kind: &str, id: &str, handle: &str) -> Response {
    let known = handle.parse::<Handle>().ok().and_then(|handle| {
        let given = (!id.is_empty()).then(|| (kind.to_owned(), id.to_owned()));
        given.or_else(|| view.shared.recent.owner(handle))
    });
    if let Some((kind, id)) = known {
        return Redirect::to(&view.session(&kind, &id, handle)).into_response();
    }
    let body = html! {
        p role="status" {
            "Nothing that has happened here since " (instant(view.shared.recent.since()))
            " tells whose session " code { (foreign(handle)) } " is. Say whose it is, too."
        }
        (search(view, kind, id, ""))
        (hint())
    };
    Page::new("/sessions", "Session not found", body).with_status(StatusCode::NOT_FOUND).shown(view)
}

/// The form that looks for sessions.
pub(super) fn search(view: &View, kind: &str, id: &str, policy: &str) -> Markup {
    html! {
        form.search role="search" method="get" action=(view.at("/sessions")) {
            p { label for="search-kind" { "Kind" } input id="search-kind" name="kind" value=(if kind.is_empty() { "user" } else { kind }) autocomplete="off"; }
            p { label for="search-id" { "Principal’s id" } input id="search-id" name="id" value=(id) autocomplete="off"; }
            p {
                label for="search-policy" { "Policy" }
                select id="search-policy" name="policy" {
                    option value="" { "all" }
                    @for engine in view.settings.engines() {
                        @let name = engine.policy().name();
                        option value=(name) selected[name == policy] { (name) }
                    }
                }
            }
            p { label for="search-handle" { "or a session’s handle" } input id="search-handle" name="handle" autocomplete="off"; }
            p { button { "Find" } }
        }
    }
}

fn hint() -> Markup {
    html! {
        p.hint {
            "A store finds the sessions of a principal, and can’t list all of its sessions. A handle is found if an event of "
            "this process has told whose it is, or with the principal beside it. Sessions of visitors who have not logged in "
            "belong to no one and are not found."
        }
    }
}

fn told(revoked: u64) -> Markup {
    html! {
        p.done role="status" {
            @match revoked {
                0 => "No session was revoked: it had ended.",
                1 => "1 session was revoked.",
                _ => { (revoked) " sessions were revoked." }
            }
        }
    }
}

fn listed(view: &View, principal: &SessionPrincipal, page: &SessionPage) -> Markup {
    let rows = html! {
        @for session in &page.sessions { (row(view, principal, session)) }
        @if page.sessions.is_empty() { tr { td colspan="6" { "No live sessions." } } }
    };
    let caption = format!("Live sessions of {}:{}", principal.kind(), principal.id());
    let heads = ["Session", "Policy", "Begun (UTC)", "Last seen (UTC)", "Ends (UTC)", "User agent"];
    table("sessions", &caption, &heads, &rows)
}

fn row(view: &View, principal: &SessionPrincipal, session: &SessionInfo) -> Markup {
    let handle = session.handle.to_string();
    html! {
        tr {
            th scope="row" {
                a href=(view.session(principal.kind(), principal.id(), &handle)) { code { (handle) } }
                @if view.operator.handle == Some(session.handle) { " (yours)" }
            }
            td { (session.policy) }
            td { (instant(session.created_at)) }
            td { (instant(session.last_seen_at)) }
            td { (instant(session.expires_at)) }
            td.long { @if let Some(agent) = &session.user_agent { (foreign(agent)) } }
        }
    }
}

fn further(view: &View, principal: &SessionPrincipal, search: &Search, page: &SessionPage) -> Markup {
    let next = page.next.as_ref().map(ToString::to_string);
    html! {
        @if let Some(next) = next {
            @let query = [("kind", principal.kind()), ("id", principal.id()), ("policy", &*search.policy), ("after", &*next)];
            p { a rel="next" href=(view.asking("/sessions", &query)) { "More sessions" } }
        }
    }
}

/// Two steps, so that no one ends a person's day by accident; both by keyboard, and without a script.
fn revoke_all(view: &View, principal: &SessionPrincipal) -> Markup {
    html! {
        details.danger {
            summary { "Revoke all sessions …" }
            form method="post" action=(view.at("/sessions/revoke")) {
                input type="hidden" name="kind" value=(principal.kind());
                input type="hidden" name="id" value=(principal.id());
                p {
                    "Ends every session of " (party(principal.kind(), principal.id()))
                    " under all policies, and every login that is under way. It can’t be undone."
                }
                button { "Revoke all sessions" }
            }
        }
    }
}
