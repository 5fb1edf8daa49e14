// The users' webhooks, kept in memory once looked up; their secrets opened once.
import { createDecipheriv } from "node:crypto";

const QUERY = {
  name: "webhooks_of_user",
  text: "SELECT id, url, events, secret_sealed FROM webhooks WHERE active AND user_id = $1 ORDER BY created_at, id",
};

export class Webhooks {
  constructor(pool, masterKey) {
    this.pool = pool;
    this.masterKey = masterKey;
    this.users = new Map();
    this.loading = new Map();
  }

  /** The user's webhooks where they are in memory. */
  known(userId) {
    return this.users.get(userId);
  }

  /** The user's webhooks from the database; one query per user, however many ask. */
  load(userId) {
    let pending = this.loading.get(userId);
    if (!pending) {
      pending = this.query(userId).finally(() => this.loading.delete(userId));
      this.loading.set(userId, pending);
    }
    return pending;
  }

  async query(userId) {
    const { rows } = await this.pool.query({ ...QUERY, values: [userId] });
    const found = rows.map((row) => ({
      id: row.id,
      url: row.url,
      events: row.events,
      secret: this.open(row.secret_sealed, row.id),
    }));
    this.users.set(userId, found);
    return found;
  }

  /** Version (1 byte), nonce (12), ciphertext, tag (16): AES-256-GCM bound to the webhook's id. */
  open(sealed, webhookId) {
    const decipher = createDecipheriv("aes-256-gcm", this.masterKey, sealed.subarray(1, 13));
    decipher.setAAD(Buffer.from(webhookId));
    decipher.setAuthTag(sealed.subarray(sealed.length - 16));
    const text = decipher.update(sealed.subarray(13, sealed.length - 16));
    return Buffer.concat([text, decipher.final()]).toString("ascii");
  }
}
