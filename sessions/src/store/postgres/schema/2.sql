-- Events for consumers, written by the statement that makes the change. A transaction of a lower number may commit later, so a
-- consumer reads only what is below the oldest that still runs: the order is that of transactions, then of `position`.
CREATE TABLE sessions.outbox (
    xid bigint NOT NULL,
    position bigint NOT NULL,
    made timestamptz NOT NULL,
    event text NOT NULL,
    PRIMARY KEY (xid, position)
);

CREATE SEQUENCE sessions.outbox_position;

-- How far each consumer is, and how many events were trimmed before it had them.
CREATE TABLE sessions.consumer (
    name text PRIMARY KEY,
    xid bigint NOT NULL DEFAULT 0,
    position bigint NOT NULL DEFAULT 0,
    missed bigint NOT NULL DEFAULT 0,
    seen timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Notes one event for each session that ended by a change, then those of the change itself: `p_each` is what is before, between and behind the two
-- handles in it, or empty.
CREATE FUNCTION sessions.note_2(p_events text[], p_each text[], p_ended bytea[]) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(p_each) = 3 THEN
        INSERT INTO sessions.outbox (xid, position, made, event)
        SELECT txid_current(), nextval('sessions.outbox_position'), clock_timestamp(),
            p_each[1] || handle || p_each[2] || handle || p_each[3]
        FROM (
            SELECT rtrim(translate(encode(substr(id, 3), 'base64'), '+/', '-_'), '=') AS handle FROM unnest(p_ended) AS id
        ) AS ended;
    END IF;
    INSERT INTO sessions.outbox (xid, position, made, event)
    SELECT txid_current(), nextval('sessions.outbox_position'), clock_timestamp(), event FROM unnest(p_events) AS event;
    RETURN true;
END
$$;

-- Looks at so many of the oldest events, and trims those that were kept for as long as they are to be.
CREATE FUNCTION sessions.trim_2(p_kept bigint, p_looks integer, p_patience integer,
    OUT o_freed integer, OUT o_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    one record;
    xids bigint[] := '{}';
    positions bigint[] := '{}';
BEGIN
    PERFORM sessions.begin_1(p_patience);
    FOR one IN SELECT xid, position, made FROM sessions.outbox
        WHERE xid < txid_snapshot_xmin(txid_current_snapshot())
        ORDER BY xid, position LIMIT p_looks FOR UPDATE SKIP LOCKED
    LOOP
        EXIT WHEN one.made > clock_timestamp() - p_kept * interval '1 millisecond';
        xids := xids || one.xid;
        positions := positions || one.position;
    END LOOP;
    o_freed := cardinality(xids);
    IF o_freed > 0 THEN
        -- Who acknowledges meanwhile is waited for, and judged by what it has acknowledged.
        FOR one IN SELECT name FROM sessions.consumer ORDER BY name LOOP
            UPDATE sessions.consumer SET missed = missed + (
                SELECT count(*) FROM unnest(xids, positions) AS gone (x, p)
                WHERE (gone.x, gone.p) > (consumer.xid, consumer.position)
            )
            WHERE name = one.name AND (xid, position) < (xids[o_freed], positions[o_freed]);
        END LOOP;
        DELETE FROM sessions.outbox USING unnest(xids, positions) AS gone (x, p) WHERE xid = gone.x AND position = gone.p;
    END IF;
    o_at := clock_timestamp();
END
$$;
