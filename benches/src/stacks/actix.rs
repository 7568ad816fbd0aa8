//! actix-web, bare and with actix-session's cookie. It is no tower service and its handlers stay on their thread, so it is
//! measured over sockets alone, beside bare actix-web.

use std::{hint::black_box, net::TcpListener};

use actix_session::{Session, SessionGetError, SessionMiddleware, storage::CookieSessionStore};
use actix_web::{
    App, HttpResponse, HttpServer,
    cookie::Key,
    error::{ErrorInternalServerError, ErrorUnauthorized},
    web::{self, ServiceConfig},
};

use super::{ATTRIBUTES, Stack, WORK, new_user};
use crate::Outcome;

type Answer = Result<HttpResponse, actix_web::Error>;

/// Serves a stack of actix-web by one worker until the process ends.
pub(crate) fn serve(stack: Stack, listener: TcpListener) -> Outcome<()> {
    let key = Key::generate();
    actix_web::rt::System::new().block_on(async move {
        if stack == Stack::BareActix {
            return HttpServer::new(|| App::new().configure(bare)).workers(1).listen(listener)?.run().await;
        }
        let app = move || {
            App::new()
                .wrap(SessionMiddleware::new(CookieSessionStore::default(), key.clone()))
                .configure(routes)
        };
        HttpServer::new(app).workers(1).listen(listener)?.run().await
    })?;
    Ok(())
}

fn ok() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("vary", "cookie"))
        .insert_header(("cache-control", "no-store"))
        .body("ok")
}

fn bare(config: &mut ServiceConfig) {
    config
        .route("/untouched", web::get().to(async || "ok"))
        .route("/read", web::get().to(async || ok()))
        .route("/set", web::post().to(async || ok()));
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/untouched", web::get().to(async || "ok"))
        .route("/read", web::get().to(read))
        .route("/set", web::post().to(set))
        .route("/set-slow", web::post().to(set_slow))
        .route("/login", web::post().to(login))
        .route("/count", web::get().to(count));
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

async fn set_slow(session: Session) -> Answer {
    let n = present(session.get::<u64>("n"))?;
    tokio::time::sleep(WORK).await;
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

async fn count(session: Session) -> Result<String, actix_web::Error> {
    Ok(present(session.get::<u64>("n"))?.to_string())
}
