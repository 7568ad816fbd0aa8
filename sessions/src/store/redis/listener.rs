//! Hears of what other processes end: a connection to each server that subscribes to the channel on which the scripts tell,
//! and is asked again and again whether it still hears.
//!
//! A server answers on a connection in order. So what was told before a question was asked has been heard when its answer
//! comes, and that it comes is the proof. In a cluster each primary is listened to: its own scripts tell it first, and what
//! nodes tell each other may be lost.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use redis::{PushInfo, PushKind, Value};
use tokio::{
    runtime::Handle,
    sync::Notify,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    Inner,
    failure::Failure,
    keys::Keys,
    operation::bytes,
    wire::{Access, Answer, Node, Wire},
};
use crate::{
    soon::all,
    store::{
        Endings,
        audience::{Attendance, Audience},
    },
};

/// How often it is asked whether it hears.
const BEAT: Duration = Duration::from_millis(500);
/// How long an answer may take.
const SILENCE: Duration = Duration::from_secs(1);
/// The first and the longest pause before it is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Tells of endings from now on, if there is a runtime to hear of them on.
pub(super) fn tell(inner: &Arc<Inner>, to: Endings) -> bool {
    let Ok(runtime) = Handle::try_current() else { return false };
    inner.audience.join(to);
    if let Some(attendance) = inner.audience.attend() {
        runtime.spawn(listen(Arc::downgrade(inner), attendance));
    }
    true
}

async fn listen(store: Weak<Inner>, attendance: Attendance) {
    let mut failures = 0;
    while let Some(inner) = store.upgrade() {
        if inner.is_closed.load(Ordering::Acquire) {
            return;
        }
        let asked = Instant::now().into_std();
        let opened = Ears::open(&inner).await;
        drop(inner);
        let failure = match opened {
            Ok(ears) => {
                tracing::debug!(failures, "endings in other processes are heard of");
                attendance.up(asked);
                let failure = ears.hear(&store, &attendance).await;
                attendance.down();
                failures = 0;
                let Some(failure) = failure else { continue };
                failure
            }
            Err(failure) => failure,
        };
        if failures == 0 {
            tracing::warn!(
                %failure,
                "endings in other processes are not heard of: they are looked for until they are again"
            );
        }
        failures += 1;
        sleep(pause(failures)).await;
    }
}

/// A connection to each server, all of which hear.
struct Ears {
    wires: Vec<Wire>,
    /// The server of one has ended it.
    broken: Arc<Notify>,
}

impl Ears {
    async fn open(inner: &Inner) -> Result<Self, Failure> {
        let until = Instant::now() + inner.patience;
        let (access, channel) = (inner.servers.access(), inner.keys.channel());
        let nodes = nodes(inner, until).await?;
        let broken = Arc::new(Notify::new());
        let open = |node| open_one(node, access, &channel, (&inner.audience, &broken), until);
        let opened = all(nodes.iter().map(open)).await;
        Ok(Self { wires: opened.into_iter().collect::<Result<_, _>>()?, broken })
    }

    /// Hears until it doesn't any more: why, if it isn't that the servers are others now, or that the store is gone.
    async fn hear(&self, store: &Weak<Inner>, attendance: &Attendance) -> Option<Failure> {
        loop {
            let _ = timeout(BEAT, self.broken.notified()).await;
            let inner = store.upgrade().filter(|inner| !inner.is_closed.load(Ordering::Acquire))?;
            let asked = Instant::now();
            let until = asked + SILENCE;
            let answers = all(self.wires.iter().map(|wire| said(wire, redis::cmd("PING"), until))).await;
            if let Some(failure) = answers.into_iter().find_map(Result::err) {
                return Some(failure);
            }
            match nodes(&inner, Instant::now() + inner.patience).await {
                Ok(nodes) if nodes.iter().eq(self.wires.iter().map(|wire| &wire.node)) => {
                    attendance.up(asked.into_std());
                }
                Ok(_) => return None,
                Err(failure) => return Some(failure),
            }
        }
    }
}

/// The servers that end sessions now, in order.
async fn nodes(inner: &Inner, until: Instant) -> Result<Vec<Node>, Failure> {
    let wires = inner.servers.primaries(until).await?;
    let mut nodes: Vec<_> = wires.iter().map(|wire| wire.node.clone()).collect();
    nodes.sort_unstable();
    nodes.dedup();
    Ok(nodes)
}

async fn open_one(
    node: &Node,
    access: &Access,
    channel: &str,
    (audience, broken): (&Arc<Audience>, &Arc<Notify>),
    until: Instant,
) -> Result<Wire, Failure> {
    let (audience, broken) = (Arc::clone(audience), Arc::clone(broken));
    let hear = move |push: PushInfo| match push.kind {
        PushKind::Message => {
            if let Some(word) = push.data.get(1).and_then(bytes).and_then(Keys::heard) {
                audience.tell(word);
            }
        }
        PushKind::Disconnection => broken.notify_one(),
        _ => {}
    };
    let wire = match timeout_at(until, Wire::open_ear(node, access, hear)).await {
        Ok(opened) => opened?,
        Err(_) => return Err(Failure::slow(node)),
    };
    let word = |command: &str| {
        let mut word = redis::cmd(command);
        word.arg(channel);
        word
    };
    said(&wire, word("SUBSCRIBE"), until).await?;
    // A user that may not publish would tell nothing, and no one would notice.
    let mut nothing = word("PUBLISH");
    nothing.arg("");
    said(&wire, nothing, until).await?;
    Ok(wire)
}

async fn said(wire: &Wire, word: redis::Cmd, until: Instant) -> Result<Value, Failure> {
    match wire.ask(&word, until).await? {
        Answer::Value(value) => Ok(value),
        Answer::Refused(error) => Err(Failure::refused(&wire.node, &error)),
    }
}

/// How long to wait after so many failures, by chance, so that processes don't return together.
fn pause(failures: u32) -> Duration {
    let longest = PAUSES.0.saturating_mul(1 << failures.min(8)).min(PAUSES.1);
    longest.mul_f64(rand::random_range(0.5..=1.0))
}
