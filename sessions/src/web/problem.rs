//! A refusal as an RFC 9457 problem document: the same bytes for the same fault, whatever led to it.

use http::{
    HeaderValue, Response,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE},
};
use serde::Serialize;

use crate::fault::{Fault, SessionError};

#[derive(Serialize)]
struct Problem {
    r#type: String,
    title: &'static str,
    status: u16,
    code: &'static str,
}

/// The response for a refusal. A private fault shows its status and nothing of its kind; the cause is never shown.
pub(crate) fn response(error: &SessionError) -> Response<String> {
    let fault = error.fault();
    let status = error.status();
    let (code, title) = told(error);
    let name = code.trim_start_matches("SESSION_").to_ascii_lowercase().replace('_', "-");
    let problem =
        Problem { r#type: format!("urn:problem:session:{name}"), title, status: status.as_u16(), code };
    let body = serde_json::to_string(&problem).expect("four plain members are always written");
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for vary in error.vary() {
        headers.append(VARY, HeaderValue::from(vary.clone()));
    }
    if let Some(after) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
    }
    // RFC 9110 11.6.1: a 401 names the scheme that would do.
    match error.challenges() {
        Some(challenges) => {
            for challenge in challenges {
                headers.append(WWW_AUTHENTICATE, challenge.clone());
            }
        }
        None if matches!(fault, Fault::Required | Fault::Gone | Fault::NotFresh) => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Session"));
        }
        None => {}
    }
    response
}

/// Code and title, as far as a client may know them. What it may not know is logged.
pub(crate) fn told(error: &SessionError) -> (&'static str, &'static str) {
    let fault = error.fault();
    if fault.is_public() {
        return (fault.code(), fault.title());
    }
    tracing::error!(error = error as &dyn std::error::Error, "a session failed");
    ("SESSION_FAILED", "The session can't be used")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_fault_shows_its_code_and_never_its_cause() {
        let error =
            SessionError::new(Fault::StoreUnavailable, "redis://user:secret@host").because("secret cause");
        let response = response(&error);
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        assert_eq!(
            response.body(),
            r#"{"type":"urn:problem:session:store-unavailable","title":"The session store is unavailable","status":503,"code":"SESSION_STORE_UNAVAILABLE"}"#
        );
    }

    #[test]
    fn a_private_fault_shows_its_status_alone() {
        for fault in Fault::ALL.iter().filter(|fault| !fault.is_public()) {
            let response = response(&SessionError::new(*fault, "detail"));
            assert!(!response.body().contains(fault.code()), "{fault}");
            assert!(response.body().contains("SESSION_FAILED"), "{fault}");
        }
    }
}
