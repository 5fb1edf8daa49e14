-- Replays: past events that are put into delivery_queue once more. What a replay has done so far is stored in the
-- transaction that queues the deliveries, so that an interrupted one goes on where it was.
--
-- These rows are updated several times a second while a replay runs; free space in their pages keeps each new version
-- beside the old one.
CREATE TABLE replays (
    id          text COLLATE "C" PRIMARY KEY,
    filter      jsonb NOT NULL,
    counts      jsonb NOT NULL,
    started_at  timestamptz(3) NOT NULL DEFAULT now(),
    finished_at timestamptz(3)          -- null: running, or interrupted
) WITH (fillfactor = 50);

-- What a replay reads of a partition: from first_offset up to end_offset, which is not read. It has come to next_offset.
CREATE TABLE replay_positions (
    first_offset bigint NOT NULL,
    next_offset  bigint NOT NULL,
    end_offset   bigint NOT NULL,
    partition    integer NOT NULL,
    replay_id    text COLLATE "C" NOT NULL REFERENCES replays ON DELETE CASCADE,
    topic        text COLLATE "C" NOT NULL,
    PRIMARY KEY (replay_id, topic, partition)
) WITH (fillfactor = 50);
