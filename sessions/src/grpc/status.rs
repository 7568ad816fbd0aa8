//! Each fault as a gRPC status, with what a client needs to go on: the stable code, and when to try again.

use tonic::{Code, Status, metadata::MetadataMap};

use super::details;
use crate::{
    fault::{Fault, SessionError},
    web::problem::told,
};

/// The domain of the codes in `google.rpc.ErrorInfo`.
const DOMAIN: &str = "sessions";
/// When a client's own retries may begin again, in milliseconds (gRPC A6).
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The refusal of a handler that opens its session by `?`.
///
/// The message is the fault's title. The details are `google.rpc.ErrorInfo` with the stable code as its `reason` and
/// `sessions` as its `domain`, and where trying again helps, `google.rpc.RetryInfo`; the metadata
/// `grpc-retry-pushback-ms` says the same. Neither the cause nor any id is told.
///
/// ```
/// use sessions::{Fault, SessionError};
///
/// let status = tonic::Status::from(SessionError::from(Fault::Required));
/// assert_eq!(status.code(), tonic::Code::Unauthenticated);
/// ```
impl From<SessionError> for Status {
    fn from(error: SessionError) -> Self {
        let (reason, title) = told(&error);
        let code = code(error.fault());
        let mut metadata = MetadataMap::new();
        let retry = error.retry_after();
        if let Some(after) = retry
            && let Ok(pushback) = after.as_millis().to_string().parse()
        {
            metadata.insert(PUSHBACK, pushback);
        }
        let details = details::encode(code, title, reason, DOMAIN, retry);
        Self::with_details_and_metadata(code, title, details.into(), metadata)
    }
}

/// The gRPC code of a fault, by what its client can do about it.
fn code(fault: Fault) -> Code {
    match fault {
        Fault::Required
        | Fault::Gone
        | Fault::Superseded
        | Fault::NotFresh
        | Fault::Expired
        | Fault::IdleTimeout
        | Fault::AbsoluteTimeout
        | Fault::ForgeryAttempt
        | Fault::HijackAttempt
        | Fault::FingerprintMismatch => Code::Unauthenticated,
        Fault::Forbidden | Fault::CrossSite => Code::PermissionDenied,
        Fault::Invalid | Fault::Contradictory => Code::InvalidArgument,
        Fault::NotFound => Code::NotFound,
        Fault::ConcurrencyViolation | Fault::TooLarge => Code::ResourceExhausted,
        // What was read is old: the client begins again with what it read.
        Fault::Conflict => Code::Aborted,
        // The same call may succeed.
        Fault::TooEarly | Fault::Locked | Fault::StoreUnavailable | Fault::RotationFailed => {
            Code::Unavailable
        }
        Fault::PolicyViolation | Fault::StoreCorrupted | Fault::TransportError | Fault::Unusable => {
            Code::Internal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As gRPC maps codes to HTTP, a client of either is told the same kind of thing.
    #[test]
    fn the_codes_say_what_the_statuses_say() {
        for fault in Fault::ALL {
            let kind = match fault.status().as_u16() {
                401 => Code::Unauthenticated,
                403 => Code::PermissionDenied,
                400 => Code::InvalidArgument,
                404 => Code::NotFound,
                423 | 425 | 503 => Code::Unavailable,
                500 => Code::Internal,
                409 if *fault == Fault::Conflict => Code::Aborted,
                _ => Code::ResourceExhausted,
            };
            assert_eq!(code(*fault), kind, "{fault}");
        }
    }

    #[test]
    fn only_what_may_be_tried_again_says_when() {
        for fault in Fault::ALL {
            let status = Status::from(SessionError::new(*fault, "detail"));
            let pushback = status.metadata().get(PUSHBACK).map(|value| value.to_str().unwrap().to_owned());
            let waits = matches!(fault, Fault::StoreUnavailable | Fault::Locked | Fault::RotationFailed);
            assert_eq!(pushback.as_deref(), waits.then_some("1000"), "{fault}");
            assert!(!status.message().contains("detail"), "{fault}");
        }
    }

    #[test]
    fn neither_a_cause_nor_a_private_fault_is_told() {
        let error = SessionError::new(Fault::StoreCorrupted, "detail").because("secret cause");
        let status = Status::from(error);
        let told = format!("{status:?} {}", String::from_utf8_lossy(status.details()));
        assert!(told.contains("SESSION_FAILED"), "{told}");
        assert!(!told.contains("secret") && !told.contains("CORRUPTED"), "{told}");
    }
}
