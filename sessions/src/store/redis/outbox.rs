//! Events for consumers: what a write takes along for the outbox, and what a consumer asks. The scripts write them
//! (`scripts/noting.lua`).
//!
//! A stream is in the slot of the sessions that it is about, or it could not be written in one step with them: on a cluster
//! there is one for each bucket, on one server one for all. A consumer asks for all that a server has in a few trips.

use std::{collections::HashMap, sync::Arc, time::Duration};

use redis::{Cmd, Pipeline, Value};
use tokio::time::Instant;

use super::{
    Inner,
    failure::Failure,
    keys::CONSUMERS,
    operation::bytes,
    scripts::Script,
    servers::{Lane, Told},
    wire::Wire,
};
use crate::{
    outbox::{Answer, Each, Keep, Mark, Notes, Page},
    store::{Admit, Admitted, Cas, CasOutcome, End, Ended},
};

/// The buckets of a cluster.
const BUCKETS: u16 = 1 << 14;
/// How many streams are asked for at once.
const STEP: usize = 1_024;
/// How many events one of several streams gives at once, so that none keeps the others waiting.
const SHARE: usize = 32;
/// Since when a consumer is known, in milliseconds of the server: the field beside those of streams.
const BEGAN: &str = "began";

/// What a write notes.
#[derive(Clone, Copy)]
pub(super) struct Noted<'a>(Option<(&'a Stream, &'a Notes, bool)>);

impl<'a> Noted<'a> {
    pub(super) fn nothing() -> Self {
        Self(None)
    }

    fn new(stream: &'a Stream, notes: &'a Notes) -> Self {
        Self(Some((stream, notes, true)))
    }

    /// The same without the events of the change itself.
    pub(super) fn of_each(self) -> Self {
        Self(self.0.map(|(stream, notes, _)| (stream, notes, false)))
    }

    /// The script that notes as well, with the stream as its last key.
    pub(super) fn of(self, script: Script, keys: &mut Vec<Vec<u8>>, bucket: u16) -> Script {
        let Some((stream, ..)) = self.0 else { return script };
        let Stream { inner, .. } = stream;
        keys.push(inner.keys.stream(if inner.has_streams() { bucket } else { CONSUMERS }));
        script.noting()
    }

    /// Adds the last arguments of such a script.
    pub(super) fn finish(self, call: &mut Cmd) {
        let Some((stream, notes, with_change)) = self.0 else { return };
        call.arg(millis(stream.kept));
        match &notes.each {
            Some(Each(parts)) => call.arg(parts),
            None => call.arg(&["", "", ""]),
        };
        let events = if with_change { &notes.events[..] } else { &[] };
        for event in events {
            call.arg(event);
        }
        call.arg(events.len());
    }
}

/// The outbox of a store.
pub(super) struct Stream {
    pub(super) inner: Arc<Inner>,
    /// For how long events are kept.
    pub(super) kept: Duration,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("address", &self.inner.address).field("kept", &self.kept).finish()
    }
}

impl Keep for Stream {
    fn cas(&self, write: Cas, notes: Box<Notes>) -> Answer<'_, CasOutcome> {
        Box::pin(
            async move { self.inner.cas(&write, Noted::new(self, &notes)).await.map_err(Failure::of_write) },
        )
    }

    fn admit(&self, admit: Admit, notes: Box<Notes>) -> Answer<'_, Admitted> {
        Box::pin(async move {
            self.inner.admit(&admit, Noted::new(self, &notes)).await.map_err(Failure::of_write)
        })
    }

    fn end(&self, end: End, notes: Box<Notes>) -> Answer<'_, Ended> {
        Box::pin(
            async move { self.inner.end(end, Noted::new(self, &notes)).await.map_err(Failure::of_write) },
        )
    }

    fn read<'a>(&'a self, consumer: &'a str, most: usize) -> Answer<'a, Page> {
        Box::pin(async move { self.inner.page_of(consumer, most, self.kept).await.map_err(Failure::of_read) })
    }

    fn ack<'a>(&'a self, consumer: &'a str, marks: &'a [Mark], _: u64) -> Answer<'a, ()> {
        Box::pin(async move { self.inner.keep_marks(consumer, marks).await.map_err(Failure::of_write) })
    }

    fn forget<'a>(&'a self, consumer: &'a str) -> Answer<'a, ()> {
        let question = |_: &Wire| {
            let mut del = redis::cmd("DEL");
            del.arg(self.inner.keys.consumer(consumer));
            del
        };
        Box::pin(
            async move { self.inner.ask_consumers(&question).await.map(drop).map_err(Failure::of_write) },
        )
    }
}

/// How far a consumer is.
struct Progress {
    began: u64,
    places: HashMap<u16, (u64, u64)>,
}

/// An event that was found.
struct Row {
    mark: Mark,
    event: String,
}

impl Inner {
    /// Whether each bucket has a stream of its own.
    fn has_streams(&self) -> bool {
        self.servers.as_cluster().is_some()
    }

    async fn ask_consumers(&self, question: &(dyn Fn(&Wire) -> Cmd + Sync)) -> Result<Told, Failure> {
        self.servers.ask(CONSUMERS, question, self.until()?).await
    }

    async fn progress(&self, consumer: &str) -> Result<Progress, Failure> {
        let key = self.keys.consumer(consumer);
        let known = |_: &Wire| {
            let mut get = redis::cmd("HGETALL");
            get.arg(&key);
            get
        };
        let began = |wire: &Wire| {
            let mut set = redis::cmd("HSETNX");
            set.arg(&key).arg(BEGAN).arg(wire.clock.at(std::time::Instant::now()) / 1_000);
            set
        };
        let mut told = self.ask_consumers(&known).await?;
        if pairs(&told.value).next().is_none() {
            self.ask_consumers(&began).await?;
            told = self.ask_consumers(&known).await?;
        }
        let mut progress = Progress { began: 0, places: HashMap::new() };
        for (field, value) in pairs(&told.value) {
            if field == BEGAN {
                progress.began = value.parse().unwrap_or_default();
            } else if let (Ok(stream), Some(place)) = (field.parse(), place(value)) {
                progress.places.insert(stream, place);
            }
        }
        Ok(progress)
    }

    async fn page_of(&self, consumer: &str, most: usize, kept: Duration) -> Result<Page, Failure> {
        let progress = self.progress(consumer).await?;
        let until = self.until()?;
        let (mut rows, mut missed) = (Vec::new(), 0);
        for (wire, streams) in self.streams(until).await? {
            for streams in streams.chunks(STEP) {
                if rows.len() < most {
                    missed +=
                        self.look_into(&wire, streams, &progress, (most, kept), &mut rows, until).await?;
                }
            }
        }
        // Of one stream they are in order, and stay so: sorting is stable, and its places grow.
        rows.sort_by_key(|row: &Row| row.mark.place);
        let mut marks = HashMap::new();
        for row in &rows {
            marks.insert(row.mark.stream, row.mark);
        }
        let marks = marks.into_values().collect();
        Ok(Page { rows: rows.into_iter().map(|row| row.event).collect(), marks, missed })
    }

    /// Which server has which streams. Each time another one comes first.
    async fn streams(&self, until: Instant) -> Result<Vec<(Arc<Wire>, Vec<u16>)>, Failure> {
        let Some(cluster) = self.servers.as_cluster() else {
            let wires = self.servers.primaries(until).await?;
            return Ok(wires.into_iter().map(|wire| (wire, vec![CONSUMERS])).collect());
        };
        let mut links: Vec<(Arc<super::link::Link>, Vec<u16>)> = Vec::new();
        let first = rand::random_range(0..BUCKETS);
        for bucket in (first..BUCKETS).chain(0..first) {
            let link = cluster.owner(super::keys::slot(bucket), Lane::Common, until).await?;
            match links.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &link)) {
                Some((_, streams)) => streams.push(bucket),
                None => links.push((link, vec![bucket])),
            }
        }
        let mut wires = Vec::with_capacity(links.len());
        for (link, streams) in links {
            wires.push((link.wire(until).await?, streams));
        }
        Ok(wires)
    }

    /// Takes what some streams have for a consumer, and tells how many it missed of these.
    async fn look_into(
        &self,
        wire: &Wire,
        streams: &[u16],
        progress: &Progress,
        (most, kept): (usize, Duration),
        rows: &mut Vec<Row>,
        until: Instant,
    ) -> Result<u64, Failure> {
        let share = if streams.len() == 1 { most } else { most.min(SHARE) };
        let mut pipeline = Pipeline::new();
        for stream in streams {
            let (millis, number) = progress.places.get(stream).copied().unwrap_or_default();
            let range = pipeline.cmd("XRANGE").arg(self.keys.stream(*stream));
            range.arg(format!("({millis}-{number}")).arg("+").arg("COUNT").arg(share);
        }
        let asked = tokio::time::timeout_at(until, wire.ask_all(&pipeline, streams.len())).await;
        let answers = asked.unwrap_or_else(|elapsed| Err(Failure::lost(&wire.node, &elapsed)))?;
        let mut missed = 0;
        for (stream, answer) in streams.iter().zip(answers) {
            let entries = match answer {
                Value::Array(entries) => entries,
                // The slot has moved: it is found there the next time.
                Value::ServerError(error) if error.code() == "MOVED" || error.code() == "ASK" => {
                    self.learn(until).await;
                    continue;
                }
                Value::ServerError(error) => return Err(Failure::refused(&wire.node, &error)),
                _ => return Err(Failure::unreadable(&wire.node)),
            };
            // None of those that are left waits for another round because of one that no one can read.
            let found = entries.iter().map(|entry| row(*stream, entry));
            let found: Option<Vec<_>> = found.collect();
            let mut found = found.ok_or_else(|| Failure::unreadable(&wire.node))?;
            found.truncate(most.saturating_sub(rows.len()));
            if let Some(first) = found.first() {
                missed += gap(progress, first.mark, kept);
            }
            rows.extend(found);
        }
        Ok(missed)
    }

    /// Asks a cluster where its slots are.
    async fn learn(&self, until: Instant) {
        if let Some(cluster) = self.servers.as_cluster() {
            cluster.learn_if_idle(until).await;
        }
    }

    async fn keep_marks(&self, consumer: &str, marks: &[Mark]) -> Result<(), Failure> {
        if marks.is_empty() {
            return Ok(());
        }
        let question = |_: &Wire| {
            let mut set = redis::cmd("HSET");
            set.arg(self.keys.consumer(consumer));
            for Mark { stream, place: (millis, number) } in marks {
                set.arg(stream.to_string()).arg(format!("{millis}-{number}"));
            }
            set
        };
        let Told { value, wire } = self.ask_consumers(&question).await?;
        match value {
            Value::Int(_) => Ok(()),
            _ => Err(Failure::unreadable(&wire.node)),
        }
    }
}

/// How many events are gone between what a consumer has acknowledged of a stream and the first that is left.
fn gap(progress: &Progress, first: Mark, kept: Duration) -> u64 {
    let (millis, number) = first.place;
    let before = match progress.places.get(&first.stream) {
        // A stream that was silent for long has begun anew.
        Some((_, known)) if *known >= number => 0,
        Some((_, known)) => *known,
        // What went before the consumer came was not for it.
        None if millis < progress.began.saturating_add(self::millis(kept)) => return 0,
        None => 0,
    };
    number - 1 - before
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn row(stream: u16, entry: &Value) -> Option<Row> {
    let Value::Array(parts) = entry else { return None };
    let [id, Value::Array(fields)] = parts.as_slice() else { return None };
    let place = place(std::str::from_utf8(bytes(id)?).ok()?)?;
    let event = String::from_utf8_lossy(bytes(fields.get(1)?)?).into_owned();
    Some(Row { mark: Mark { stream, place }, event })
}

/// The two numbers of a place.
fn place(text: &str) -> Option<(u64, u64)> {
    let (millis, number) = text.split_once('-')?;
    Some((millis.parse().ok()?, number.parse().ok()?))
}

/// The fields of a hash, as either version of the protocol tells them.
fn pairs(value: &Value) -> impl Iterator<Item = (&str, &str)> {
    let text = |value| std::str::from_utf8(bytes(value)?).ok();
    let flat: Vec<&Value> = match value {
        Value::Map(pairs) => pairs.iter().flat_map(|(field, value)| [field, value]).collect(),
        Value::Array(flat) => flat.iter().collect(),
        _ => Vec::new(),
    };
    let pairs: Vec<_> =
        flat.chunks_exact(2).filter_map(|pair| Some((text(pair[0])?, text(pair[1])?))).collect();
    pairs.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_consumer_missed_is_counted() {
        let progress = Progress { began: 1_000, places: HashMap::from([(1, (5_000, 7))]) };
        let kept = Duration::from_secs(2);
        let gap = |stream, place| gap(&progress, Mark { stream, place }, kept);
        assert_eq!(gap(1, (6_000, 8)), 0);
        assert_eq!(gap(1, (9_000, 12)), 4);
        assert_eq!(gap(1, (90_000, 3)), 2, "it has begun anew");
        assert_eq!(gap(2, (2_999, 5)), 0, "what is gone was older than the consumer");
        assert_eq!(gap(2, (3_000, 5)), 4);
        assert_eq!(gap(2, (3_000, 1)), 0);
    }
}
