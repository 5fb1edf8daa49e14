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
const LINGER_MS = 5;

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

/** Collects rows for at most LINGER_MS and inserts up to MAX_ROWS with one statement. */
export class BatchedLog {
  constructor(pool) {
    this.pool = pool;
    this.waiting = [];
    this.timer = null;
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
      else this.timer ??= setTimeout(() => this.flush(), LINGER_MS);
    });
  }

  async flush() {
    clearTimeout(this.timer);
    this.timer = null;
    const batch = this.waiting;
    this.waiting = [];
    if (batch.length === 0) return;
    const columns = COLUMNS.map(() => new Array(batch.length));
    batch.forEach(({ row }, i) => values(row).forEach((value, column) => (columns[column][i] = value)));
    try {
      await this.pool.query({ ...this.statement, values: columns });
      for (const { stored } of batch) stored();
    } catch (problem) {
      for (const { failed } of batch) failed(problem);
    }
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
