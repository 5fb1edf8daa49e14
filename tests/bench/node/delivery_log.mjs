// The two ways to write delivery rows: many per statement, or one.

const COLUMNS = [
  ["id", "text"],
  ["user_id", "text"],
  ["webhook_id", "text"],
  ["extraction_id", "text"],
  ["event", "text"],
  ["event_id", "text"],
  ["url", "text"],
  ["success", "boolean"],
  ["http_status", "smallint"],
  ["error", "text"],
  ["duration_ms", "integer"],
  ["attempt", "smallint"],
  ["created_at", "timestamptz"],
  ["topic", "text"],
  ["partition", "integer"],
  ["kafka_offset", "bigint"],
  ["body_hash", "bigint"],
];
const NAMES = COLUMNS.map(([name]) => name).join(", ");
const MAX_ROWS = 500;

/** The values of one row, in the order of COLUMNS. */
function values({ id, webhook, event, status, error, started, duration, topic, partition, offset }) {
  return [
    id,
    event.userId,
    webhook.id,
    event.extractionId,
    event.event,
    event.id,
    webhook.url,
    error === null,
    status,
    error,
    duration,
    1,
    new Date(started).toISOString(),
    topic,
    partition,
    offset,
    0,
  ];
}

/** Inserts many rows with one statement: at once while no insert is under way, else what has gathered until then. */
export class BatchedLog {
  constructor(pool) {
    this.pool = pool;
    this.waiting = [];
    this.underWay = 0;
    this.scheduled = false;
    this.statement = {
      name: "insert_deliveries",
      text:
        `INSERT INTO deliveries (${NAMES}) SELECT ` +
        COLUMNS.map(([, type], i) => `unnest($${i + 1}::${type}[])`).join(", "),
    };
  }

  /** Resolves when the row is stored. */
  write(row) {
    return new Promise((stored, failed) => {
      this.waiting.push({ row, stored, failed });
      if (this.waiting.length >= MAX_ROWS) this.flush();
      else if (this.underWay === 0) this.schedule();
    });
  }

  /** Lets the rows of this turn of the event loop come together. */
  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  async flush() {
    const batch = this.waiting;
    this.waiting = [];
    if (batch.length === 0) return;
    const columns = COLUMNS.map(() => new Array(batch.length));
    batch.forEach(({ row }, i) => values(row).forEach((value, column) => (columns[column][i] = value)));
    this.underWay++;
    try {
      await this.pool.query({ ...this.statement, values: columns });
      for (const { stored } of batch) stored();
    } catch (problem) {
      for (const { failed } of batch) failed(problem);
    }
    this.underWay--;
    if (this.underWay === 0 && this.waiting.length > 0) this.schedule();
  }

  close() {
    return this.flush();
  }
}

/** One INSERT per row. */
export class SingleLog {
  constructor(pool) {
    this.pool = pool;
    this.text = `INSERT INTO deliveries (${NAMES}) VALUES (${COLUMNS.map((_, i) => `$${i + 1}`).join(", ")})`;
  }

  /** Resolves when the row is stored. */
  write(row) {
    return this.pool.query(this.text, values(row));
  }

  async close() {}
}
