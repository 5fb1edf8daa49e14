-- What waits: retries, and deliveries that are parked while their endpoint cannot take them.

-- Most attempts per second to a webhook, over all instances; null: no such limit.
ALTER TABLE webhooks ADD COLUMN max_attempts_per_second integer CHECK (max_attempts_per_second BETWEEN 1 AND 100000);

-- One row per delivery that waits, with all that the next attempt needs: Kafka may have dropped the record by then.
--
-- Rows live from milliseconds to days and are deleted when they end. Free space in each page lets a new due_at be
-- stored beside the old row; the thresholds make autovacuum come after so many dead rows whatever the table's size,
-- so that a queue that was long once does not stay large.
CREATE TABLE delivery_queue (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    due_at           timestamptz NOT NULL,           -- when the next attempt may begin
    record_timestamp timestamptz NOT NULL,
    kafka_offset     bigint NOT NULL,
    body_hash        bigint NOT NULL,                -- XXH3 of the body, as a signed number
    partition        integer NOT NULL,
    attempt          smallint NOT NULL,              -- number of the next attempt, from 1
    webhook_id       text COLLATE "C" NOT NULL,
    user_id          text COLLATE "C" NOT NULL,
    extraction_id    text COLLATE "C" NOT NULL,
    event            text COLLATE "C" NOT NULL,
    event_id         text COLLATE "C" NOT NULL,
    topic            text COLLATE "C" NOT NULL,
    traceparent      text NOT NULL,                  -- empty: none
    tracestate       text NOT NULL,
    body             bytea NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);

-- The order in which an endpoint gets them.
CREATE INDEX delivery_queue_by_endpoint ON delivery_queue (webhook_id, due_at, id);

-- A delivery waits once. Also answers, after a crash or a rebalance: what of a partition waits here?
CREATE UNIQUE INDEX delivery_queue_by_record ON delivery_queue
    (topic, partition, kafka_offset, webhook_id, body_hash);

-- One row per webhook with something in delivery_queue. An instance claims this row, and with it all that waits for the
-- endpoint: so its order, its window and its rate limit hold over all instances, and a million rows of one endpoint
-- are one claim like any other's.
CREATE TABLE queued_endpoints (
    webhook_id text COLLATE "C" PRIMARY KEY,
    user_id    text COLLATE "C" NOT NULL,
    due_at     timestamptz NOT NULL,       -- when there is something to do for it
    not_before timestamptz,                -- the endpoint is left alone until then
    failures   integer NOT NULL DEFAULT 0, -- attempts that failed in a row because of the endpoint
    owner      text COLLATE "C"            -- instance that has claimed it; null: nobody
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE INDEX queued_endpoints_due ON queued_endpoints (due_at) WHERE owner IS NULL;
CREATE INDEX queued_endpoints_owned ON queued_endpoints (owner) WHERE owner IS NOT NULL;

-- Instances that are alive. What one has claimed is free again once its time is over.
CREATE TABLE instances (
    id          text COLLATE "C" PRIMARY KEY,
    alive_until timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- Webhooks that have failed, until an attempt succeeds.
CREATE TABLE failing_webhooks (
    webhook_id     text COLLATE "C" PRIMARY KEY,
    user_id        text COLLATE "C" NOT NULL,
    failing_since  timestamptz NOT NULL,   -- start of the first failed attempt
    last_failed_at timestamptz NOT NULL    -- start of the newest failed attempt
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- What waits for a webhook that is deleted or deactivated is to end soon, not when it would have been due.
CREATE FUNCTION docmap_end_webhook() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE queued_endpoints SET due_at = now(), not_before = NULL WHERE webhook_id = OLD.id;
    DELETE FROM failing_webhooks WHERE webhook_id = OLD.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER webhooks_end_deleted AFTER DELETE ON webhooks
    FOR EACH ROW EXECUTE FUNCTION docmap_end_webhook();
CREATE TRIGGER webhooks_end_deactivated AFTER UPDATE OF active ON webhooks
    FOR EACH ROW WHEN (OLD.active AND NOT NEW.active) EXECUTE FUNCTION docmap_end_webhook();

-- An attempt that was in flight during the deactivation may have failed after it. A webhook that is activated again
-- begins without that.
CREATE FUNCTION docmap_forget_failures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM failing_webhooks WHERE webhook_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER webhooks_activated AFTER UPDATE OF active ON webhooks
    FOR EACH ROW WHEN (NEW.active AND NOT OLD.active) EXECUTE FUNCTION docmap_forget_failures();
