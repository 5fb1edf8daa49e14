// The same work as docmap-webhookd, as a team would write it in Node.js: consume, look up webhooks, sign both headers,
// POST, write delivery rows, commit. The baseline of tests/run bench; not part of the product.
//
//   node worker.mjs '{"mode": "batched"|"usual", "brokers", "group", "topic", "partitions", "postgres",
//                     "masterKeyFile", "caFile", "inFlight"}'
//
// batched: undici.request on kept connections, rows inserted many at a time. usual: fetch and one INSERT per delivery.
// Prints `ready` when it is a member of the group. SIGTERM ends it after what is in flight.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import process from "node:process";
import { Webhooks } from "./webhooks.mjs";
import { Signer } from "./signer.mjs";
import { BatchedLog, SingleLog } from "./delivery_log.mjs";
import { FetchSender, UndiciSender } from "./sender.mjs";

// The packages lie in the cache folder that tests/run bench installed them into.
const require = createRequire(`${process.env.DOCMAP_NODE_PACKAGES}/package.json`);
const { Kafka, logLevel } = require("kafkajs");
const pg = require("pg");
const undici = require("undici");

const options = JSON.parse(process.argv[2]);
const batched = options.mode === "batched";
const pool = new pg.Pool({ connectionString: options.postgres, max: batched ? 4 : 10 });
const masterKey = Buffer.from(readFileSync(options.masterKeyFile, "ascii").trim(), "hex");
const webhooks = new Webhooks(pool, masterKey);
const log = batched ? new BatchedLog(pool) : new SingleLog(pool);
const ca = readFileSync(options.caFile);
const sender = batched ? new UndiciSender(undici, ca, options.inFlight) : new FetchSender(options.inFlight);
const kafka = new Kafka({ clientId: "node-baseline", brokers: [options.brokers], logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: options.group, sessionTimeout: 30000 });

let serial = 0;
const startId = Date.now().toString(36);

/** One attempt, from signature to its row. */
async function deliver(webhook, event, body, place) {
  webhook.signer ??= new Signer(webhook.secret);
  const started = Date.now();
  const id = `${startId}${(serial++).toString(36).padStart(8, "0")}`;
  const timestamp = Math.floor(started / 1000).toString();
  const headers = {
    "content-type": "application/json",
    "user-agent": "DocMap-Webhooks/node",
    "x-docmap-event": event.event,
    "x-docmap-delivery": id,
    "x-docmap-signature": webhook.signer.docmap(body),
    "webhook-id": event.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": webhook.signer.standard(event.id, timestamp, body),
  };
  let status = null;
  let error = null;
  try {
    status = await sender.post(webhook.url, headers, body);
    if (status < 200 || status > 299) error = `HTTP ${status}`;
  } catch (problem) {
    error = problem.name === "TimeoutError" ? "The operation was aborted due to timeout" : problem.message;
  }
  await log.write({ id, webhook, event, status, error, started, duration: Date.now() - started, ...place });
}

/** All deliveries of one record. */
async function handle(topic, partition, message) {
  const event = JSON.parse(message.value);
  event.id ??= `${topic}-${partition}-${message.offset}`;
  const place = { topic, partition, offset: message.offset };
  const found = webhooks.known(event.userId) ?? (await webhooks.load(event.userId));
  const wanted = found.filter((webhook) => webhook.events.includes(event.event));
  if (wanted.length === 1) return deliver(wanted[0], event, message.value, place);
  await Promise.all(wanted.map((webhook) => deliver(webhook, event, message.value, place)));
}

consumer.on(consumer.events.GROUP_JOIN, () => process.stdout.write("ready\n"));
process.on("SIGTERM", async () => {
  await consumer.disconnect();
  await log.close();
  await pool.end();
  process.exit(0);
});

await consumer.connect();
await consumer.subscribe({ topic: options.topic, fromBeginning: true });
await consumer.run({
  eachBatchAutoResolve: false,
  autoCommitInterval: 1000,
  partitionsConsumedConcurrently: options.partitions,
  eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
    const { topic, partition, messages } = batch;
    // In slices, so that the session stays alive and few promises wait at once.
    for (let begin = 0; begin < messages.length && isRunning() && !isStale(); begin += 256) {
      const slice = messages.slice(begin, begin + 256);
      await Promise.all(slice.map((message) => handle(topic, partition, message)));
      resolveOffset(slice[slice.length - 1].offset);
      await heartbeat();
    }
  },
});
