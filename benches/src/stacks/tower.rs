//! tower-sessions, with its memory store and with moka. The moka store is made for the version before the present one,
//! so that the same handlers are written against both.

macro_rules! stack {
    ($name:ident, $library:ident) => {
        pub(super) mod $name {
            use std::hint::black_box;

            use axum::{
                Router,
                http::StatusCode,
                response::IntoResponse,
                routing::{get, post},
            };
            use $library::{Session, SessionManagerLayer, SessionStore};

            use super::super::{ATTRIBUTES, WORK, bare::personal, failed, new_user};

            pub(in super::super) fn router(store: impl SessionStore + Clone) -> Router {
                Router::new()
                    .route("/untouched", get(async || "ok"))
                    .route("/read", get(read))
                    .route("/set", post(set))
                    .route("/set-slow", post(set_slow))
                    .route("/login", post(login))
                    .route("/logout", post(logout))
                    .route("/count", get(count))
                    .layer(SessionManagerLayer::new(store))
            }

            async fn counter(session: &Session) -> Result<u64, StatusCode> {
                session.get::<u64>("n").await.map_err(failed)?.ok_or(StatusCode::UNAUTHORIZED)
            }

            async fn read(session: Session) -> Result<impl IntoResponse, StatusCode> {
                let user = session.get::<String>("user_id").await.map_err(failed)?;
                black_box(user.ok_or(StatusCode::UNAUTHORIZED)?);
                black_box(counter(&session).await?);
                Ok((personal(), "ok"))
            }

            async fn set(session: Session) -> Result<impl IntoResponse, StatusCode> {
                let n = counter(&session).await?;
                session.insert("n", n + 1).await.map_err(failed)?;
                Ok((personal(), "ok"))
            }

            async fn set_slow(session: Session) -> Result<impl IntoResponse, StatusCode> {
                let n = counter(&session).await?;
                tokio::time::sleep(WORK).await;
                session.insert("n", n + 1).await.map_err(failed)?;
                Ok((personal(), "ok"))
            }

            async fn login(session: Session) -> Result<impl IntoResponse, StatusCode> {
                // What its documentation asks for against fixation.
                session.cycle_id().await.map_err(failed)?;
                session.insert("user_id", new_user()).await.map_err(failed)?;
                for (key, value) in ATTRIBUTES {
                    session.insert(key, value).await.map_err(failed)?;
                }
                session.insert("n", 0).await.map_err(failed)?;
                Ok((personal(), "ok"))
            }

            async fn logout(session: Session) -> Result<impl IntoResponse, StatusCode> {
                session.flush().await.map_err(failed)?;
                Ok((personal(), "ok"))
            }

            async fn count(session: Session) -> Result<String, StatusCode> {
                counter(&session).await.map(|n| n.to_string())
            }
        }
    };
}

stack!(memory, tower_sessions);
stack!(moka, tower_sessions_014);
