import { randomBytes } from "node:crypto";

import { eq, like } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type ApiScope, formatApiKey, hashApiKey, prefixOfApiKey } from "../core/api-key.ts";
import { decodeEnvelope } from "../core/envelope.ts";
import { type Context, createContext } from "../platform/context.ts";
import { apiKeys, campaigns, campaignVersions, clients, type ClientSettings } from "../platform/postgres/schema.ts";
import { readStopHint } from "../platform/stop-hint.ts";
import { createIsolatedContext } from "../test/support/context.ts";
import { type Cuttable, startCuttable, targetOf, throughWire } from "../test/support/cuttable.ts";
import { type FaultyKinesis, type PutFate, startFaultyKinesis } from "../test/support/faulty-kinesis.ts";
import { makeEvent } from "../test/support/shop-event.ts";
import { readStream } from "../test/support/stream-reader.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { type IngestServer, startIngestServer } from "./server.ts";

/** `direct` sees the stores as they are, the server sees them through wires that can be cut. */
let direct: Context;
let ctx: Context;
let database: Cuttable;
let redis: Cuttable;
let stream: FaultyKinesis;
let fate: PutFate = "pass";
let server: IngestServer;

beforeAll(async () => {
  direct = await createIsolatedContext({ LIVORA_INGEST_PORT: 0, LIVORA_LOG_LEVEL: "silent" });
  const { config } = direct;
  database = await startCuttable(targetOf(config.LIVORA_POSTGRES_URL));
  redis = await startCuttable(targetOf(config.LIVORA_REDIS_URL));
  stream = await startFaultyKinesis(config.LIVORA_KINESIS_URL, () => fate);
  ctx = createContext("test", {
    ...config,
    LIVORA_POSTGRES_URL: throughWire(config.LIVORA_POSTGRES_URL, database),
    LIVORA_REDIS_URL: throughWire(config.LIVORA_REDIS_URL, redis),
    LIVORA_KINESIS_URL: stream.url,
  });
  server = await startIngestServer(ctx);
  await waitUntil(async () => (await fetch(`http://127.0.0.1:${server.port}/readyz`)).status === 200);
});
afterAll(async () => {
  // Whoever reads all campaigns there are should not meet half of one.
  await direct.db.delete(campaignVersions).where(like(campaignVersions.client_id, "edge-%"));
  await direct.db.delete(campaigns).where(like(campaigns.client_id, "edge-%"));
  await server.close();
  await ctx.close();
  await Promise.all([database.close(), redis.close(), stream.close()]);
  await direct.close();
});

interface Client {
  id: string;
  key: string;
}

async function makeClient(settings: ClientSettings = {}, scopes: ApiScope[] = ["ingest"]): Promise<Client> {
  const id = `edge-${randomBytes(4).toString("hex")}`;
  const key = formatApiKey(id, randomBytes(24));
  await direct.db.insert(clients).values({ id, name: id, settings });
  await direct.db
    .insert(apiKeys)
    .values({ client_id: id, key_hash: hashApiKey(key), prefix: prefixOfApiKey(key), scopes });
  return { id, key };
}

interface Accepted {
  offsets: { event_id: string; shard: string; sequence: string; index: number }[];
}

async function send(client: Client, events: object[]) {
  const response = await fetch(`http://127.0.0.1:${server.port}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${client.key}`, "x-client-id": client.id, "content-type": "application/json" },
    body: JSON.stringify(events),
  });
  const answer = (await response.json()) as Partial<Accepted>;
  return { status: response.status, retryAfter: response.headers.get("retry-after"), offsets: answer.offsets ?? [] };
}

const eventsOf = (client: Client, count: number, overrides: object = {}) =>
  Array.from({ length: count }, (_, i) => makeEvent({ client_id: client.id, session_id: `s${i % 7}`, ...overrides }));

/** What lies on the stream, by place. */
async function readPlaces(): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  for (const { shard, sequence, parts } of await readStream(direct.kinesis, direct.config.LIVORA_STREAM_EVENTS)) {
    const events = parts.flatMap(({ data }) => decodeEnvelope(data).events);
    for (const [index, event] of events.entries()) places.set(`${shard} ${sequence} ${index}`, event.toString());
  }
  return places;
}

test("what is answered lies on the stream, byte for byte, where the answer says", async () => {
  const client = await makeClient();
  const requests = Array.from({ length: 30 }, (_, i) => eventsOf(client, 1 + (i % 40)));
  const answers = await Promise.all(requests.map((events) => send(client, events)));
  const places = await readPlaces();
  for (const [i, { status, offsets }] of answers.entries()) {
    expect(status).toBe(202);
    const found = offsets.map(({ shard, sequence, index }) => places.get(`${shard} ${sequence} ${index}`));
    expect(found).toEqual(requests[i]?.map((event) => JSON.stringify(event)));
  }
});

test("a revoked key is refused within seconds", async () => {
  const client = await makeClient();
  expect((await send(client, eventsOf(client, 1))).status).toBe(202);
  await direct.db.update(apiKeys).set({ revoked_at: new Date().toISOString() }).where(eq(apiKeys.client_id, client.id));
  await waitUntil(async () => (await send(client, eventsOf(client, 1))).status === 401, { timeoutMs: 60_000 });
});

test("while the database is away known keys go on, others are told to come back", async () => {
  const [known, unknown] = [await makeClient(), await makeClient()];
  expect((await send(known, eventsOf(known, 1))).status).toBe(202);
  database.cut();
  for (let i = 0; i < 3; i++) {
    expect((await send(known, eventsOf(known, 1))).status).toBe(202);
    const refused = await send(unknown, eventsOf(unknown, 1));
    expect([refused.status, Number(refused.retryAfter) > 0]).toEqual([503, true]);
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  expect((await fetch(`http://127.0.0.1:${server.port}/readyz`)).status).toBe(200);
  database.mend();
  await waitUntil(async () => (await send(unknown, eventsOf(unknown, 1))).status === 202, { timeoutMs: 60_000 });
});

/** How many events get through while many more are sent than may be, within one window. */
async function countTaken(client: Client): Promise<{ taken: number; retryAfter: (string | null)[] }> {
  const answers = await Promise.all(Array.from({ length: 60 }, () => send(client, eventsOf(client, 10))));
  const refused = answers.filter(({ status }) => status === 429);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202, 429]));
  return { taken: (answers.length - refused.length) * 10, retryAfter: refused.map(({ retryAfter }) => retryAfter) };
}

test("a client gets what it may send, and no more; then Retry-After, then again", async () => {
  const client = await makeClient({ events_per_second: 10 });
  // A window of ten seconds, so that a full batch can pass at all: a hundred events.
  const { taken, retryAfter } = await countTaken(client);
  expect(taken).toBe(100);
  for (const seconds of retryAfter) expect(Number(seconds)).toBeGreaterThan(0);
});

test("while Redis is away the limit holds in the process, and events are still taken", async () => {
  const client = await makeClient({ events_per_second: 10 });
  redis.cut();
  expect((await countTaken(client)).taken).toBe(100);
  const other = await makeClient();
  expect((await send(other, eventsOf(other, 1, { event_type: "purchase" }))).status).toBe(202);
  redis.mend();
  await waitUntil(() => ctx.redis.status === "ready");
});

test("an event that may end a journey leaves its hint before the answer", async () => {
  const client = await makeClient();
  await makeCampaign(client, "left_store");
  const person = { user_id: "u 1", anon_id: "a|1" };
  const before = Date.now();
  await send(client, eventsOf(client, 1, { ...person, event_type: "product_view" }));
  expect(await readStopHint(direct.redis, client.id, ["user:u 1", "anon:a|1"])).toBeNull();
  await send(client, eventsOf(client, 1, { ...person, event_type: "purchase" }));
  for (const key of ["user:u 1", "anon:a|1"]) {
    expect(await readStopHint(direct.redis, client.id, [key])).toBeGreaterThanOrEqual(before);
  }
  await waitUntil(async () => {
    await send(client, eventsOf(client, 1, { user_id: "u 2", event_type: "left_store" }));
    return (await readStopHint(direct.redis, client.id, ["user:u 2"])) !== null;
  });
});

async function makeCampaign(client: Client, exitType: string): Promise<void> {
  const campaign = { client_id: client.id, id: "c1", name: "c1", state: "active" as const, draft: {} };
  await direct.db.insert(campaigns).values(campaign);
  const journey = { exit_on: [{ event_type: exitType, where: [], reason: "left" }] };
  await direct.db
    .insert(campaignVersions)
    .values({ client_id: client.id, campaign_id: "c1", version: 1, hash: "x", source: {}, journey });
}

test("a stream that is away is 503 with Retry-After; what it takes later is told of no one, and nothing after is lost", async () => {
  const client = await makeClient();
  fate = "reset-before";
  const events = eventsOf(client, 3);
  const refused = await send(client, events);
  expect([refused.status, Number(refused.retryAfter) > 0]).toEqual([503, true]);
  expect((await fetch(`http://127.0.0.1:${server.port}/readyz`)).status).toBe(200);
  fate = "pass";
  expect((await send(client, events)).status).toBe(202);
  const taken = [...(await readPlaces()).values()];
  for (const event of events) expect(taken).toContain(JSON.stringify(event));
});
