//! How long a request waits for its turn, and how it waits.

use std::time::Duration;

use tokio::{runtime::Handle, time::Instant};

/// The first and the longest pause between two looks at a lease of another process, in milliseconds.
const PAUSES: (u64, u64) = (4, 256);

/// How long a request still waits.
pub(super) struct Patience {
    until: Instant,
    /// The next pause, in milliseconds.
    pause: u64,
}

impl Patience {
    pub(super) fn of(wait: Duration) -> Self {
        Self { until: Instant::now() + wait, pause: PAUSES.0 }
    }

    /// What is waited for, if it comes in time. Without a runtime there is no timer, and it is waited for.
    pub(super) async fn in_time<T>(&self, coming: impl Future<Output = T>) -> Option<T> {
        if Handle::try_current().is_err() {
            return Some(coming.await);
        }
        tokio::time::timeout_at(self.until, coming).await.ok()
    }

    /// Waits before another look, longer each time and with jitter, so that processes don't meet again and again; false
    /// if there is no time left.
    pub(super) async fn pause(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() || Handle::try_current().is_err() {
            return false;
        }
        let pause = Duration::from_millis(rand::random_range(self.pause / 2..=self.pause));
        self.pause = (self.pause * 2).min(PAUSES.1);
        tokio::time::sleep(pause.min(left)).await;
        true
    }
}
