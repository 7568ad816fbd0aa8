//! By which of a composite's carriers a new client gets its id.

use sessions_policy::Adapter;

use super::Session;
use crate::fault::{Fault, SessionError};

impl<P, G> Session<P, G> {
    /// Says which carrier of `transport.order` tells a client its id whose request has presented none, instead of the
    /// first: for a login that programs use, beside one for browsers.
    ///
    /// It does nothing where the request presented something: the answer goes to the carrier that asked, so that no id
    /// of a cookie ever leaves by a header.
    ///
    /// ```
    /// # mod shop { sessions::policies! {
    /// #     account: { extends: "user_default", transport: { adapter: "composite", order: ["cookie", "bearer"] } },
    /// # } }
    /// # use shop::policies;
    /// use sessions::{Adapter, Session, SessionError, SessionPrincipal, session};
    ///
    /// #[session(policy = "account")]
    /// async fn log_in_by_program(mut session: Session) -> Result<(), SessionError> {
    ///     session.answer_by(Adapter::Bearer)?;
    ///     session.mark_authenticated(SessionPrincipal::service("importer"));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Fault::PolicyViolation`]: the policy doesn't name this carrier.
    pub fn answer_by(&mut self, carrier: Adapter) -> Result<(), SessionError> {
        let mut inner = self.state.lock();
        let all = &self.state.engine.shared.carriers;
        let Some(chosen) = all.choose(carrier, inner.client.carried) else {
            let detail = format!("`transport` doesn't name `{carrier}`: no id can leave by it");
            return Err(SessionError::new(Fault::PolicyViolation, detail));
        };
        inner.client.carried = chosen;
        Ok(())
    }
}
