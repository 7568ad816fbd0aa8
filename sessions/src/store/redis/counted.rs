//! The stream of a connection. What is asked at the same time leaves together: before it writes, it lets the other tasks of
//! its thread have their turn, who may ask as well. It counts what it has written: where nothing was written after a question
//! came, the question was not sent.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes were written. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Written(Arc<AtomicU64>);

impl Written {
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

pin_project! {
    /// The stream.
    pub(super) struct Counted<S> {
        #[pin]
        stream: S,
        written: Written,
        // Whether the others have had their turn since the last flush.
        has_waited: bool,
    }
}

impl<S> Counted<S> {
    pub(super) fn new(stream: S, written: Written) -> Self {
        Self { stream, written, has_waited: false }
    }
}

impl<S: AsyncRead> AsyncRead for Counted<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.project().stream.poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite> AsyncWrite for Counted<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.project();
        if !*this.has_waited {
            *this.has_waited = true;
            // A task that wakes itself goes behind those that are ready.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let written = ready!(this.stream.poll_write(cx, bytes));
        // What fails may have left in part.
        let length = *written.as_ref().unwrap_or(&1);
        this.written.0.fetch_add(length as u64, Ordering::AcqRel);
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        ready!(this.stream.poll_flush(cx))?;
        *this.has_waited = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        task::{Wake, Waker},
    };

    use super::*;

    struct Woken(AtomicU64);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::AcqRel);
        }
    }

    #[tokio::test]
    async fn others_have_their_turn_once_before_what_leaves_together() {
        let (near, _far) = tokio::io::duplex(64);
        let written = Written::default();
        let mut stream = Counted::new(near, written.clone());
        let woken = Arc::new(Woken(AtomicU64::new(0)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        for round in 1..=2 {
            assert!(Pin::new(&mut stream).poll_write(&mut cx, b"GET").is_pending());
            assert_eq!(woken.0.load(Ordering::Acquire), round, "it comes back by itself");
            assert_eq!(written.bytes(), (round - 1) * 6, "nothing has left");
            for _ in 0..2 {
                let length = poll_fn(|cx| Pin::new(&mut stream).poll_write(cx, b"GET")).await;
                assert_eq!(length.unwrap(), 3);
            }
            assert_eq!(written.bytes(), round * 6);
            poll_fn(|cx| Pin::new(&mut stream).poll_flush(cx)).await.unwrap();
        }
    }
}
