//! Nothing that a sink, a span, a log or a metric shows holds a token, or a secret of one.

use std::sync::{Arc, Mutex};

use metrics_exporter_prometheus::PrometheusBuilder;
use sessions::{
    EventSink, SessionEvent, SessionPolicy, SinkError,
    event::{JsonLines, LogSink},
};
use sessions_tests::{Node, Visitor, second, user};
use tracing::level_filters::LevelFilter;

use super::spans::listen;

/// Keeps every form of every event, and hands it to a sink that logs on the thread of the test.
#[derive(Clone, Default)]
struct Texts(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    texts: Vec<String>,
    events: Vec<Arc<SessionEvent>>,
}

impl EventSink for Texts {
    fn name(&self) -> &'static str {
        "texts"
    }

    fn write(&mut self, events: &[Arc<SessionEvent>]) -> Result<(), SinkError> {
        let mut kept = self.0.lock().unwrap();
        for event in events {
            kept.texts.extend([format!("{event:?}"), format!("{event:#?}"), event.to_json()]);
            kept.events.push(Arc::clone(event));
        }
        Ok(())
    }
}

/// Everything that can be done to a session, rightly and wrongly. Gives every cookie that was sent.
async fn everything(node: &Node) -> Vec<String> {
    let mut cookies = Vec::new();
    let mut visitor = Visitor::default();
    let mut keep = |visitor: &Visitor| cookies.extend(visitor.cookie.clone());
    node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
    keep(&visitor);
    node.visit(&mut visitor, async |session| session.mark_authenticated(user("ada"))).await.commit.unwrap();
    keep(&visitor);
    let first = visitor.clone();
    node.visit(&mut visitor, async |session| session.rotate()).await.commit.unwrap();
    keep(&visitor);
    node.visit(&mut first.clone(), async |_| ()).await.commit.unwrap();
    node.clock.advance(second(3_601));
    let old = visitor.clone();
    for _ in 0..3 {
        node.visit(&mut visitor, async |session| session.set("a", 2)).await.commit.unwrap();
        keep(&visitor);
        node.clock.advance(second(60));
    }
    // A theft: the one before, after its successor was used.
    let _ = node.visit(&mut old.clone(), async |_| ()).await;
    let _ = node.visit(&mut visitor, async |session| session.set("a", 3)).await;
    let mut other = node.logged_in("eve").await;
    keep(&other);
    let mut named = other.request();
    let token = other.cookie.as_deref().unwrap().split_once('=').unwrap().1;
    named.headers_mut().insert("x-request-id", token.parse().unwrap());
    let _ = node.engine.resolve(&named).await.unwrap();
    let mut broken = other.clone();
    broken.cookie.as_mut().unwrap().push('x');
    let _ = node.visit(&mut broken, async |_| ()).await;
    let mut both =
        Visitor { cookie: Some(format!("{}; {}", old.cookie.unwrap(), other.cookie.clone().unwrap())) };
    let _ = node.visit(&mut both, async |_| ()).await;
    node.store.set_down(true);
    let _ = node.engine.resolve(&other.request()).await;
    node.store.set_down(false);
    node.store.set_corrupt(true);
    let _ = node.engine.resolve(&other.request()).await;
    node.store.set_corrupt(false);
    node.visit(&mut other, async |session| {
        session.clear_authentication();
        session.clear_data();
    })
    .await
    .commit
    .unwrap();
    cookies
}

#[tokio::test]
async fn no_sink_no_span_and_no_metric_shows_a_token() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let (spans, _listening) = listen(LevelFilter::TRACE);
    let policy = SessionPolicy::for_web_users().no_idle_timeout().rotating_every(second(3_600), second(30));
    let node = Node::new(policy.build().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let texts = Texts::default();
    node.engine.add_sink(texts.clone());
    node.engine.add_sink(JsonLines::open(&path).unwrap().with_routine());
    let mut channel = node.engine.subscribe(1_000, |_| true);
    let cookies = everything(&node).await;
    assert!(cookies.len() > 5, "{}", cookies.len());

    let mut shown = Vec::new();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while let std::task::Poll::Ready(Some(event)) = channel.poll_recv(&mut context) {
        shown.push(event.to_json());
    }
    let count = shown.len();
    let until = std::time::Instant::now() + second(10);
    while texts.0.lock().unwrap().events.len() < count
        || std::fs::read_to_string(&path).unwrap().lines().count() < count
    {
        assert!(std::time::Instant::now() < until, "the sinks write within ten seconds");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // On this thread, whose subscriber keeps what it logs.
    LogSink.write(&texts.0.lock().unwrap().events).unwrap();
    let logged = spans.told();
    assert!(logged.iter().filter(|(path, ..)| path == "event sessions::event").count() >= count);
    shown.extend(logged.iter().map(|told| format!("{told:?}")));
    shown.extend(texts.0.lock().unwrap().texts.clone());
    shown.push(std::fs::read_to_string(&path).unwrap());
    shown.push(metrics.render());
    shown.push(format!("{:?} {:?}", node.engine, node.engine.sink_stats()));
    for name in [
        "session_reused",
        "session_invalid",
        "session_duplicate",
        "session_store_failed",
        "session_corrupted",
    ] {
        assert!(shown.iter().any(|text| text.contains(name)), "{name}");
    }
    for cookie in cookies {
        let token = cookie.split_once('=').unwrap().1;
        let secret = token.rsplit('.').next().unwrap();
        for text in &shown {
            assert!(!text.contains(token) && !text.contains(secret), "{text}");
        }
    }
}
