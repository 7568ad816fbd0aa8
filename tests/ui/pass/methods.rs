//! Handlers that are methods, with guards, and handlers that are generic over the state.
#![deny(warnings)]
#![warn(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub)]

use std::fmt::Debug;

use axum::{
    Json, Router,
    extract::{FromRef, Path, Query, State},
    http::{HeaderMap, Method, Uri},
    routing::{MethodRouter, get, post},
};
use sessions::{Session, session};

sessions::policies!("sessions.toml");

/// The state of the program.
#[derive(Clone, Debug)]
pub struct App {
    name: String,
}

impl App {
    /// An associated function.
    #[session(policy = "admin", role = ["admin", "auditor"], fresh = "1500ms")]
    pub async fn show(State(app): State<App>, session: Session) -> String {
        format!("{} {}", app.name, session.is_authenticated())
    }

    /// With the state as `self`.
    #[session(policy = "user_default", require = authenticated)]
    #[allow(clippy::needless_pass_by_value)]
    async fn consume(self, session: Session, Json(n): Json<u8>) -> String {
        format!("{} {} {n}", self.name, session.is_authenticated())
    }

    /// Borrowed: called by a closure.
    #[session(policy = "user_default", kind = "user")]
    async fn borrowed(&self, session: Session) -> String {
        std::future::ready(()).await;
        format!("{} {}", self.name, session.is_authenticated())
    }
}

/// A trait whose methods take sessions.
#[session(policy = "user_default", require = authenticated)]
trait Greets {
    fn greet(&self, session: Session) -> String;

    fn name(&self) -> String;
}

#[session(policy = "user_default", require = authenticated)]
impl Greets for App {
    fn greet(&self, session: Session) -> String {
        let authenticated = session.is_authenticated();
        drop(session);
        format!("{} {authenticated}", self.name())
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

/// Of any type.
struct Shelf<T, const N: usize>([T; N]);

impl<T: Clone + Send + Sync + 'static, const N: usize> Shelf<T, { N }>
where
    T: Debug,
{
    #[session(policy = "user_default", require = authenticated)]
    async fn list(State(shelf): State<std::sync::Arc<Self>>, _: Session) -> String {
        format!("{:?}", shelf.0)
    }
}

/// Generic over the state.
#[session(policy = "user_default", require = authenticated)]
async fn generic<S: Debug>(State(state): State<S>, session: Session) -> String
where
    S: Send,
{
    format!("{state:?} {}", session.is_authenticated())
}

fn route<S>() -> MethodRouter<S>
where
    S: Debug + Clone + Send + Sync + 'static,
    App: FromRef<S>,
{
    get(generic::<S>).post(App::show)
}

impl FromRef<App> for String {
    fn from_ref(app: &App) -> String {
        app.name.clone()
    }
}

/// As many extractors as axum takes beside the session.
#[session(policy = "user_default", role = "a role with a long name, that goes on and on")]
#[allow(clippy::too_many_arguments)]
async fn many(
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    Path(id): Path<u32>,
    Query(query): Query<Vec<(String, String)>>,
    State(app): State<App>,
    State(name): State<String>,
    session: Session,
    #[session("admin")] other: Option<Session>,
    Json(body): Json<Vec<u8>>,
) -> String {
    let all = (method, uri, headers.len(), id, query.len(), app.name, name, body.len());
    format!("{all:?} {} {}", session.is_authenticated(), other.is_some())
}

fn main() {
    let app = App { name: "shop".to_owned() };
    let shelf = std::sync::Arc::new(Shelf([1_u8, 2]));
    let for_closure = app.clone();
    let consume = |state: State<App>, session: Session<_, _>, body: Json<u8>| state.0.consume(session, body);
    let _ = async |session| for_closure.borrowed(session).await;
    let _ = |session| app.greet(session);
    let _: Router = Router::new()
        .route("/show", get(App::show))
        .route("/consume", post(consume))
        .route("/generic", route())
        .route("/many/{id}", post(many))
        .with_state(app.clone())
        .route("/shelf", get(Shelf::<u8, 2>::list))
        .with_state(shelf);
}
