//! Events for consumers: writes that note them, and what a consumer asks. The statements are those of `statement`.

use std::{sync::Arc, time::Duration};

use super::{
    failure::Failure,
    links::Links,
    statement::Call,
    value::{Columns, Value},
};
use crate::{
    outbox::{Answer, Keep, Mark, Notes, Page},
    store::{Admit, Admitted, Cas, CasOutcome, End, Ended},
};

/// The outbox of a store.
#[derive(Debug)]
pub(super) struct Events(pub(super) Arc<Links>);

impl Keep for Events {
    fn cas(&self, write: Cas, notes: Box<Notes>) -> Answer<'_, CasOutcome> {
        Box::pin(async move { self.0.cas(&write, Some(&notes)).await.map_err(Failure::of_write) })
    }

    fn admit(&self, admit: Admit, notes: Box<Notes>) -> Answer<'_, Admitted> {
        Box::pin(async move { self.0.admit(&admit, Some(&notes)).await.map_err(Failure::of_write) })
    }

    fn end(&self, end: End, notes: Box<Notes>) -> Answer<'_, Ended> {
        Box::pin(async move { self.0.end(end, Some(&notes)).await.map_err(Failure::of_write) })
    }

    fn read<'a>(&'a self, consumer: &'a str, most: usize) -> Answer<'a, Page> {
        Box::pin(async move { self.0.page(consumer, most).await.map_err(Failure::unavailable) })
    }

    fn ack<'a>(&'a self, consumer: &'a str, marks: &'a [Mark], missed: u64) -> Answer<'a, ()> {
        Box::pin(async move { self.0.ack(consumer, marks, missed).await.map_err(Failure::of_write) })
    }

    fn forget<'a>(&'a self, consumer: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            self.0.read(Call::Forget, &[Value::Text(consumer)]).await.map(drop).map_err(Failure::of_write)
        })
    }
}

impl Links {
    async fn page(&self, consumer: &str, most: usize) -> Result<Page, Failure> {
        let values = [Value::Text(consumer), Value::long(most as u64)];
        let mut rows = self.read(Call::Page, &values).await?;
        if rows.is_empty() {
            // It is new.
            self.read(Call::Consumer, &values[..1]).await?;
            rows = self.read(Call::Page, &values).await?;
        }
        let mut page = Page::default();
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let columns = Columns::of(row, self.server());
            page.missed = columns.get::<i64>("missed")?.unsigned_abs();
            let Some(event) = columns.get::<Option<String>>("event")? else { continue };
            let (xid, position) = (columns.get::<i64>("xid")?, columns.get::<i64>("position")?);
            page.marks = vec![Mark { stream: 0, place: (xid.unsigned_abs(), position.unsigned_abs()) }];
            found.push((position, event));
        }
        // Of the changes of one session the later one has waited for the earlier, so it has the higher position.
        found.sort_unstable_by_key(|(position, _)| *position);
        page.rows = found.into_iter().map(|(_, event)| event).collect();
        Ok(page)
    }

    async fn ack(&self, consumer: &str, marks: &[Mark], missed: u64) -> Result<(), Failure> {
        let (xid, position) = marks.first().map_or((0, 0), |mark| mark.place);
        let values = [Value::Text(consumer), Value::long(xid), Value::long(position), Value::long(missed)];
        self.read(Call::Ack, &values).await.map(drop)
    }

    /// Trims events that were kept for long enough: how many of so many it looked at.
    pub(super) async fn trim(&self, kept: Duration, looks: usize) -> Result<usize, Failure> {
        let kept = u64::try_from(kept.as_millis()).unwrap_or(u64::MAX);
        let looks = i32::try_from(looks).unwrap_or(i32::MAX);
        let row = self.write(Call::Trim, |_| [Value::long(kept), Value::Int(looks), self.locks()]).await?;
        Ok(usize::try_from(Columns::of(&row, self.server()).get::<i32>("o_freed")?).unwrap_or(0))
    }
}
