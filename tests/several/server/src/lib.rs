//! The program: the handlers of two crates, and a back office with a registry of its own.

use axum::{Router, routing::get};
use sessions::{LoadError, Session, session};

/// The back office, whose policies nothing else knows.
mod office {
    sessions::policies! {
        user_default: { extends: "admin", transport: { cookie_name: "__Host-Http-office" } },
    }
}

#[session(policy = office::policies::UserDefault)]
async fn look(session: Session) -> String {
    session.is_authenticated().to_string()
}

/// A handler with a session of each registry.
#[session(policy = several_policies::policies::UserDefault)]
async fn both(session: Session, office: Session<office::policies::UserDefault>) -> String {
    format!("{} {}", session.is_authenticated(), office.is_authenticated())
}

/// The whole program.
///
/// # Errors
/// As for `Registry::load`.
pub async fn router() -> Result<Router, LoadError> {
    let shop = several_policies::policies::Registry::builder().with_settings(None, []).load().await?;
    let office = office::policies::Registry::builder().with_settings(None, []).load().await?;
    Ok(Router::new()
        .merge(several_accounts::routes())
        .merge(several_orders::routes())
        .route("/office", get(look))
        .route("/both", get(both))
        .layer(shop.layer())
        .layer(office.layer()))
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::{Request, StatusCode, header},
    };
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    /// Sends a request with the cookie; the answer, and the cookie that it sets.
    async fn send(
        router: &axum::Router,
        method: &str,
        path: &str,
        cookie: &str,
    ) -> (StatusCode, String, String) {
        let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie);
        let response = router.clone().oneshot(request.body(Body::from("tea")).unwrap()).await.unwrap();
        let status = response.status();
        let set = response.headers().get(header::SET_COOKIE).map(|line| line.to_str().unwrap().to_owned());
        let pair = set.as_deref().and_then(|line| line.split(';').next()).unwrap_or_default().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap(), pair)
    }

    #[tokio::test]
    async fn handlers_of_several_crates_share_the_policies() {
        let router = super::router().await.unwrap();
        assert_eq!(send(&router, "GET", "/me", "").await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(send(&router, "GET", "/members", "").await.0, StatusCode::UNAUTHORIZED);
        let (_, _, cookie) = send(&router, "POST", "/login", "").await;
        assert_eq!(send(&router, "GET", "/me", &cookie).await.1, "ada");
        assert_eq!(send(&router, "GET", "/members", &cookie).await.1, "members");
        assert_eq!(send(&router, "POST", "/basket", &cookie).await.1, "tea");
        assert_eq!(send(&router, "GET", "/refunds", &cookie).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(send(&router, "GET", "/both", &cookie).await.1, "true false");
        assert_eq!(send(&router, "GET", "/office", &cookie).await.1, "false");
    }
}
