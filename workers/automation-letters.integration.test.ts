import { randomBytes, randomUUID } from "node:crypto";

import { and, eq, sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { createAutomationConsumer } from "../analytics/stream/automation/consumer.ts";
import { formatApiKey } from "../core/api-key.ts";
import { encodeEnriched, readEnrichment } from "../core/enriched-event.ts";
import { ensureApiKey } from "../crm/ensure-client.ts";
import { deadLetters } from "../platform/postgres/schema.ts";
import { runConsumer } from "../platform/stream/consumer.ts";
import { createStreamProducer } from "../platform/stream/producer.ts";
import { ABSENT, createUserStore } from "../platform/user-store.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { useAutomationScene } from "../test/support/automation-scene.ts";
import { makeEnriched } from "../test/support/enriched-events.ts";
import { createLetterWorkers } from "../test/support/letters-process.ts";
import { waitUntil } from "../test/support/wait-until.ts";

const REPLAYS = "/api/v1/dead-letter-replays";
const scene = useAutomationScene();
const { me, runsOf, sentTo, reaches, cart } = scene;
const closing: (() => Promise<void>)[] = [];
let t: TestApi;
let worker: ReturnType<typeof createLetterWorkers>;
let key = "";
/** A coupon that the database will not have in a run. */
let coupon = "";

beforeAll(async () => {
  const { ctx, client } = scene.shop;
  t = await startTestApi(ctx.config);
  key = formatApiKey(client, randomBytes(24));
  await ensureApiKey(t.api, { client_id: client, api_key: key });
  worker = createLetterWorkers(ctx.config);
  // Whoever reads the stream "enriched"; what a test feeds by hand does not come by it.
  const automation = createAutomationConsumer(ctx, { sweepEveryMs: 500 });
  const consumer = runConsumer(ctx, { ...automation, leaseMs: 1_000 });
  coupon = `bad-${client}`;
  await ctx.db.execute(
    sql.raw(
      `alter table journey_runs add constraint "${coupon}" check (not entry_props @> '{"coupon":"${coupon}"}') not valid`,
    ),
  );
  closing.push(async () => {
    await ctx.db.execute(sql.raw(`alter table journey_runs drop constraint "${coupon}"`));
    await consumer.stop();
    await automation.close();
    await Promise.all([t.close(), worker.close()]);
  });
});
afterEach(() => worker.stop());
afterAll(async () => {
  for (const close of closing) await close();
});

const call = (method: string, path: string, body?: object) => t.call(method, path, { key, ...(body && { body }) });
const PATCH = [{ op: "remove", path: "/props/coupon" }];

/** Somebody fills a cart, and the event is a letter: answers its id. */
async function failToEnter(): Promise<string> {
  await scene.shop.feed([{ type: me.filled, user: me.user, props: { coupon, cart: "k" } }]);
  const { body } = await call("GET", `/api/v1/dead-letters?stage=automation&event_type=${me.filled}`);
  expect(body.dead_letters).toMatchObject([{ kind: "poison", reason: expect.stringContaining("23514") }]);
  expect(await runsOf(`user:${me.user}`)).toEqual([]);
  return body.dead_letters[0].id;
}

async function finished(id: string) {
  await waitUntil(async () => (await call("GET", `${REPLAYS}/${id}`)).body.state === "done", { timeoutMs: 120_000 });
  return (await call("GET", `${REPLAYS}/${id}`)).body;
}

async function replay(letter: string, patch?: object) {
  const { body } = await call("POST", REPLAYS, { selection: { ids: [letter] }, ...(patch && { patch }) });
  return finished(body.id);
}

describe("an event that the journeys could not take", { timeout: 240_000 }, () => {
  test("is patched and replayed, and its person enters once, however often it is replayed", async () => {
    await scene.shop.publish(cart(0.01));
    await worker.start();
    const first = await failToEnter();
    // As it is, it fails again, and is back.
    expect(await replay(first)).toMatchObject({ counts: { failed_again: 1, taken: 0 } });
    const { replayed_as: letter } = (await call("GET", `/api/v1/dead-letters/${first}`)).body;
    expect(await replay(letter, PATCH)).toMatchObject({ counts: { taken: 1, failed_again: 0 } });
    await reaches(`user:${me.user}`, "completed");
    expect(await replay(letter, PATCH)).toMatchObject({ counts: { taken: 0 } });

    // As if somebody had reopened it by hand: the run is long over, and its person might well enter again.
    const { db } = scene.shop.ctx;
    await db.update(deadLetters).set({ state: "open", replay_place: null }).where(eq(deadLetters.id, letter));
    expect(await replay(letter, PATCH)).toMatchObject({ counts: { taken: 1 } });
    const runs = await runsOf(`user:${me.user}`);
    expect(runs).toMatchObject([{ state: "completed", entry_props: { cart: "k" } }]);
    expect(await sentTo(`user:${me.user}`)).toEqual(["reminder"]);
  });

  test("lies on the stream twice where the worker is killed in between, and its person enters once", async () => {
    await scene.shop.publish(cart(0.01));
    const letter = await failToEnter();
    const { body } = await call("POST", REPLAYS, { selection: { ids: [letter] }, patch: PATCH });
    await worker.start("deaf", 0);
    await worker.stop();
    await reaches(`user:${me.user}`, "completed");
    await worker.start();
    expect(await finished(body.id)).toMatchObject({ counts: { taken: 1 } });
    expect(await runsOf(`user:${me.user}`)).toHaveLength(1);
    expect(await sentTo(`user:${me.user}`)).toEqual(["reminder"]);
  });

  test("is known to be somebody's also where its own bytes are broken, and is written anew", async () => {
    await scene.shop.publish(cart(0.01));
    await worker.start();
    const { ctx, client } = scene.shop;
    const person = { key: `user:${me.user}`, user_id: me.user, anon_id: null, keys: [`user:${me.user}`] };
    const event = { event_type: me.filled, user_id: me.user, anon_id: null };
    const sound = { clientId: client, number: 7, timestampMs: Date.now(), enrichment: { person }, event };
    const { enrichment, raw } = readEnrichment(makeEnriched({ ...sound, sourceShard: randomUUID() }))!;
    const producer = createStreamProducer({ kinesis: ctx.kinesis, stream: ctx.config.LIVORA_STREAM_ENRICHED });
    await producer.append(enrichment.lane, encodeEnriched(enrichment, Buffer.from("{nonsense")), 1);
    await producer.close();
    const find = () => call("GET", `/api/v1/dead-letters?stage=automation&event_id=${enrichment.event_id}`);
    await waitUntil(async () => (await find()).body.dead_letters.length === 1);
    const [letter] = (await find()).body.dead_letters;
    expect(letter).toMatchObject({ payload: { data: "{nonsense" }, reason: expect.stringMatching(/^unreadable/) });
    const anew = [{ op: "set", path: "", value: JSON.parse(raw.toString()) }];
    expect(await replay(letter.id, anew)).toMatchObject({ counts: { taken: 1 } });
    await reaches(`user:${me.user}`, "completed");
    expect(await runsOf(`user:${me.user}`)).toHaveLength(1);
  });

  test("begins nothing where its person has bought meanwhile", async () => {
    await scene.shop.publish(cart(0.01));
    await worker.start();
    const letter = await failToEnter();
    await buy();
    expect(await replay(letter, PATCH)).toMatchObject({ counts: { taken: 1 } });
    expect(await runsOf(`user:${me.user}`)).toMatchObject([
      { state: "stopped", reason: "purchase", stopped_by_event_id: "bought", started_at: null },
    ]);
    expect(await sentTo(`user:${me.user}`)).toEqual([]);
    const open = and(eq(deadLetters.client_id, scene.shop.client), eq(deadLetters.state, "open"));
    expect(await scene.shop.ctx.db.$count(deadLetters, open)).toBe(0);
  });
});

/** What the enrichment knows of a purchase, and what the journeys hear of it. */
async function buy(): Promise<void> {
  const at = new Date().toISOString();
  const data = {
    first_seen_at: at,
    last_seen_at: at,
    last_event_at: { purchase: at },
    last_purchase: { event_id: "bought", at },
    attributes: {},
    country: null,
    device: null,
  };
  const owner = `user:${me.user}`;
  const profile = { client: scene.shop.client, kind: "USER" as const, owner, sort: "ATTR#profile" };
  await createUserStore(scene.shop.ctx).replace(profile, { ...ABSENT, data });
  await scene.shop.feed([{ type: "purchase", user: me.user }]);
}
