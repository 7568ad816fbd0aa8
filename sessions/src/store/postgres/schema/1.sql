-- Sessions and what is left of ended ones. `id` is 2 bytes of bucket and 16 of sid, `owner` the digest of policy and principal.
-- `expires` is the end of a session or of its tombstone; `due` is when the sweep looks at the row, at `expires` or before, so
-- that a touch changes no indexed column. `seq` is the order of logins. A row with `ended` is a tombstone, without a record.
CREATE TABLE sessions.session (
    id bytea PRIMARY KEY,
    owner bytea,
    seq bigint NOT NULL,
    version bigint NOT NULL,
    last_seen bigint NOT NULL,
    expires bigint NOT NULL,
    due bigint NOT NULL,
    ended smallint,
    record bytea
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX session_owner ON sessions.session (owner, seq) WHERE owner IS NOT NULL;
CREATE INDEX session_due ON sessions.session (due);

CREATE SEQUENCE sessions.login;

-- Logins of an owner that began before the stamp are refused.
CREATE TABLE sessions.revocation (
    owner bytea PRIMARY KEY,
    stamp bigint NOT NULL,
    due bigint NOT NULL
);

CREATE INDEX revocation_due ON sessions.revocation (due);

-- What each writing function begins with. The functions rely on a fresh snapshot for each of their statements.
CREATE FUNCTION sessions.begin_1(p_patience integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'sessions are kept at the isolation level read committed' USING ERRCODE = 'SES02';
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    PERFORM set_config('lock_timeout', p_patience::text, true);
END
$$;

-- Locks what is stored under an id and judges it: an expired session becomes a tombstone, an expired tombstone goes.
CREATE FUNCTION sessions.look_1(p_id bytea, p_now bigint) RETURNS sessions.session LANGUAGE plpgsql AS $$
DECLARE
    known sessions.session;
BEGIN
    SELECT * INTO known FROM sessions.session WHERE id = p_id FOR UPDATE;
    IF known.id IS NULL OR known.expires > p_now THEN
        RETURN known;
    END IF;
    IF known.ended IS NULL AND known.expires > p_now - 60000 THEN
        UPDATE sessions.session
        SET ended = 4, record = NULL, expires = known.expires + 60000, due = known.expires + 60000
        WHERE id = p_id RETURNING * INTO known;
        RETURN known;
    END IF;
    DELETE FROM sessions.session WHERE id = p_id;
    RETURN NULL;
END
$$;

-- Judges a session that a reader found expired. Outcomes: 0 live, 1 ended, 2 absent.
CREATE FUNCTION sessions.lapse_1(p_id bytea, p_now bigint, p_patience integer,
    OUT o_outcome smallint, OUT o_ended smallint, OUT o_seen bigint, OUT o_record bytea, OUT o_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    known sessions.session;
BEGIN
    PERFORM sessions.begin_1(p_patience);
    known := sessions.look_1(p_id, p_now);
    o_outcome := CASE WHEN known.id IS NULL THEN 2 WHEN known.ended IS NULL THEN 0 ELSE 1 END;
    o_ended := known.ended;
    o_seen := known.last_seen;
    o_record := known.record;
    o_at := clock_timestamp();
END
$$;

-- Tells every process that a session has ended, or that a record of another version was written: no one hears of it before the
-- commit. The word is the id, a colon, and the version.
CREATE FUNCTION sessions.tell_1(p_id bytea, p_version bigint) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('sessions_endings', encode(p_id, 'hex') || ':' || coalesce(lpad(to_hex(p_version), 16, '0'), ''));
$$;

-- Outcomes: 0 stored, 1 conflict, 2 gone.
CREATE FUNCTION sessions.cas_1(p_id bytea, p_owner bytea, p_expected bigint, p_record bytea, p_version bigint,
    p_seen bigint, p_expires bigint, p_announced smallint, p_now bigint, p_until timestamptz, p_patience integer,
    OUT o_outcome smallint, OUT o_ended smallint, OUT o_seen bigint, OUT o_record bytea, OUT o_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    known sessions.session;
BEGIN
    PERFORM sessions.begin_1(p_patience);
    LOOP
        known := sessions.look_1(p_id, p_now);
        IF known.ended IS NOT NULL THEN
            o_outcome := 2;
            o_ended := known.ended;
        ELSIF known.id IS NOT NULL AND known.version = p_expected THEN
            UPDATE sessions.session
            SET version = p_version, record = p_record, last_seen = greatest(last_seen, p_seen),
                expires = CASE WHEN last_seen > p_seen THEN greatest(expires, p_expires) ELSE p_expires END,
                due = least(due, p_expires)
            WHERE id = p_id;
            IF p_announced <> 0 THEN
                PERFORM sessions.tell_1(p_id, p_version);
            END IF;
            o_outcome := 0;
        ELSIF known.id IS NOT NULL THEN
            o_outcome := 1;
            o_seen := known.last_seen;
            o_record := known.record;
        ELSIF p_expected IS NOT NULL THEN
            o_outcome := 2;
        ELSE
            INSERT INTO sessions.session (id, owner, seq, version, last_seen, expires, due, record)
            VALUES (p_id, p_owner, CASE WHEN p_owner IS NULL THEN 0 ELSE nextval('sessions.login') END,
                p_version, p_seen, p_expires, p_expires, p_record)
            ON CONFLICT (id) DO NOTHING;
            -- Another creation was first: look again.
            CONTINUE WHEN NOT FOUND;
            o_outcome := 0;
        END IF;
        EXIT;
    END LOOP;
    -- Last, after every wait for a lock.
    o_at := clock_timestamp();
    IF o_at > p_until THEN
        RAISE EXCEPTION 'a write of a session came too late' USING ERRCODE = 'SES01';
    END IF;
END
$$;

-- Its commit does not wait for the disk: what a crash may lose is that a session was seen.
CREATE FUNCTION sessions.touch_1(p_id bytea, p_seen bigint, p_expires bigint, p_patience integer,
    OUT o_noted boolean, OUT o_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    known sessions.session;
BEGIN
    PERFORM sessions.begin_1(p_patience);
    PERFORM set_config('synchronous_commit', 'off', true);
    known := sessions.look_1(p_id, p_seen);
    o_noted := known.id IS NOT NULL AND known.ended IS NULL;
    IF o_noted THEN
        UPDATE sessions.session
        SET last_seen = greatest(last_seen, p_seen), expires = greatest(expires, p_expires)
        WHERE id = p_id;
    END IF;
    o_at := clock_timestamp();
END
$$;

-- Makes a tombstone of a session: whether it was live.
CREATE FUNCTION sessions.entomb_1(p_id bytea, p_reason smallint, p_now bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    known sessions.session;
BEGIN
    known := sessions.look_1(p_id, p_now);
    IF known.id IS NULL OR known.ended IS NOT NULL THEN
        RETURN false;
    END IF;
    UPDATE sessions.session
    SET ended = p_reason, record = NULL, expires = p_now + 60000, due = p_now + 60000
    WHERE id = p_id;
    PERFORM sessions.tell_1(p_id, NULL);
    RETURN true;
END
$$;

-- Outcomes: 0 stored, 1 the limit is reached, 2 revoked, 3 the id is taken. Behaviors: 0 reject, 1 evict the oldest, 2 evict all.
CREATE FUNCTION sessions.admit_1(p_id bytea, p_owner bytea, p_lock integer, p_record bytea, p_version bigint,
    p_seen bigint, p_expires bigint, p_max bigint, p_behavior smallint, p_replaces bytea, p_began bigint, p_now bigint,
    p_until timestamptz, p_patience integer,
    OUT o_outcome smallint, OUT o_live bigint, OUT o_evicted bytea[], OUT o_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    known sessions.session;
    one record;
    live bytea[] := '{}';
    victims bytea[] := '{}';
    over bigint;
BEGIN
    PERFORM sessions.begin_1(p_patience);
    -- One login or revocation of an owner at a time: the statements after this one see what those before have done.
    PERFORM pg_advisory_xact_lock(1936028531, p_lock);
    o_evicted := '{}';
    known := sessions.look_1(p_id, p_now);
    IF known.id IS NOT NULL THEN
        o_outcome := 3;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM sessions.revocation WHERE owner = p_owner AND stamp > p_began) THEN
        o_outcome := 2;
        RETURN;
    END IF;
    IF p_replaces IS NOT NULL THEN
        known := sessions.look_1(p_replaces, p_now);
        IF known.id IS NULL OR known.ended IS NOT NULL OR known.owner <> p_owner THEN
            p_replaces := NULL;
        END IF;
    END IF;
    IF p_max IS NOT NULL THEN
        FOR one IN SELECT id, expires FROM sessions.session WHERE owner = p_owner AND ended IS NULL ORDER BY seq LOOP
            IF one.expires <= p_now THEN
                known := sessions.look_1(one.id, p_now);
                CONTINUE WHEN known.id IS NULL OR known.ended IS NOT NULL;
            END IF;
            IF p_replaces IS NULL OR one.id <> p_replaces THEN
                live := live || one.id;
            END IF;
        END LOOP;
        over := cardinality(live) - (p_max - 1);
        IF over > 0 AND p_behavior = 0 THEN
            o_outcome := 1;
            o_live := cardinality(live);
            RETURN;
        ELSIF over > 0 AND p_behavior = 1 THEN
            victims := live[1:over];
        ELSIF over > 0 THEN
            victims := live;
        END IF;
    END IF;
    IF p_replaces IS NOT NULL THEN
        PERFORM sessions.entomb_1(p_replaces, 5::smallint, p_now);
    END IF;
    FOR one IN SELECT unnest(victims) AS id LOOP
        IF sessions.entomb_1(one.id, 3::smallint, p_now) THEN
            o_evicted := o_evicted || one.id;
        END IF;
    END LOOP;
    INSERT INTO sessions.session (id, owner, seq, version, last_seen, expires, due, record)
    VALUES (p_id, p_owner, nextval('sessions.login'), p_version, p_seen, p_expires, p_expires, p_record)
    ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the id of a new session was taken meanwhile' USING ERRCODE = 'SES03';
    END IF;
    o_outcome := 0;
    -- Last, after every wait for a lock.
    o_at := clock_timestamp();
    IF o_at > p_until THEN
        RAISE EXCEPTION 'a login came too late' USING ERRCODE = 'SES01';
    END IF;
END
$$;

CREATE FUNCTION sessions.end_1(p_id bytea, p_reason smallint, p_now bigint, p_patience integer,
    OUT o_ended bytea[], OUT o_at timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sessions.begin_1(p_patience);
    o_ended := '{}';
    IF sessions.entomb_1(p_id, p_reason, p_now) THEN
        o_ended := ARRAY[p_id];
    END IF;
    o_at := clock_timestamp();
END
$$;

CREATE FUNCTION sessions.end_all_1(p_owner bytea, p_lock integer, p_except bytea, p_reason smallint, p_stamp bigint,
    p_now bigint, p_patience integer, OUT o_ended bytea[], OUT o_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    one record;
BEGIN
    PERFORM sessions.begin_1(p_patience);
    PERFORM pg_advisory_xact_lock(1936028531, p_lock);
    INSERT INTO sessions.revocation AS known (owner, stamp, due) VALUES (p_owner, p_stamp, p_now + 60000)
    ON CONFLICT (owner) DO UPDATE
    SET stamp = greatest(known.stamp, excluded.stamp), due = greatest(known.due, excluded.due);
    o_ended := '{}';
    FOR one IN SELECT id FROM sessions.session WHERE owner = p_owner AND ended IS NULL ORDER BY seq LOOP
        CONTINUE WHEN one.id = p_except;
        IF sessions.entomb_1(one.id, p_reason, p_now) THEN
            o_ended := o_ended || one.id;
        END IF;
    END LOOP;
    o_at := clock_timestamp();
END
$$;

-- Looks at so many rows that are due, and at none that another transaction holds.
CREATE FUNCTION sessions.sweep_1(p_now bigint, p_looks integer, p_patience integer,
    OUT o_freed integer, OUT o_looked integer, OUT o_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    one record;
BEGIN
    PERFORM sessions.begin_1(p_patience);
    o_freed := 0;
    o_looked := 0;
    FOR one IN SELECT id, expires, ended FROM sessions.session WHERE due <= p_now ORDER BY due LIMIT p_looks
        FOR UPDATE SKIP LOCKED
    LOOP
        o_looked := o_looked + 1;
        IF one.expires > p_now THEN
            -- It was prolonged since.
            UPDATE sessions.session SET due = expires WHERE id = one.id;
        ELSE
            PERFORM sessions.look_1(one.id, p_now);
            o_freed := o_freed + 1;
        END IF;
    END LOOP;
    FOR one IN SELECT owner FROM sessions.revocation WHERE due <= p_now ORDER BY due LIMIT p_looks - o_looked
        FOR UPDATE SKIP LOCKED
    LOOP
        o_looked := o_looked + 1;
        -- A tombstone tells that there was a session until a short while ago.
        IF EXISTS (SELECT FROM sessions.session WHERE owner = one.owner
            AND expires > CASE WHEN ended IS NULL THEN p_now - 60000 ELSE p_now END)
        THEN
            UPDATE sessions.revocation SET due = p_now + 60000 WHERE owner = one.owner;
        ELSE
            DELETE FROM sessions.revocation WHERE owner = one.owner;
        END IF;
    END LOOP;
    o_at := clock_timestamp();
END
$$;
