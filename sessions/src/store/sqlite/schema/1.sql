-- Sessions and tombstones: one row for each id, so that one becomes the other in place.
CREATE TABLE session (
    -- The order of the logins. Named, because VACUUM renumbers rows whose number has no name.
    seq       INTEGER PRIMARY KEY,
    -- The bucket (2 bytes, big endian) and the sid (16 bytes).
    id        BLOB NOT NULL UNIQUE,
    -- The digest of policy and principal; none for an anonymous session.
    owner     BLOB,
    -- The first eight bytes of the record, as a signed number.
    version   INTEGER NOT NULL,
    -- Milliseconds since the Unix epoch, here and below.
    last_seen INTEGER NOT NULL,
    -- When the session is dead, or the tombstone forgotten.
    expires   INTEGER NOT NULL,
    -- When a sweep looks at the row: never later than `expires`. A touch leaves it alone, so that its index rests.
    due       INTEGER NOT NULL,
    -- Why it ended, for a tombstone.
    ended     INTEGER,
    record    BLOB,
    CHECK ((ended IS NULL) = (record IS NOT NULL)),
    CHECK (due <= expires)
) STRICT;
CREATE INDEX session_owner ON session (owner) WHERE ended IS NULL AND owner IS NOT NULL;
CREATE INDEX session_due ON session (due);

-- Logins of an owner that began before the stamp are refused.
CREATE TABLE revocation (
    owner BLOB PRIMARY KEY,
    stamp INTEGER NOT NULL,
    due   INTEGER NOT NULL
) STRICT;
CREATE INDEX revocation_due ON revocation (due);

-- What would take a scan to count: rows that are sessions, and owners that have one.
CREATE TABLE census (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    sessions   INTEGER NOT NULL,
    principals INTEGER NOT NULL
) STRICT;
INSERT INTO census VALUES (1, 0, 0);
