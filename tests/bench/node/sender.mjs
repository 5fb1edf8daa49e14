// The two ways to POST.

const TIMEOUT_MS = 10_000;

/** undici's own interface, on kept connections. */
export class UndiciSender {
  /** @param connections at most, per origin */
  constructor(undici, ca, connections) {
    this.request = undici.request;
    this.agent = new undici.Agent({
      connections,
      pipelining: 1,
      keepAliveTimeout: 60_000,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      connect: { ca, timeout: TIMEOUT_MS },
    });
  }

  /** The response's status. */
  async post(url, headers, body) {
    const { statusCode, body: answer } = await this.request(url, {
      dispatcher: this.agent,
      method: "POST",
      headers,
      body,
    });
    await answer.dump();
    return statusCode;
  }
}

/**
 * What most code uses: the built-in fetch with its global agent, which opens as many connections as it has requests,
 * so the requests at once are limited here. Its authority comes from NODE_EXTRA_CA_CERTS.
 */
export class FetchSender {
  /** @param requests at most, at once */
  constructor(requests) {
    this.free = requests;
    this.waiting = [];
  }

  async post(url, headers, body) {
    if (this.free > 0) this.free--;
    else await new Promise((turn) => this.waiting.push(turn));
    try {
      return await this.fetch(url, headers, body);
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }

  async fetch(url, headers, body) {
    const response = await fetch(url, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.arrayBuffer();
    return response.status;
  }
}
