//! Events as they happen, as server-sent events. The stream ends with the operator's session, and what a slow reader misses
//! is counted and told.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use futures_core::Stream;
use http::{header, request::Parts};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Interval, MissedTickBehavior, interval},
};

use super::{Shared, access::Operator};
use crate::{
    event::{EventReceiver, SessionEvent},
    fault::{Fault, SessionError},
    session::{Registered, Session},
};

/// How many events wait for one reader.
const WAITING: usize = 256;
/// How often something is sent when nothing happens, so that nothing between takes the connection for dead.
const PULSE: Duration = Duration::from_secs(15);

pub(super) async fn open<P: Registered>(
    _: Operator,
    State(shared): State<Arc<Shared>>,
    parts: Parts,
) -> Result<Response, SessionError> {
    let permit = Arc::clone(&shared.streams).try_acquire_owned();
    let permit = permit.map_err(|_| {
        SessionError::new(Fault::StoreUnavailable, "as many streams are open as the dashboard serves")
    })?;
    let settings = shared.settings();
    let engine = Shared::engine(&settings).ok_or(Fault::Unusable)?;
    let events = engine.subscribe(WAITING, |kind| !kind.is_routine());
    let watch = Session::<P>::open(&parts).await?.watch().await?;
    let mut pulse = interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let told = watch.guard(Told { events, pulse, _permit: permit });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // Nothing between holds events back to send them together.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(told)).into_response())
}

struct Told {
    events: EventReceiver,
    pulse: Interval,
    _permit: OwnedSemaphorePermit,
}

impl Stream for Told {
    type Item = Result<String, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(event) = self.events.poll_recv(cx) {
            return Poll::Ready(event.map(|event| Ok(frame(&event))));
        }
        self.pulse.poll_tick(cx).map(|_| Some(Ok(":\n\n".to_owned())))
    }
}

/// One event as it is sent: its JSON has no line break.
fn frame(event: &SessionEvent) -> String {
    format!("id: {}\ndata: {}\n\n", event.id(), event.to_json())
}
