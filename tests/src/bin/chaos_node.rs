//! A node that the chaos tests torment: a small service with sessions in the store of an address.
//!
//! `chaos_node URL`. See `sessions_tests::chaos`.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{collections::BTreeMap, io::Read as _, process::exit};

use axum::{
    Json, Router,
    extract::Query,
    routing::{get, post},
};
use serde::Deserialize;
use sessions::{Session, SessionError, SessionPrincipal, session};
use sessions_tests::chaos::{Answer, TIMEOUT};

sessions::policies! {
    web: {
        extends: "user_default", persistence: { store_name: "main" },
        concurrency: { max_sessions_per_principal: 3, behavior_on_limit: "evict_oldest" }
    },
    strict: {
        extends: "user_default", persistence: { store_name: "main" },
        concurrency: { max_sessions_per_principal: 2, behavior_on_limit: "reject" }
    },
    turning: {
        extends: "user_default", persistence: { store_name: "main" },
        rotate_every: "1s", rotation_grace: "700ms"
    },
}

/// The counter's key.
const UPDATES: &str = "updates";
/// What the keys that are set begin with.
const MARK: &str = "mark-";

#[derive(Deserialize)]
struct Login {
    user: String,
}

#[derive(Deserialize)]
struct Update {
    number: u64,
}

#[derive(Deserialize)]
struct Set {
    name: String,
    value: u64,
}

type Answered = Result<Json<Answer>, SessionError>;

/// What a session is now; each value from one record.
fn seen(session: &Session) -> Result<Answer, SessionError> {
    let mut marks = BTreeMap::new();
    for key in session.keys() {
        if let Some(name) = key.strip_prefix(MARK) {
            marks.insert(name.to_owned(), session.get(&key)?.unwrap_or_default());
        }
    }
    let updates: Vec<u64> = session.get(UPDATES)?.unwrap_or_default();
    let user = session.principal().map(|principal| principal.id().to_owned()).unwrap_or_default();
    Ok(Answer { user, count: updates.len() as u64, marks, ..Answer::default() })
}

macro_rules! service {
    ($policy:literal, $name:ident) => {
        mod $name {
            use super::*;

            #[session(policy = $policy)]
            async fn log_in(mut session: Session, Query(login): Query<Login>) -> Json<Answer> {
                session.mark_authenticated(SessionPrincipal::user(login.user.clone()));
                Json(Answer { user: login.user, ..Answer::default() })
            }

            #[session(policy = $policy, require = authenticated)]
            async fn log_out(mut session: Session) -> Answered {
                let answer = seen(&session.untyped())?;
                session.clear_authentication();
                session.clear_data();
                Ok(Json(answer))
            }

            #[session(policy = $policy, require = authenticated)]
            async fn see(session: Session) -> Answered {
                seen(&session.untyped()).map(Json)
            }

            #[session(policy = $policy, require = authenticated)]
            async fn whole(session: Session) -> Answered {
                let updates = session.get(UPDATES)?.unwrap_or_default();
                Ok(Json(Answer { updates, ..seen(&session.untyped())? }))
            }

            #[session(policy = $policy, require = authenticated)]
            async fn update(session: Session, Query(update): Query<Update>) -> Answered {
                let count = session
                    .update(UPDATES, |updates: &mut Vec<u64>| {
                        updates.push(update.number);
                        updates.len() as u64
                    })
                    .await?;
                let user = session.require_principal()?.id().to_owned();
                Ok(Json(Answer { user, count, ..Answer::default() }))
            }

            #[session(policy = $policy, require = authenticated)]
            async fn set(mut session: Session, Query(set): Query<Set>) -> Answered {
                let user = session.require_principal()?.id().to_owned();
                session.set(&format!("{MARK}{}", set.name), set.value)?;
                Ok(Json(Answer { user, ..Answer::default() }))
            }

            #[session(policy = $policy, require = authenticated)]
            async fn rotate(mut session: Session) -> Answered {
                let answer = seen(&session.untyped())?;
                session.rotate();
                Ok(Json(answer))
            }

            #[session(policy = $policy, require = authenticated)]
            async fn revoke_all(session: Session) -> Answered {
                let answer = seen(&session.untyped())?;
                session.revoke_all().await?;
                Ok(Json(answer))
            }

            #[session(policy = $policy, require = authenticated)]
            async fn revoke_others(session: Session) -> Answered {
                let answer = seen(&session.untyped())?;
                session.revoke_others().await?;
                Ok(Json(answer))
            }

            #[session(policy = $policy, require = authenticated)]
            async fn mine(session: Session) -> Answered {
                let sessions = Some(session.sessions().await?.len());
                Ok(Json(Answer { sessions, ..seen(&session.untyped())? }))
            }

            /// What a visitor does before a login.
            #[session(policy = $policy)]
            async fn visit(mut session: Session, Query(set): Query<Set>) -> Answered {
                session.set(&format!("{MARK}{}", set.name), set.value)?;
                Ok(Json(Answer::default()))
            }

            pub(super) fn routes() -> Router {
                Router::new()
                    .route("/login", post(log_in))
                    .route("/logout", post(log_out))
                    .route("/see", get(see))
                    .route("/whole", get(whole))
                    .route("/update", post(update))
                    .route("/set", post(set))
                    .route("/rotate", post(rotate))
                    .route("/revoke_all", post(revoke_all))
                    .route("/revoke_others", post(revoke_others))
                    .route("/mine", get(mine))
                    .route("/visit", post(visit))
            }
        }
    };
}

service!("web", web);
service!("strict", strict);
service!("turning", turning);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    std::thread::spawn(|| {
        // Whoever started this has gone when there is nothing more to read.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        exit(0);
    });
    let url = std::env::args().nth(1).unwrap();
    let kind = if url.starts_with("redis") { "redis" } else { "postgres" };
    let file = format!(
        "[stores.main]\nkind = \"{kind}\"\nurl = \"{url}\"\ntimeout = \"{}ms\"\n",
        TIMEOUT.as_millis()
    );
    let loaded = policies::Registry::builder().with_settings(Some(&file), []).load().await;
    let registry = loaded.unwrap_or_else(|error| {
        eprintln!("{error}");
        exit(1)
    });
    let app = Router::new()
        .nest("/web", web::routes())
        .nest("/strict", strict::routes())
        .nest("/turning", turning::routes())
        .layer(registry.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    axum::serve(listener, app).await.unwrap();
}
