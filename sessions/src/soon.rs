//! A future whose answer is mostly there when it is asked for: what the memory store answers takes no future at all.
//! And several futures as one.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

/// An answer, now or later.
#[must_use = "futures do nothing unless polled"]
pub(crate) enum Soon<'a, T> {
    /// `None` once it has been taken.
    Now(Option<T>),
    Later(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
}

impl<'a, T> Soon<'a, T> {
    pub(crate) fn now(answer: T) -> Self {
        Self::Now(Some(answer))
    }

    pub(crate) fn later(answer: impl Future<Output = T> + Send + 'a) -> Self {
        Self::Later(Box::pin(answer))
    }

    /// Goes on with the answer, at once if it is there.
    pub(crate) fn then<U>(self, next: impl FnOnce(T) -> U + Send + 'a) -> Soon<'a, U>
    where
        T: 'a,
    {
        match self {
            Self::Now(answer) => Soon::Now(answer.map(next)),
            Self::Later(answer) => Soon::later(async move { next(answer.await) }),
        }
    }
}

impl<T: Unpin> Future for Soon<'_, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match self.get_mut() {
            Self::Now(answer) => {
                Poll::Ready(answer.take().expect("a future is not polled after it was ready"))
            }
            Self::Later(answer) => answer.as_mut().poll(cx),
        }
    }
}

impl<T> fmt::Debug for Soon<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Now",
            Self::Later(_) => "Later",
        })
    }
}

/// What each of the futures gives, all at once.
pub(crate) async fn all<T>(futures: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<(Pin<Box<_>>, Option<T>)> =
        futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|cx| {
        for (future, value) in waiting.iter_mut().filter(|(_, value)| value.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(cx) {
                *value = Some(ready);
            }
        }
        if waiting.iter().all(|(_, value)| value.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, value)| value).collect()
}

/// What both futures give, at once. Pinned, so that a future which waits for both does not hold each twice.
pub(crate) async fn both<A: Future, B: Future>(
    mut one: Pin<&mut A>,
    mut other: Pin<&mut B>,
) -> (A::Output, B::Output) {
    let (mut first, mut second) = (None, None);
    poll_fn(|cx| {
        if first.is_none()
            && let Poll::Ready(ready) = one.as_mut().poll(cx)
        {
            first = Some(ready);
        }
        if second.is_none()
            && let Poll::Ready(ready) = other.as_mut().poll(cx)
        {
            second = Some(ready);
        }
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

/// The sizes of futures, which decide what a box of one costs.
#[cfg(test)]
pub(crate) mod sizes {
    /// The largest block that glibc's allocator takes from a list of the thread's own. For a larger one it sorts its free
    /// memory.
    pub(crate) const FAST: usize = 1_032;

    /// The bytes of what a call gives.
    pub(crate) fn size_of_given<A, T>(_: impl FnOnce(A) -> T) -> usize {
        size_of::<T>()
    }
}
