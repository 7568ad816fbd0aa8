//! Hears of what other processes end: a connection of its own that listens to what the functions tell when they commit, and
//! is asked again and again whether it still does.
//!
//! A server process gives its client what was told before it says that it is ready for the next question. So what was
//! committed before a question was asked has been heard when its answer comes, and that it comes is the proof.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_postgres::Client;

use super::{
    failure::Failure,
    links::{Guard, Shared, pause},
    statement::PROBE,
    value::heard,
};
use crate::store::audience::Attendance;

/// How often it is asked whether it hears.
const BEAT: Duration = Duration::from_millis(500);
/// How long an answer may take.
const SILENCE: Duration = Duration::from_secs(1);

/// Hears of endings until the store is shut down.
pub(super) async fn listen(shared: Arc<Shared>, attendance: Attendance) {
    let hearing = async {
        let mut failures = 0;
        loop {
            let (asked, audience) = (Instant::now(), Arc::clone(&shared.audience));
            let opened = shared.dial.ear(move |word| {
                if let Some(word) = heard(word) {
                    audience.tell(word);
                }
            });
            let failure = match opened.await {
                Ok((client, driver)) => {
                    tracing::debug!(failures, "endings in other processes are heard of");
                    failures = 0;
                    attendance.up(asked);
                    hear(&client, driver, &attendance).await;
                    attendance.down();
                    None
                }
                Err(failure) => Some(failure),
            };
            if failures == 0 {
                warn(&shared, failure.as_ref());
            }
            failures += 1;
            sleep(pause(failures)).await;
        }
    };
    tokio::select! {
        () = hearing => {}
        () = shared.closed() => {}
    }
}

/// Hears until the connection is of no use any more.
async fn hear(client: &Client, mut driver: JoinHandle<()>, attendance: &Attendance) {
    let _guard = Guard(Some(driver.abort_handle()));
    loop {
        tokio::select! {
            _ = &mut driver => return,
            () = sleep(BEAT) => {}
        }
        let asked = Instant::now();
        let Ok(Ok(rows)) = timeout(SILENCE, client.query_typed(PROBE, &[])).await else { return };
        if rows.first().and_then(|row| row.try_get(1).ok()) == Some("on") {
            // The server has become a standby: what ends sessions is another one.
            return;
        }
        attendance.up(asked);
    }
}

fn warn(shared: &Shared, failure: Option<&Failure>) {
    let server = shared.dial.server();
    let why = "endings in other processes are not heard of: they are looked for until they are again";
    if let Some(failure) = failure {
        tracing::warn!(%server, %failure, "{why}");
    } else {
        tracing::warn!(%server, "the connection was lost: {why}");
    }
}
