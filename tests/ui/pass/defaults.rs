//! The attribute on a whole `impl` or `mod`.
#![deny(warnings)]
#![warn(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub)]

use axum::{Router, routing::get};
use sessions::{Policy, Session, guard, session};

sessions::policies!("sessions.toml");

/// The back office.
#[session(policy = "admin", require = authenticated)]
mod office {
    #![allow(clippy::redundant_pub_crate)]

    use axum::{Router, routing::get};
    use sessions::{Policy, Session, session};

    use super::policies;

    const LIMIT: [u8; 2] = [1, 2];

    /// Under the default.
    pub(super) async fn stats(session: Session) -> String {
        name(&session)
    }

    /// The default's policy, and one more guard.
    #[session(role = "admin")]
    async fn promote(session: Session) -> String {
        format!("{} {LIMIT:?}", name(&session))
    }

    /// With another attribute above.
    #[axum::debug_handler]
    #[session(fresh)]
    async fn demote(_: Session) {}

    /// On its own: the login is for those who aren't logged in yet.
    #[session(policy = "admin")]
    pub(super) async fn login(mut session: Session) {
        session.rotate();
    }

    /// Another policy beside the default's.
    async fn both(_: Session, #[session("user_default")] user: Option<Session>) -> String {
        user.is_some().to_string()
    }

    /// Each session names its policy.
    async fn neither(#[session("user_default")] user: Option<Session>) -> String {
        user.is_some().to_string()
    }

    /// Typed by hand.
    async fn typed(session: Session<policies::ApiToken>) -> String {
        name(&session)
    }

    /// No handler.
    async fn health() -> &'static str {
        "ok"
    }

    /// No handler either.
    fn name<P: Policy, G>(session: &Session<P, G>) -> String {
        format!("{} {}", P::NAME, session.is_authenticated())
    }

    /// Only where the feature is.
    #[cfg(any())]
    async fn elsewhere(session: Session, missing: Missing) {}

    mod desk {
        use sessions::Session;

        use super::policies;

        pub(super) struct Desk;

        impl Desk {
            pub(super) async fn take(session: Session) -> String {
                super::name(&session)
            }
        }
    }

    pub(super) fn routes() -> Router {
        Router::new()
            .route("/stats", get(stats).post(promote).put(health))
            .route("/both", get(both).post(neither).put(typed))
            .route("/take", get(desk::Desk::take))
            .route("/login", get(login).post(demote))
    }
}

/// Handlers of one type.
#[derive(Clone, Copy, Debug)]
pub struct Account;

#[session(policy = UserDefault, require = authenticated, crate = ::sessions)]
impl Account {
    /// The path of all.
    pub const PATH: &'static str = "/account";

    /// Guarded by the default.
    pub async fn show(session: Session) -> String {
        session.is_authenticated().to_string()
    }

    /// A fresh login as well.
    #[session(fresh = "5min")]
    async fn delete(mut session: Session) {
        session.clear_data();
    }
}

fn main() {
    fn guarded<P: Policy, G: sessions::Guard, F: Future>(_: fn(Session<P, G>) -> F) -> (&'static str, &'static str) {
        (P::NAME, std::any::type_name::<G>())
    }
    assert_eq!(guarded(office::stats), ("admin", std::any::type_name::<guard::Authenticated>()));
    assert_eq!(guarded(office::login), ("admin", "()"));
    let fresh = std::any::type_name::<(guard::Authenticated, guard::FreshWithin<300>)>();
    assert_ne!(guarded(Account::show).1, fresh);
    assert_eq!(guarded(Account::delete).0, "user_default");
    let _: Router = office::routes().route(Account::PATH, get(Account::show).delete(Account::delete));
}
