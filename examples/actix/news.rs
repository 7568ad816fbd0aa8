//! A stream that lives as long as its session.

use std::{convert::Infallible, time::Duration};

use actix_web::{HttpResponse, web::Bytes};
use futures_util::stream;
use sessions::{Session, SessionError, session};
use tokio::time;

use crate::policies;

/// How often there are news.
const PACE: Duration = Duration::from_millis(100);

/// Server-sent events, numbered, until the session ends: by a logout, a revocation, or its time.
#[session(policy = "user_default", require = authenticated)]
pub(crate) async fn news(session: Session) -> Result<HttpResponse, SessionError> {
    let news = stream::unfold(1_u64, |number| async move {
        time::sleep(PACE).await;
        Some((Ok::<_, Infallible>(Bytes::from(format!("data: {number}\n\n"))), number + 1))
    });
    let news = session.watch().await?.guard(news);
    Ok(HttpResponse::Ok().content_type("text/event-stream").streaming(news))
}
