//! How the stores are: each is asked once for a page, and one that does not answer holds up none of the others.

use std::time::{Duration, Instant};

use axum::response::Response;
use maud::{Markup, html};
use sessions_policy::{StoreConfig, StoreKind};

use super::super::{
    page::{Page, table},
    view::View,
};
use crate::{
    event::SinkStats,
    soon::all,
    store::{SessionStore as _, StoreError, StoreStats},
};

/// A store, and what it answered.
pub(super) struct Asked {
    name: String,
    kind: &'static str,
    limit: Duration,
    is_encrypted: bool,
    took: Duration,
    answer: Result<StoreStats, StoreError>,
}

/// Asks all stores at once, each no longer than its time limit.
pub(super) async fn asked(view: &View) -> Vec<Asked> {
    let configuration = view.settings.configuration();
    let ask = view.settings.stores().iter().map(|(name, store)| async move {
        let declared = configuration.store(name);
        let began = Instant::now();
        let answer = store.stats().await;
        Asked {
            name: name.clone(),
            kind: declared.map_or("custom", kind),
            limit: store.limit(),
            is_encrypted: declared.is_some_and(|declared| !declared.encryption_keys().is_empty()),
            took: began.elapsed(),
            answer,
        }
    });
    all(ask).await
}

fn kind(store: &StoreConfig) -> &'static str {
    match store.kind() {
        StoreKind::Memory { .. } => "memory",
        StoreKind::File { .. } => "file",
        StoreKind::Sqlite { .. } => "sqlite",
        StoreKind::Postgres { .. } => "postgres",
        StoreKind::Redis { .. } => "redis",
        _ => "custom",
    }
}

pub(super) fn table_of(stores: &[Asked]) -> Markup {
    let rows = html! {
        @for store in stores {
            tr.bad[store.answer.is_err()] {
                th scope="row" { (store.name) }
                td { (store.kind) @if store.is_encrypted { ", encrypted" } }
                @match &store.answer {
                    Ok(stats) => {
                        td { "answers in " (milliseconds(store.took)) }
                        td.number { (stats.sessions) }
                        td.number { (stats.principals) }
                        td.number { (stats.evicted_for_space) }
                    }
                    Err(error) => {
                        td { strong { "Fails: " } (error) }
                        td.number { "–" } td.number { "–" } td.number { "–" }
                    }
                }
                td.number { (milliseconds(store.limit)) }
            }
        }
    };
    let heads = ["Store", "Kind", "State", "Sessions", "Principals", "Evicted for space", "Time limit"];
    html! { section aria-labelledby="stores-caption" { (table("stores", "Stores", &heads, &rows)) } }
}

fn milliseconds(time: Duration) -> String {
    match time.as_micros() {
        0..100 => "less than 0.1 ms".to_owned(),
        micros @ 100..10_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        micros => format!("{} ms", micros / 1_000),
    }
}

pub(in super::super) async fn show(view: View) -> Response {
    let stores = asked(&view).await;
    let (dropped, sinks) =
        view.engine().map_or((0, Vec::new()), |engine| (engine.dropped_events(), engine.sink_stats()));
    let body = html! {
        (table_of(&stores))
        p.hint {
            "Counts may include what has expired and is not freed yet; a large PostgreSQL store tells its server’s estimate. "
            "Why a store fails is in the log, not here."
        }
        section aria-labelledby="sinks-caption" {
            (of_sinks(&sinks))
            p { (dropped) " events were dropped in all, because listeners were too slow." }
        }
    };
    Page::new("/stores", "Stores", body).shown(&view)
}

fn of_sinks(sinks: &[SinkStats]) -> Markup {
    let rows = html! {
        @for sink in sinks {
            tr.bad[sink.dropped > 0 || sink.failures > 0] {
                th scope="row" { (sink.name) }
                td.number { (sink.dropped) }
                td.number { (sink.failures) }
            }
        }
    };
    table("sinks", "Sinks of events", &["Sink", "Dropped", "Failed tries"], &rows)
}
