//! A stream that lives as long as its session: server-sent events, long downloads.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::{SessionEnding, SessionWatch};

pin_project! {
    /// A stream under a [`SessionWatch`]: made by [`SessionWatch::guard`].
    #[must_use = "streams do nothing unless polled"]
    pub struct Guarded<S> {
        // Gone once the session is.
        #[pin]
        stream: Option<S>,
        ended: Pin<Box<dyn Future<Output = SessionEnding> + Send>>,
        watch: SessionWatch,
    }
}

impl SessionWatch {
    /// Ends a stream with the session: after the signal it gives nothing more, also of what was ready before.
    ///
    /// For server-sent events and long downloads, whose response has begun and can say nothing of an ending but by its end.
    ///
    /// ```
    /// # use sessions::{MemoryStore, SessionEngine, SessionPolicy, SessionPrincipal};
    /// use axum::response::sse::{Event, Sse};
    /// use futures_core::Stream;
    /// use sessions::{Session, SessionError};
    ///
    /// /// News for as long as the session lives.
    /// async fn news(
    ///     session: Session,
    ///     news: impl Stream<Item = Result<Event, std::convert::Infallible>> + Send + 'static,
    /// ) -> Result<Sse<impl Stream<Item = Result<Event, std::convert::Infallible>>>, SessionError> {
    ///     Ok(Sse::new(session.watch().await?.guard(news)))
    /// }
    /// ```
    pub fn guard<S: Stream>(&self, stream: S) -> Guarded<S> {
        Guarded { stream: Some(stream), ended: Box::pin(self.ended()), watch: self.clone() }
    }
}

impl<S: Stream> Stream for Guarded<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if this.stream.is_none() {
            return Poll::Ready(None);
        }
        // Not polled again once it was ready: then the stream is gone.
        if this.watch.ending().is_some() || this.ended.as_mut().poll(cx).is_ready() {
            this.stream.set(None);
            return Poll::Ready(None);
        }
        let Some(stream) = this.stream.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let item = std::task::ready!(stream.poll_next(cx));
        if item.is_none() {
            this.stream.set(None);
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // It may end at any time.
        (
            0,
            self.stream
                .as_ref()
                .and_then(|stream| stream.size_hint().1)
                .or_else(|| self.stream.is_none().then_some(0)),
        )
    }
}

impl<S> fmt::Debug for Guarded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("watch", &self.watch).finish_non_exhaustive()
    }
}
