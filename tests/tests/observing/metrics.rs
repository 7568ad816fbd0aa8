//! What is counted, under which names and labels, and that no label comes from a request.

use std::collections::BTreeSet;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use sessions::{SessionPrincipal, observe::metric};

mod shop {
    sessions::policies! {
        shop: { extends: "user_default", concurrency: { max_sessions_per_principal: 1 } },
    }
}
use shop::policies;

fn recorder() -> (PrometheusRecorder, PrometheusHandle) {
    let recorder = PrometheusBuilder::new().with_recommended_naming(true).build_recorder();
    let handle = recorder.handle();
    (recorder, handle)
}

async fn registry() -> policies::Registry {
    policies::Registry::builder().with_settings(None, []).load().await.unwrap()
}

/// One request; its cookie afterwards.
async fn visit(registry: &policies::Registry, cookie: Option<&str>, who: Option<&str>) -> Option<String> {
    let engine = registry.engine::<policies::Shop>();
    let mut request = http::Request::new(());
    if let Some(cookie) = cookie {
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
    }
    request.headers_mut().insert("x-request-id", "canary-request".parse().unwrap());
    request.headers_mut().insert("user-agent", "canary-agent".parse().unwrap());
    let mut session = engine.resolve(&request).await.unwrap();
    if let Some(who) = who {
        session.mark_authenticated(SessionPrincipal::user(who));
    }
    let mut response = http::Response::new(());
    engine.commit(&session, &mut response).await.unwrap();
    let set = response.headers().get("set-cookie")?.to_str().unwrap();
    Some(set.split(';').next().unwrap().to_owned())
}

#[tokio::test]
async fn every_metric_that_is_told_is_in_the_table_with_its_labels() {
    let (recorder, handle) = recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let registry = registry().await;
    let _slow = registry.subscribe(1, |_| true);
    let first = visit(&registry, None, Some("canary-user")).await;
    visit(&registry, None, Some("canary-user")).await;
    visit(&registry, first.as_deref(), None).await;
    visit(&registry, Some("__Host-Http-shop=canary-token"), None).await;
    registry.measure().await.unwrap();
    let text = handle.render();
    for line in [
        "sessions_requests_total{policy=\"shop\",result=\"none\"} 4",
        "sessions_evictions_total{policy=\"shop\"} 1",
        "sessions_store_sessions{store=\"main\"} 1",
        "sessions_events_total{policy=\"shop\",event=\"session_invalid\"} 1",
        "sessions_phase_duration_seconds_count{policy=\"shop\",phase=\"commit\"} 2",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
    assert!(text.contains("sessions_events_dropped_total{sink=\"channel\"}"), "{text}");
    assert!(!text.contains("canary"), "{text}");
    let series = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    for line in series {
        let (name, rest) = line.split_once(['{', ' ']).unwrap();
        let known =
            metric::ALL.iter().find(|metric| super::dashboard::told_as(metric).contains(&name.to_owned()));
        let known = known.expect(line);
        let labels: BTreeSet<_> = rest
            .split(',')
            .filter_map(|label| label.split_once("=\"").map(|(name, _)| name))
            .filter(|name| !["le", "quantile"].contains(name))
            .collect();
        assert_eq!(labels, known.labels.iter().copied().collect(), "{line}");
    }
}

#[tokio::test]
async fn a_sweep_is_counted() {
    let (recorder, handle) = recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    tokio::time::pause();
    let registry = registry().await;
    tokio::time::sleep(std::time::Duration::from_secs(130)).await;
    let text = handle.render();
    assert!(text.contains("sessions_sweeps_total{store=\"main\",result=\"ok\"}"), "{text}");
    assert!(text.contains("sessions_swept_total{store=\"main\"} 0"), "{text}");
    drop(registry);
}
