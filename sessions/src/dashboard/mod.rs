//! Pages for operators: who has which sessions, what happens to them, what the policies say and how the stores are. Served
//! as HTML from the program itself, to whom a guard lets in.
//!
//! ```
//! # mod shop { sessions::policies! { admin: { extends: "admin" } } }
//! # use shop::policies;
//! use axum::Router;
//! use sessions::{dashboard::Dashboard, guard};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), sessions::LoadError> {
//! let registry = policies::Registry::load().await?;
//! let dashboard = Dashboard::new::<policies::Admin>(&registry, guard::role("admin"));
//! let app: Router = Router::new().nest("/dashboard", dashboard.router()).layer(registry.layer());
//! # drop(app);
//! # Ok(())
//! # }
//! ```
//!
//! `docs/DASHBOARD.md` shows it, and says what it can't show.

mod access;
mod assets;
mod page;
mod pages;
mod recent;
mod revoke;
mod stream;
mod view;

use std::{fmt, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use tokio::sync::Semaphore;

use self::{access::Access, recent::Recent};
use crate::{
    engine::SessionEngine,
    event::instant,
    guard::Requirements,
    registry::{Registry, Settings},
    session::Registered,
};

/// The most events that are kept for the pages, unless it is said otherwise.
const REMEMBERED: usize = 2_000;
/// The most live streams that are open at once.
const STREAMS: usize = 32;
/// The largest form, in bytes: a principal's id may be long.
const FORM: usize = 16 * 1024;

/// The dashboard of a registry, before it is mounted.
///
/// Every page and every stream asks the guard anew, and a revocation is refused unless the browser says that it comes from
/// the dashboard's own host. Pages run no inline code, load nothing from elsewhere, fit in no frame and stay in no cache.
/// They hold handles, never ids or secrets of sessions.
pub struct Dashboard {
    shared: Shared,
    guard: Requirements,
    revoking: Option<Requirements>,
    admit: fn(Router<Arc<Shared>>, Access) -> Router<Arc<Shared>>,
    remembered: usize,
}

/// What all pages share.
struct Shared {
    settings: Box<dyn Fn() -> Arc<Settings> + Send + Sync>,
    recent: Recent,
    streams: Arc<Semaphore>,
    is_read_only: bool,
}

impl Shared {
    /// The settings in force.
    fn settings(&self) -> Arc<Settings> {
        (self.settings)()
    }

    /// One engine of the registry, which speaks for all policies.
    fn engine(settings: &Settings) -> Option<&SessionEngine> {
        settings.engines().first()
    }
}

impl Dashboard {
    /// A dashboard for whom the guard lets in under the policy `P`: best one of its own for operators, short-lived and
    /// `SameSite=Strict`, as the preset `admin` is.
    ///
    /// It remembers what happens from now on. A guard that asks nothing lets no one in.
    pub fn new<P: Registered>(registry: &Registry<P::Declared>, guard: Requirements) -> Self {
        if !guard.asks_anything() {
            tracing::error!("the guard of a sessions dashboard asks nothing: it lets no one in");
        }
        let registry = registry.clone();
        let now = Shared::engine(&registry.settings()).map(|engine| engine.shared.time.now());
        let shared = Shared {
            settings: Box::new(move || registry.settings()),
            recent: Recent::new(instant(now.unwrap_or_default())),
            streams: Arc::new(Semaphore::new(STREAMS)),
            is_read_only: false,
        };
        Self { shared, guard, revoking: None, admit: admitted::<P>, remembered: REMEMBERED }
    }

    /// Shows, and revokes nothing.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.shared.is_read_only = true;
        self
    }

    /// What a revocation asks of the operator beside the guard, such as a recent login: `guard::fresh()`.
    #[must_use]
    pub fn revoking(mut self, guard: Requirements) -> Self {
        self.revoking = Some(guard);
        self
    }

    /// How many events are kept for the pages, at most 100,000; 2,000 unless it is said. They are kept in this process.
    #[must_use]
    pub fn remember(mut self, events: usize) -> Self {
        self.remembered = events.clamp(1, 100_000);
        self
    }

    /// The pages, to be nested under a path of their own, below the registry's layer.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        if let Some(engine) = Shared::engine(&self.shared.settings()) {
            engine.add_sink(self.shared.recent.sink(self.remembered));
        }
        let access = Access {
            guard: self.guard,
            revoking: self.revoking.map_or(self.guard, |more| self.guard.and(more)),
        };
        let pages = Router::new()
            .route("/", get(pages::overview::show))
            .route("/sessions", get(pages::sessions::show))
            .route("/sessions/revoke", post(revoke::all))
            .route("/session", get(pages::session::show))
            .route("/session/revoke", post(revoke::one))
            .route("/policies", get(pages::policies::list))
            .route("/policies/{name}", get(pages::policies::show))
            .route("/stores", get(pages::stores::show))
            .route("/events", get(pages::events::show))
            .route("/assets/{name}", get(assets::serve))
            .fallback(|view: view::View| async move { page::Page::nowhere().shown(&view) });
        (self.admit)(pages, access)
            .layer(DefaultBodyLimit::max(FORM))
            .layer(from_fn(page::seal))
            .with_state(Arc::new(self.shared))
    }
}

/// Adds the stream, and lets to all of it only whom the guard lets in under `P`.
fn admitted<P: Registered>(pages: Router<Arc<Shared>>, access: Access) -> Router<Arc<Shared>> {
    pages
        .route("/events/stream", get(stream::open::<P>))
        .layer(from_fn_with_state(access, access::admit::<P>))
}

impl fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard").field("guard", &self.guard).finish_non_exhaustive()
    }
}
