//! The policies of a program, for the crates that hold its handlers.

pub use sessions;

sessions::policies!("sessions.toml", Basket);

/// What a visitor wants to buy.
#[sessions::session_policy(extends = "user_default", ttl = "1day")]
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Basket {
    /// The articles.
    pub items: Vec<String>,
}
