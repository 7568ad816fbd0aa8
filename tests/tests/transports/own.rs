//! A transport that an application brings: bound by policy, alone or among others.

use http::{HeaderMap, HeaderName, HeaderValue};
use sessions::{
    Credential, Lifetime, LoadError, Presented, RequestHead, SessionEngine, SessionPolicy, Transport,
};

use super::*;

/// `X-Device: id=…`, answered in the same field.
#[derive(Debug)]
pub(crate) struct DeviceTransport;

const FIELD: HeaderName = HeaderName::from_static("x-device");

impl Transport for DeviceTransport {
    fn read(&self, head: RequestHead<'_>) -> Presented {
        let mut lines = head.headers.get_all(FIELD).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Presented::Nothing,
            (Some(_), Some(_)) => Presented::Contradictory,
            (Some(line), None) => line
                .as_bytes()
                .strip_prefix(b"id=")
                .and_then(Credential::parse)
                .map_or(Presented::Malformed, Presented::Credential),
        }
    }

    fn issue(&self, headers: &mut HeaderMap, credential: &Credential<'_>, _: Lifetime) {
        let text = credential.expose(|id| format!("id={id}"));
        let mut value = HeaderValue::try_from(text).unwrap();
        value.set_sensitive(true);
        headers.insert(FIELD, value);
    }

    fn remove(&self, headers: &mut HeaderMap) {
        headers.insert(FIELD, HeaderValue::from_static("forget"));
    }

    fn vary(&self) -> HeaderName {
        FIELD
    }

    fn is_ambient(&self) -> bool {
        false
    }

    fn challenge(&self, fault: Fault, _: bool) -> Option<HeaderValue> {
        (fault == Fault::Required).then(|| HeaderValue::from_static("Device"))
    }
}

#[tokio::test]
async fn a_transport_of_ones_own_carries_sessions() {
    let server = Server::start().await;
    let login = server.send("/device/login", &[]).await;
    assert_eq!(login.cookie(), None, "the first of the order answers");
    let device = login.id("x-device").unwrap();
    server.send("/device/me", &[("x-device", &device)]).await.expect(200, "ada");
    let rotated = server.send("/device/rotate", &[("x-device", &device)]).await;
    let next = rotated.id("x-device").unwrap();
    let stale = server.send("/device/me", &[("x-device", &device)]).await;
    assert_eq!(stale.expect_refusal(Fault::Required).all("www-authenticate"), ["Device"]);
    let left = server.send("/device/logout", &[("x-device", &next)]).await;
    assert_eq!(left.id("x-device").as_deref(), Some("forget"));
}

#[tokio::test]
async fn it_contradicts_like_any_other() {
    let server = Server::start().await;
    let device = server.send("/device/login", &[]).await.id("x-device").unwrap();
    let cookie = "__Host-Http-device=nonsense";
    let refused = server.send("/device/me", &[("x-device", &device), ("cookie", cookie)]).await;
    refused.expect_refusal(Fault::Contradictory);
    let refused = server.send("/device/me", &[("x-device", &device), ("x-device", &device)]).await;
    refused.expect_refusal(Fault::Contradictory);
}

#[tokio::test]
async fn it_stays_over_a_reload() {
    let server = Server::start().await;
    let device = server.send("/device/login", &[]).await.id("x-device").unwrap();
    let ttl = ("SESSIONS_POLICIES__DEVICE__TTL".to_owned(), "2days".to_owned());
    let reloaded = server.registry.reload_with(Some(FILE), [ttl]).unwrap();
    assert_eq!(reloaded.policies, ["device"]);
    server.send("/device/me", &[("x-device", &device)]).await.expect(200, "ada");
}

#[tokio::test]
async fn it_is_bound_exactly_where_a_policy_names_it() {
    let builder =
        || policies::Registry::builder().with_settings(Some(FILE), []).store("main", Spy::default());
    let lost = builder().load().await;
    assert!(matches!(&lost, Err(LoadError::TransportNotBound { policy }) if policy == "device"), "{lost:?}");
    let device = builder().transport::<policies::Device>(DeviceTransport);
    let surplus = device.transport::<policies::Api>(DeviceTransport).load().await;
    assert!(
        matches!(&surplus, Err(LoadError::TransportNotCustom { policy }) if policy == "api"),
        "{surplus:?}"
    );
}

#[tokio::test]
async fn an_engine_without_the_one_that_its_policy_names_serves_no_one() {
    let policy = SessionPolicy::for_web_users().named("p").via_own_transport().build().unwrap();
    let engine = SessionEngine::new(policy, Spy::default());
    let error = engine.resolve(&Request::new(())).await.unwrap_err();
    assert_eq!(error.fault(), Fault::TransportError);
}
