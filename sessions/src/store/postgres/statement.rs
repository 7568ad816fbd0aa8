//! The statements of the store. Each operation is one of them.

/// What a connection is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Load,
    Lapse,
    Cas,
    Touch,
    Admit,
    End,
    EndAll,
    List,
    Sweep,
    Stats,
    Scan,
    CasNoting,
    AdmitNoting,
    EndNoting,
    EndAllNoting,
    Trim,
    Consumer,
    Page,
    Ack,
    Forget,
}

/// Which counts are exact: those up to this many sessions.
pub(super) const COUNTED: i64 = 10_000;

impl Call {
    /// Each, in the order of their numbers.
    pub(super) const ALL: [Self; 20] = [
        Self::Load,
        Self::Lapse,
        Self::Cas,
        Self::Touch,
        Self::Admit,
        Self::End,
        Self::EndAll,
        Self::List,
        Self::Sweep,
        Self::Stats,
        Self::Scan,
        Self::CasNoting,
        Self::AdmitNoting,
        Self::EndNoting,
        Self::EndAllNoting,
        Self::Trim,
        Self::Consumer,
        Self::Page,
        Self::Ack,
        Self::Forget,
    ];

    /// Those that a connection of a store without an outbox is asked for.
    pub(super) const WITHOUT_OUTBOX: usize = Self::CasNoting as usize;

    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Load => "SELECT expires, ended, last_seen, record FROM sessions.session WHERE id = $1",
            Self::Lapse => "SELECT * FROM sessions.lapse_1($1, $2, $3)",
            Self::Cas => "SELECT * FROM sessions.cas_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            Self::Touch => "SELECT * FROM sessions.touch_1($1, $2, $3, $4)",
            Self::Admit => {
                "SELECT * FROM sessions.admit_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
            }
            Self::End => "SELECT * FROM sessions.end_1($1, $2, $3, $4)",
            Self::EndAll => "SELECT * FROM sessions.end_all_1($1, $2, $3, $4, $5, $6, $7)",
            Self::List => {
                "SELECT id, expires, last_seen, record FROM sessions.session WHERE owner = $1 AND ended IS NULL AND expires > $2 \
                 AND seq > coalesce((SELECT seq FROM sessions.session WHERE id = $3 AND owner = $1), 0) \
                 ORDER BY seq LIMIT $4"
            }
            Self::Sweep => "SELECT * FROM sessions.sweep_1($1, $2, $3)",
            Self::Scan => {
                "SELECT id, owner, expires, last_seen, record FROM sessions.session \
                 WHERE id > $1 AND ended IS NULL AND expires > $2 ORDER BY id LIMIT $3"
            }
            // What is noted is written by the same statement, and so by the same transaction, or not at all.
            Self::CasNoting => {
                "WITH done AS MATERIALIZED (SELECT * FROM sessions.cas_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)) \
                 SELECT done.*, CASE WHEN o_outcome = 0 THEN sessions.note_2($12, '{}', '{}') END AS noted FROM done"
            }
            Self::AdmitNoting => {
                "WITH done AS MATERIALIZED (SELECT * FROM \
                 sessions.admit_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)) \
                 SELECT done.*, CASE WHEN o_outcome = 0 THEN sessions.note_2($15, $16, o_evicted) END AS noted FROM done"
            }
            Self::EndNoting => {
                "WITH done AS MATERIALIZED (SELECT * FROM sessions.end_1($1, $2, $3, $4)) \
                 SELECT done.*, CASE WHEN cardinality(o_ended) > 0 THEN sessions.note_2($5, $6, o_ended) END AS noted \
                 FROM done"
            }
            Self::EndAllNoting => {
                "WITH done AS MATERIALIZED (SELECT * FROM sessions.end_all_1($1, $2, $3, $4, $5, $6, $7)) \
                 SELECT done.*, sessions.note_2($8, $9, o_ended) AS noted FROM done"
            }
            Self::Trim => "SELECT * FROM sessions.trim_2($1, $2, $3)",
            Self::Consumer => {
                "INSERT INTO sessions.consumer (name) VALUES ($1) ON CONFLICT (name) DO NOTHING"
            }
            Self::Page => {
                "SELECT consumer.missed, found.xid, found.position, found.event FROM sessions.consumer \
                 LEFT JOIN LATERAL (SELECT xid, position, event FROM sessions.outbox \
                 WHERE (xid, position) > (consumer.xid, consumer.position) \
                 AND xid < txid_snapshot_xmin(txid_current_snapshot()) ORDER BY xid, position LIMIT $2) AS found ON true \
                 WHERE name = $1 ORDER BY found.xid, found.position"
            }
            Self::Ack => {
                "UPDATE sessions.consumer SET xid = greatest(xid, $2), seen = clock_timestamp(), \
                 position = CASE WHEN (xid, position) < ($2, $3) THEN $3 ELSE position END, \
                 missed = greatest(missed - $4, 0) WHERE name = $1"
            }
            Self::Forget => "DELETE FROM sessions.consumer WHERE name = $1",
            Self::Stats => {
                "SELECT (SELECT count(*) FROM (SELECT FROM sessions.session WHERE ended IS NULL LIMIT $1) AS a) \
                 AS sessions, \
                 (SELECT count(DISTINCT owner) FROM (SELECT owner FROM sessions.session WHERE ended IS NULL LIMIT $1) \
                 AS b) AS principals, \
                 (SELECT reltuples::bigint FROM pg_class WHERE oid = 'sessions.session'::regclass) AS rows"
            }
        }
    }

    /// Whether the answer tells the server's clock, in the column `o_at`.
    pub(super) fn tells_time(self) -> bool {
        !matches!(
            self,
            Self::Load
                | Self::List
                | Self::Stats
                | Self::Scan
                | Self::Consumer
                | Self::Page
                | Self::Ack
                | Self::Forget
        )
    }
}

/// What asks for the endings of all processes.
pub(super) const LISTEN: &str = "LISTEN sessions_endings";

/// What tells whether a connection answers, the server's clock, and whether it can only be read.
pub(super) const PROBE: &str = "SELECT clock_timestamp(), current_setting('transaction_read_only')";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_at_its_number() {
        for (number, call) in Call::ALL.into_iter().enumerate() {
            assert_eq!(call as usize, number);
        }
    }
}
