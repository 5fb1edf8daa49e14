// Both signatures of a webhook, with the keys prepared once.
import { createHmac, createSecretKey } from "node:crypto";

export class Signer {
  /** @param {string} secret 64 hex characters, as issued */
  constructor(secret) {
    this.plainKey = createSecretKey(secret, "ascii");
    this.standardKey = createSecretKey(Buffer.from(secret, "base64"));
  }

  /** The value of X-DocMap-Signature. */
  docmap(body) {
    return `sha256=${createHmac("sha256", this.plainKey).update(body).digest("hex")}`;
  }

  /** The value of webhook-signature. */
  standard(id, timestamp, body) {
    const mac = createHmac("sha256", this.standardKey).update(`${id}.${timestamp}.`).update(body);
    return `v1,${mac.digest("base64")}`;
  }
}
