-- The tables of docmap-webhookd.
--
-- Migrations are numbered, run once each in one transaction, and never change after a release: a correction is
-- a new file. `docmap-webhookd migrate` applies them.
--
-- Ids are compared byte by byte (COLLATE "C"): that is what the API's order means, and the cheapest comparison
-- an index can make.

-- API keys. Only the SHA-256 of a key is stored.
CREATE TABLE api_keys (
    id         text COLLATE "C" PRIMARY KEY,
    user_id    text COLLATE "C" NOT NULL,
    name       text NOT NULL,
    key_hash   bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    expires_at timestamptz(3),          -- null: never
    revoked_at timestamptz(3)           -- null: not revoked
);

CREATE INDEX api_keys_by_user ON api_keys (user_id, created_at);

-- Webhooks. Signing secrets are sealed with AES-256-GCM under the master key and bound to the webhook's id.
CREATE TABLE webhooks (
    id                         text COLLATE "C" PRIMARY KEY,
    user_id                    text COLLATE "C" NOT NULL,
    url                        text NOT NULL,
    events                     text[] NOT NULL CHECK (cardinality(events) > 0),
    active                     boolean NOT NULL DEFAULT true,
    secret_sealed              bytea NOT NULL,
    previous_secret_sealed     bytea,   -- during a rotation: signs beside the new one …
    previous_secret_expires_at timestamptz(3), -- … until then
    created_at                 timestamptz(3) NOT NULL DEFAULT now(),
    deactivated_at             timestamptz(3)
);

CREATE INDEX webhooks_by_user ON webhooks (user_id, created_at);

-- Tells every instance of a change, whoever made it: an instance, the command line or a person in psql.
CREATE FUNCTION docmap_notify_webhook_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM pg_notify('docmap_webhooks', '{}');
        RETURN NULL;
    END IF;
    -- A webhook that leaves its user or changes its id is gone where it was.
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND (OLD.user_id, OLD.id) IS DISTINCT FROM (NEW.user_id, NEW.id)) THEN
        PERFORM pg_notify('docmap_webhooks',
            json_build_object('userId', OLD.user_id, 'webhookId', OLD.id, 'removed', true)::text);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM pg_notify('docmap_webhooks',
            json_build_object('userId', NEW.user_id, 'webhookId', NEW.id, 'removed', NOT NEW.active)::text);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER webhooks_notify AFTER INSERT OR UPDATE OR DELETE ON webhooks
    FOR EACH ROW EXECUTE FUNCTION docmap_notify_webhook_change();
CREATE TRIGGER webhooks_notify_truncate AFTER TRUNCATE ON webhooks
    FOR EACH STATEMENT EXECUTE FUNCTION docmap_notify_webhook_change();

-- One row per attempt. A row written again is the same row: its id and start are the attempt's own.
--
-- The primary key serves the API's listing (newest first: read backwards) and makes writing a batch again
-- harmless. Wide columns come first and texts last, so that rows have no padding.
--
-- Partitioned by the attempt's start, one partition per day: dropping a day is free, deleting its rows is not.
-- Day partitions are made before their day begins. The default partition takes what has none, so that no row is
-- ever refused; a day partition cannot be made while the default one holds rows of that day.
CREATE TABLE deliveries (
    created_at      timestamptz NOT NULL,  -- the attempt's start, in whole milliseconds
    next_attempt_at timestamptz,           -- null: final
    kafka_offset    bigint NOT NULL,
    body_hash       bigint NOT NULL,       -- XXH3 of the record's value, as a signed number
    partition       integer NOT NULL,
    duration_ms     integer NOT NULL,
    http_status     smallint,              -- null: no response
    attempt         smallint NOT NULL,     -- from 1
    success         boolean NOT NULL,
    id              text COLLATE "C" NOT NULL,
    user_id         text COLLATE "C" NOT NULL,
    webhook_id      text COLLATE "C" NOT NULL,
    extraction_id   text COLLATE "C" NOT NULL,
    event           text COLLATE "C" NOT NULL,
    event_id        text COLLATE "C" NOT NULL,
    url             text NOT NULL,         -- at the time of the attempt
    topic           text COLLATE "C" NOT NULL,
    error           text,                  -- null on success
    PRIMARY KEY (user_id, created_at, id)
) PARTITION BY RANGE (created_at);

-- After a crash or a rebalance: what is recorded of a partition from an offset on?
CREATE INDEX deliveries_by_record ON deliveries (topic, partition, kafka_offset);

CREATE TABLE deliveries_default PARTITION OF deliveries DEFAULT;

-- Records that break the rules for events, whole.
CREATE TABLE rejected_events (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic            text COLLATE "C" NOT NULL,
    partition        integer NOT NULL,
    kafka_offset     bigint NOT NULL,
    record_timestamp timestamptz,       -- null: the record has none
    key              bytea,
    value            bytea,             -- null: the record has none
    reason           text NOT NULL,
    rejected_at      timestamptz(3) NOT NULL DEFAULT now(),
    replayed_at      timestamptz(3)
);

-- Storing a record again changes nothing. The value's hash is in it because a topic that is made anew uses the
-- same offsets again; a record without a value differs from one with an empty value.
CREATE UNIQUE INDEX rejected_events_by_record ON rejected_events
    (topic, partition, kafka_offset, coalesce(sha256(value), ''::bytea));
