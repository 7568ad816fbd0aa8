//! What operators see: the events of all sessions as they happen, and the metrics as Prometheus reads them.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension,
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::stream::{self, Stream};
use sessions::{EventReceiver, Handle, Session, SessionError, SessionEvent, SessionPrincipal, session};
use tokio::time;

use crate::{policies, serve::Stopping};

/// How many events wait for one listener that reads slowly; what does not fit is dropped, and it is told how many.
const WAITING: usize = 256;
/// How often it is looked whether the listener's session still lives.
const LOOK: Duration = Duration::from_millis(500);
/// How often a line is sent when nothing happens, so that nothing between takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Server-sent events, one a session event. The stream ends with the session of the one who reads it.
#[session(policy = "admin", role = "admin")]
pub(crate) async fn events(
    session: Session,
    State(registry): State<policies::Registry>,
    Extension(stopping): Extension<Stopping>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, SessionError> {
    let listener = Listener {
        events: registry.subscribe(WAITING, |_| true),
        session: Watched::of(&session, registry)?,
        stopping,
    };
    let told = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(Event::default().id(event.id()).data(event.to_json())), listener))
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

struct Listener {
    events: EventReceiver,
    session: Watched,
    stopping: Stopping,
}

impl Listener {
    /// The next event; `None` once the session has ended, or the server stops.
    async fn next(&mut self) -> Option<std::sync::Arc<SessionEvent>> {
        tokio::select! {
            biased;
            () = self.stopping.asked() => None,
            () = self.session.ended() => None,
            event = self.events.recv() => event,
        }
    }
}

/// A session that is looked after while its stream is open.
struct Watched {
    registry: policies::Registry,
    principal: SessionPrincipal,
    handle: Handle,
    looked: time::Interval,
}

impl Watched {
    fn of(
        session: &Session<policies::Admin, impl sessions::Guard>,
        registry: policies::Registry,
    ) -> Result<Self, SessionError> {
        let (Some(principal), Some(handle)) = (session.principal(), session.handle()) else {
            return Err(sessions::Fault::Required.into());
        };
        let mut looked = time::interval(LOOK);
        looked.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        Ok(Self { registry, principal: SessionPrincipal::clone(&principal), handle, looked })
    }

    /// Waits until it has ended. A store that can't tell is asked again.
    async fn ended(&mut self) {
        loop {
            self.looked.tick().await;
            let engine = self.registry.engine::<policies::Admin>();
            let Ok(sessions) = engine.sessions_of(&self.principal).await else { continue };
            if !sessions.iter().any(|session| session.handle == self.handle) {
                return;
            }
        }
    }
}

#[cfg(feature = "metrics")]
pub(crate) use self::prometheus::{metrics, record};

#[cfg(feature = "metrics")]
mod prometheus {
    use std::{sync::OnceLock, time::Duration};

    use axum::extract::State;
    use http::header::CONTENT_TYPE;
    use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
    use tokio::time;

    use crate::policies;

    /// From what a memory store takes to what a store that hangs is given, in seconds.
    const BUCKETS: &[f64] = &[
        0.000_001,
        0.000_002_5,
        0.000_005,
        0.000_01,
        0.000_025,
        0.000_05,
        0.000_1,
        0.000_25,
        0.000_5,
        0.001,
        0.002_5,
        0.005,
        0.01,
        0.025,
        0.05,
        0.1,
        0.25,
        0.5,
        1.0,
        2.5,
    ];
    /// How often samples are put into buckets, so that they don't pile up where nobody asks for metrics.
    const UPKEEP: Duration = Duration::from_secs(5);

    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

    /// Records metrics from now on: before the registry is loaded, whose metrics they are.
    pub(crate) fn record() {
        let recorder = PrometheusBuilder::new()
            .with_recommended_naming(true)
            .set_buckets_for_metric(Matcher::Suffix("duration".to_owned()), BUCKETS)
            .and_then(PrometheusBuilder::install_recorder);
        match recorder {
            Ok(handle) => {
                let upkeep = METRICS.get_or_init(|| handle).clone();
                tokio::spawn(async move {
                    let mut due = time::interval(UPKEEP);
                    loop {
                        due.tick().await;
                        upkeep.run_upkeep();
                    }
                });
            }
            Err(error) => eprintln!("warning: no metrics: {error}"),
        }
    }

    /// The metrics as Prometheus reads them.
    pub(crate) async fn metrics(
        State(registry): State<policies::Registry>,
    ) -> impl axum::response::IntoResponse {
        if let Err(error) = registry.measure().await {
            // What it holds is missing or old; everything else is told, above all that its store fails.
            tracing::warn!(%error, "a session store can't be measured");
        }
        let text = METRICS.get().map(PrometheusHandle::render).unwrap_or_default();
        ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
    }
}

/// Pages for operators: sessions, policies, stores and events.
#[cfg(feature = "dashboard")]
pub(crate) fn dashboard(registry: &policies::Registry) -> axum::Router<policies::Registry> {
    let guard = sessions::guard::role("admin");
    sessions::dashboard::Dashboard::new::<policies::Admin>(registry, guard).router()
}
