//! Between the types of actix-web, which are those of `http` 0.2 and its own, and those of `http` 1. Both allow the same
//! names and values: what the one has read, the other takes.

use actix_web::{
    HttpResponse,
    body::BoxBody,
    http::{StatusCode as ActixStatus, header as actix},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};

use crate::{
    fault::{Fault, SessionError},
    web::problem,
};

pub(super) fn method(method: &actix_web::http::Method) -> Result<Method, SessionError> {
    Method::from_bytes(method.as_str().as_bytes()).map_err(|error| untranslatable(error.into()))
}

pub(super) fn uri(uri: &actix_web::http::Uri) -> Result<Uri, SessionError> {
    uri.to_string().parse().map_err(|error: http::uri::InvalidUri| untranslatable(error.into()))
}

pub(super) fn version(version: actix_web::http::Version) -> Version {
    match version {
        actix_web::http::Version::HTTP_09 => Version::HTTP_09,
        actix_web::http::Version::HTTP_10 => Version::HTTP_10,
        actix_web::http::Version::HTTP_2 => Version::HTTP_2,
        actix_web::http::Version::HTTP_3 => Version::HTTP_3,
        _ => Version::HTTP_11,
    }
}

/// Every line of every field, in the order of its field.
pub(super) fn headers(headers: &actix::HeaderMap) -> Result<HeaderMap, SessionError> {
    let mut translated =
        HeaderMap::try_with_capacity(headers.len()).map_err(|error| untranslatable(error.into()))?;
    for (name, value) in headers {
        let name =
            HeaderName::from_bytes(name.as_str().as_bytes()).map_err(|error| untranslatable(error.into()))?;
        let sensitive = value.is_sensitive();
        let mut value =
            HeaderValue::from_bytes(value.as_bytes()).map_err(|error| untranslatable(error.into()))?;
        value.set_sensitive(sensitive);
        translated.try_append(name, value).map_err(|error| untranslatable(error.into()))?;
    }
    Ok(translated)
}

/// The same backwards.
pub(super) fn headers_back(headers: &HeaderMap) -> Result<actix::HeaderMap, SessionError> {
    let mut translated = actix::HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = actix::HeaderName::from_bytes(name.as_str().as_bytes())
            .map_err(|error| untranslatable(error.into()))?;
        let sensitive = value.is_sensitive();
        let mut value =
            actix::HeaderValue::from_bytes(value.as_bytes()).map_err(|error| untranslatable(error.into()))?;
        value.set_sensitive(sensitive);
        translated.append(name, value);
    }
    Ok(translated)
}

pub(super) fn status(status: ActixStatus) -> StatusCode {
    // Both take 100 to 999.
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn status_back(status: StatusCode) -> ActixStatus {
    ActixStatus::from_u16(status.as_u16()).unwrap_or(ActixStatus::INTERNAL_SERVER_ERROR)
}

pub(super) fn status_of(error: &SessionError) -> ActixStatus {
    status_back(error.status())
}

/// A refusal as a response: the problem document that it is under tower.
pub(super) fn refusal(error: &SessionError) -> HttpResponse<BoxBody> {
    let (parts, body) = problem::response(error).into_parts();
    let mut response = HttpResponse::with_body(status_back(parts.status), BoxBody::new(body));
    match headers_back(&parts.headers) {
        Ok(headers) => *response.headers_mut() = headers,
        Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a refusal has no headers"),
    }
    response
}

fn untranslatable(error: Box<dyn std::error::Error + Send + Sync>) -> SessionError {
    SessionError::new(Fault::Unusable, "a request or a response can't be read with other types")
        .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_that_one_takes_the_other_takes_too() {
        for byte in 0..=u8::MAX {
            let bytes = [b'a', byte, b'z'];
            let theirs = actix::HeaderValue::from_bytes(&bytes).is_ok();
            assert_eq!(theirs, HeaderValue::from_bytes(&bytes).is_ok(), "{byte:#x} in a value");
            let theirs = actix::HeaderName::from_bytes(&bytes).is_ok();
            // The older type takes a quotation mark, which no token has (RFC 9110 5.6.2) and no parser passes.
            assert_eq!(theirs && byte != b'"', HeaderName::from_bytes(&bytes).is_ok(), "{byte:#x} in a name");
        }
    }

    #[test]
    fn every_target_that_one_takes_the_other_takes_too() {
        for byte in 0..=u8::MAX {
            for target in [vec![b'/', byte, b'z'], vec![b'/', b'?', byte]] {
                if let Ok(theirs) = actix_web::http::Uri::try_from(target.as_slice()) {
                    let ours = uri(&theirs).unwrap();
                    assert_eq!(ours.to_string(), theirs.to_string(), "{byte:#x}");
                }
            }
        }
        for target in ["*", "/a?b=c", "http://shop.example:80/a?b", "shop.example:443", "https://[::1]:3000/"]
        {
            let theirs: actix_web::http::Uri = target.parse().unwrap();
            let ours = uri(&theirs).unwrap();
            assert_eq!(
                ours.authority().map(ToString::to_string),
                theirs.authority().map(ToString::to_string)
            );
            assert_eq!((ours.path(), ours.query()), (theirs.path(), theirs.query()), "{target}");
        }
    }

    #[test]
    fn lines_of_one_field_stay_apart_and_in_order() {
        let mut theirs = actix::HeaderMap::new();
        for line in ["a=1", "b=\u{fc}", "a=1"] {
            let mut value = actix::HeaderValue::from_bytes(line.as_bytes()).unwrap();
            value.set_sensitive(line.starts_with('b'));
            theirs.append(actix::COOKIE, value);
        }
        let ours = headers(&theirs).unwrap();
        let lines: Vec<_> = ours.get_all("cookie").iter().collect();
        assert_eq!(lines, ["a=1".as_bytes(), "b=\u{fc}".as_bytes(), "a=1".as_bytes()]);
        assert!(lines[1].is_sensitive() && !lines[0].is_sensitive());
        let back: Vec<_> = headers_back(&ours).unwrap().get_all("cookie").cloned().collect();
        assert_eq!(back, theirs.get_all("cookie").cloned().collect::<Vec<_>>());
        assert!(back[1].is_sensitive());
    }

    #[test]
    fn methods_and_versions_are_the_same() {
        for name in ["GET", "POST", "get", "PROPFIND", "X-OWN"] {
            let theirs = actix_web::http::Method::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(method(&theirs).unwrap().as_str(), name);
        }
        assert_eq!(version(actix_web::http::Version::HTTP_2), Version::HTTP_2);
        assert_eq!(version(actix_web::http::Version::HTTP_10), Version::HTTP_10);
    }
}
