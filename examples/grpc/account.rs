//! The methods: each opens the session of its request, as a handler of HTTP does. What fails is a status by `?`.

use std::{pin::Pin, sync::Arc};

use sessions::{Session, SessionPrincipal, guard};
use tonic::{Request, Response, Status};

use super::rpc::{Account, Count, Text};

sessions::policies! {
    app: {
        extends: "api_token",
        idle_timeout: "30min",
        transport: { adapter: "bearer" },
        concurrency: { max_sessions_per_principal: 5, behavior_on_limit: "evict_oldest" },
    },
}
use policies::App;

/// The shop's accounts.
#[derive(Debug)]
pub(crate) struct Accounts;

type Answer<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

fn said(text: impl Into<String>) -> Response<Text> {
    Response::new(Text { text: text.into() })
}

impl Account for Accounts {
    fn log_in(self: Arc<Self>, request: Request<Text>) -> Answer<Text> {
        Box::pin(async move {
            let mut session = Session::<App>::open(&request).await?;
            // The application's own check of who that is belongs here.
            session.mark_authenticated(SessionPrincipal::user(&*request.get_ref().text));
            Ok(said("logged in"))
        })
    }

    fn who_am_i(self: Arc<Self>, request: Request<Text>) -> Answer<Text> {
        Box::pin(async move {
            let session = Session::<App, guard::Authenticated>::open(&request).await?;
            Ok(said(session.require_principal()?.id()))
        })
    }

    fn visit(self: Arc<Self>, request: Request<Text>) -> Answer<Count> {
        Box::pin(async move {
            let mut session = Session::<App>::open(&request).await?;
            let count = session.get("visits")?.unwrap_or(0_u64) + 1;
            session.set("visits", count)?;
            Ok(Response::new(Count { count }))
        })
    }

    fn rotate(self: Arc<Self>, request: Request<Text>) -> Answer<Text> {
        Box::pin(async move {
            let mut session = Session::<App, guard::Authenticated>::open(&request).await?;
            session.rotate();
            Ok(said("another id"))
        })
    }

    fn report(self: Arc<Self>, request: Request<Text>) -> Answer<Text> {
        Box::pin(async move {
            let session = Session::<App, guard::Authenticated>::open(&request).await?;
            if !session.require_principal()?.has_role("admin") {
                return Err(sessions::SessionError::from(sessions::Fault::Forbidden).into());
            }
            Ok(said("all is well"))
        })
    }

    fn log_out(self: Arc<Self>, request: Request<Text>) -> Answer<Text> {
        Box::pin(async move {
            Session::<App>::end(&request).await?;
            Ok(said("logged out"))
        })
    }
}
