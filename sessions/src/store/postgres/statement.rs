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
}

/// Which counts are exact: those up to this many sessions.
pub(super) const COUNTED: i64 = 10_000;

impl Call {
    /// Each, in the order of their numbers.
    pub(super) const ALL: [Self; 11] = [
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
    ];

    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Load => "SELECT expires, ended, last_seen, record FROM sessions.session WHERE id = $1",
            Self::Lapse => "SELECT * FROM sessions.lapse_1($1, $2, $3)",
            Self::Cas => "SELECT * FROM sessions.cas_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
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
        !matches!(self, Self::Load | Self::List | Self::Stats | Self::Scan)
    }
}

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
