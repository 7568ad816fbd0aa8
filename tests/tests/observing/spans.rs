//! The seven phases as spans: each in its request, and none at the default level.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use sessions::{SessionEngine, SessionPolicy, SharedStore};
use sessions_tests::{Node, Troubled, Visitor, user};
use tracing::{Level, Subscriber, field::Visit, level_filters::LevelFilter, span};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
};

/// Every span: its path from the root, its fields, and its level.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans(Arc<Mutex<Vec<(String, String, Level)>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Spans {
    pub(super) fn told(&self) -> Vec<(String, String, Level)> {
        self.0.lock().unwrap().clone()
    }

    fn paths(&self) -> Vec<String> {
        self.told().into_iter().map(|(path, ..)| path).filter(|path| path.contains("session.")).collect()
    }

    fn add_to_last(&self, text: &str) {
        if let Some(last) = self.0.lock().unwrap().last_mut() {
            last.1.push_str(text);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields(String::new());
        attributes.record(&mut fields);
        let scope = context.span_scope(id).unwrap();
        let path: Vec<_> = scope.from_root().map(|span| span.name()).collect();
        self.0.lock().unwrap().push((path.join(" > "), fields.0, *attributes.metadata().level()));
    }

    fn on_record(&self, _: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        self.add_to_last(&fields.0);
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let level = *event.metadata().level();
        self.0.lock().unwrap().push((format!("event {}", event.metadata().target()), fields.0, level));
    }
}

/// The guard of a subscriber that takes everything down to a level.
pub(super) fn listen(level: LevelFilter) -> (Spans, tracing::subscriber::DefaultGuard) {
    let spans = Spans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone().with_filter(level));
    (spans, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn each_phase_is_a_span_in_its_request() {
    let node = Node::new(SessionPolicy::user_default());
    let mut visitor = node.logged_in("ada").await;
    let (spans, _listening) = listen(LevelFilter::TRACE);
    let request = tracing::info_span!("request");
    tracing::Instrument::instrument(
        async {
            node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
        },
        request,
    )
    .await;
    assert_eq!(
        spans.paths(),
        [
            "request > session.resolve",
            "request > session.resolve > session.detect",
            "request > session.resolve > session.validate",
            "request > session.resolve > session.bind",
            "request > session.mutate",
            "request > session.commit",
            "request > session.emit",
        ]
    );
    let told = spans.told();
    let validate = told.iter().find(|(path, ..)| path.ends_with("validate")).unwrap();
    assert!(validate.1.contains("policy=\"user_default\"") && validate.1.contains("handle="), "{validate:?}");
}

#[tokio::test]
async fn the_default_level_shows_no_span() {
    let node = Node::new(SessionPolicy::user_default());
    let (spans, _listening) = listen(LevelFilter::INFO);
    let mut visitor = node.logged_in("ada").await;
    node.visit(&mut visitor, async |session| session.set("a", 1)).await.commit.unwrap();
    assert_eq!(spans.told(), []);
}

/// A login on a store that has to be waited for goes on as a task of its own.
#[tokio::test]
async fn a_commit_that_goes_on_by_itself_stays_in_its_request() {
    let engine = SessionEngine::builder(SessionPolicy::user_default())
        .store(SharedStore::new(Troubled::default()))
        .build();
    let mut session = engine.resolve(&Visitor::default().request()).await.unwrap();
    session.mark_authenticated(user("ada"));
    let (spans, _listening) = listen(LevelFilter::TRACE);
    let request = tracing::info_span!("request");
    let commit = engine.commit(&session, &mut http::Response::new(())).await;
    commit.unwrap();
    assert_eq!(spans.paths()[..1], ["session.commit"]);
    let mut session = engine.resolve(&Visitor::default().request()).await.unwrap();
    session.mark_authenticated(user("ada"));
    let commit = async { engine.commit(&session, &mut http::Response::new(())).await };
    tracing::Instrument::instrument(commit, request).await.unwrap();
    // Named in the task that the login went on in.
    let commit = spans.told().into_iter().filter(|(path, ..)| path == "request > session.commit").count();
    assert_eq!(commit, 1, "{:?}", spans.paths());
}
