//! actix-session with its Redis store.

use std::{hint::black_box, net::TcpListener};

use actix_session::{Session, SessionGetError, SessionMiddleware, storage::RedisSessionStore};
use actix_web::{
    App, HttpResponse, HttpServer,
    cookie::Key,
    error::{ErrorInternalServerError, ErrorUnauthorized},
    web,
};

use super::{ATTRIBUTES, new_user};
use crate::{Outcome, machine};

type Answer = Result<HttpResponse, actix_web::Error>;

/// Serves by one worker until the process ends.
pub(super) fn serve(listener: TcpListener, url: &str) -> Outcome<()> {
    let key = Key::generate();
    actix_web::rt::System::new().block_on(async move {
        let store = RedisSessionStore::new(url).await.map_err(|error| error.to_string())?;
        let app = move || {
            App::new().route("/cpu", web::get().to(async || machine::processor_time().to_string())).service(
                web::scope("")
                    .wrap(SessionMiddleware::new(store.clone(), key.clone()))
                    .route("/read", web::get().to(read))
                    .route("/set", web::post().to(set))
                    .route("/login", web::post().to(login)),
            )
        };
        Ok(HttpServer::new(app).workers(1).listen(listener)?.run().await?)
    })
}

fn ok() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("vary", "cookie"))
        .insert_header(("cache-control", "no-store"))
        .body("ok")
}

fn present<T>(value: Result<Option<T>, SessionGetError>) -> Result<T, actix_web::Error> {
    value.map_err(ErrorInternalServerError)?.ok_or_else(|| ErrorUnauthorized("no session"))
}

async fn read(session: Session) -> Answer {
    black_box(present(session.get::<String>("user_id"))?);
    black_box(present(session.get::<u64>("n"))?);
    Ok(ok())
}

async fn set(session: Session) -> Answer {
    let n = present(session.get::<u64>("n"))?;
    session.insert("n", n + 1)?;
    Ok(ok())
}

async fn login(session: Session) -> Answer {
    session.renew();
    session.insert("user_id", new_user())?;
    for (key, value) in ATTRIBUTES {
        session.insert(key, value)?;
    }
    session.insert("n", 0)?;
    Ok(ok())
}
