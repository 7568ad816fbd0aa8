//! What a run came to, and what is asked of it.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::{checker::Report, faults::Fault, world::NODES};

/// How few acknowledged operations of a node show nothing.
const FEW: usize = 50;

/// How many violations are shown: the first tell what is wrong.
const SHOWN: usize = 12;

/// The figures of a run so far.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) report: Report,
    pub(crate) faults: BTreeMap<Fault, u32>,
    /// How long it took after each fault until every node served again.
    pub(crate) recoveries: Vec<(Duration, Fault)>,
    /// How many connections the nodes made in each fault.
    pub(crate) reconnected: Vec<u64>,
    /// How often a replica took over that no one had asked.
    pub(crate) unplanned: u32,
    /// How many keys were looked at.
    pub(crate) keys: u64,
}

impl Figures {
    /// Fails if a promise was broken, or if too little was done.
    pub(crate) fn judge(&self) {
        let Report { violations, lost, acknowledged, .. } = &self.report;
        let shown: Vec<_> = violations.iter().take(SHOWN).map(String::as_str).collect();
        assert!(violations.is_empty(), "{} violations:\n- {}", violations.len(), shown.join("\n- "));
        let may_lose = self.unplanned > 0 || self.faults.contains_key(&Fault::PrimaryKilled);
        assert!(lost.is_empty() || may_lose, "lost without a failover: {lost:#?}");
        let all_served = acknowledged.len() == NODES && acknowledged.values().all(|count| *count >= FEW);
        assert!(all_served, "so few acknowledged operations of a node show little: {acknowledged:?}");
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { acknowledged, refused, unknown, slowest, violations, lost, stale } = &self.report;
        let acknowledged: usize = acknowledged.values().sum();
        let operations = acknowledged + refused + unknown;
        write!(
            f,
            "{operations} operations ({acknowledged} acknowledged, {refused} refused, {unknown} unknown), {} faults (",
            self.faults.values().sum::<u32>()
        )?;
        for (number, (fault, count)) in self.faults.iter().enumerate() {
            write!(f, "{}{count} {fault}", if number == 0 { "" } else { ", " })?;
        }
        let mut recoveries = self.recoveries.clone();
        recoveries.sort_unstable();
        let in_ms = |at: usize| recoveries.get(at).map_or(0, |(time, _)| time.as_millis());
        let (middle, longest) = (in_ms(recoveries.len() / 2), in_ms(recoveries.len().saturating_sub(1)));
        let last = recoveries.last().map(|(_, fault)| format!(" (after {fault})")).unwrap_or_default();
        let connections = self.reconnected.iter().max().copied().unwrap_or_default();
        write!(
            f,
            "), a 503 after {} ms at most, served again after {middle} ms in the middle and {longest} ms at most{last}, {connections} connections in a fault at \
             most, {} keys all with an expiry, {} failovers that no one asked for; violations {}; lost by asynchronous \
             replication {}, read in a handover from before {} (both documented)",
            slowest / 1_000,
            self.keys,
            self.unplanned,
            violations.len(),
            lost.len(),
            stale.len()
        )
    }
}
