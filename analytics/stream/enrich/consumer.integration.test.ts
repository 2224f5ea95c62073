import { SplitShardCommand } from "@aws-sdk/client-kinesis";
import { eq } from "drizzle-orm";
import { afterEach, expect, test } from "vitest";

import { type Cart, mergeCarts } from "../../../core/cart.ts";
import { decodeEnriched } from "../../../core/enriched-event.ts";
import { encodeEnvelope } from "../../../core/envelope.ts";
import type { Event } from "../../../core/event.ts";
import { anonKey, userKey } from "../../../core/stitch.ts";
import { deadLetters, droppedEvents } from "../../../platform/postgres/schema.ts";
import { createStreamProducer } from "../../../platform/stream/producer.ts";
import { listShards } from "../../../platform/stream/shard-list.ts";
import type { Consumer } from "../../../platform/stream/types.ts";
import { type EnrichSetup, setUpEnrich } from "../../../test/support/enrich-setup.ts";
import { readStream } from "../../../test/support/stream-reader.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { ALIASES, LINK, PROFILE } from "./keys.ts";
import { OK } from "./step.ts";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const idsOf = (events: readonly { event_id: string }[]) => events.map((event) => event.event_id).toSorted();

test("events come out enriched, and into the user store", async () => {
  const { send, enrich, enriched, item } = await setUpEnrich(closing);
  await enrich();
  const sent = await send(
    {
      anon_id: "a-1",
      context: {
        ip: "2001:4860:4860::8888",
        ua: "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
        page: { url: "https://shop.example/sale?utm_source=Newsletter&utm_medium=EMAIL&gclid=x" },
      },
    },
    {
      anon_id: "a-1",
      event_type: "add_to_cart",
      props: { product_id: "SKU-1", price: 10.5, quantity: 2, currency: "INR" },
    },
    {
      anon_id: "a-1",
      user_id: "u-1",
      event_type: "identify",
      props: { email: "a@b.example", name: "Asha", plan: "gold" },
    },
    { anon_id: "a-1", event_type: "add_to_cart", props: { product_id: "SKU-2", price: 1 } },
    { user_id: "u-1", event_type: "page_view", session_id: "s-1" },
  );
  await waitUntil(async () => (await enriched()).length === sent.length);
  const [view, , identify, add, later] = (await enriched()).toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
  expect(view).toMatchObject({
    event_id: sent[0]?.event_id,
    person: { key: "anon:a-1", user_id: null, keys: ["anon:a-1"] },
    geo: { country: "CA", city: "Montreal" },
    ua: { browser: "Chrome", os: "Android", device: "mobile" },
    is_bot: false,
    utm: { source: "newsletter", medium: "email" },
    session: { started_at: sent[0]?.timestamp, landing_page: "https://shop.example/sale", source: "newsletter" },
    request_id: "r-1",
    event: sent[0],
  });
  expect(identify).toMatchObject({
    person: { key: "user:u-1", keys: ["user:u-1", "anon:a-1"] },
    geo: { country: "US" },
  });
  expect(add).toMatchObject({ person: { key: "user:u-1", user_id: "u-1", anon_id: "a-1" } });
  expect(later).toMatchObject({
    person: { keys: ["user:u-1", "anon:a-1"] },
    session: { started_at: sent[0]?.timestamp },
  });
  expect(await item("anon:a-1", LINK)).toMatchObject({ user_id: "u-1" });
  expect(await item("user:u-1", ALIASES)).toMatchObject({ anon_ids: ["a-1"], refused: 0 });
  expect(await item("anon:a-1", "SESSION#s-1")).toMatchObject({ steps: 5, duration_ms: 4_000, person_key: "user:u-1" });
  expect(await item("anon:a-1", "CART#default")).toMatchObject({
    lines: { "SKU-1": { quantity: 2 }, "SKU-2": { quantity: 1 } },
    value: 22,
  });
  const profile = await item("user:u-1", PROFILE);
  expect(profile).toMatchObject({ attributes: { plan: { value: "gold" } }, last_seen_at: sent[4]?.timestamp });
  expect(await item("anon:a-1", PROFILE)).toMatchObject({ last_event_at: { add_to_cart: sent[3]?.timestamp } });
  expect(JSON.stringify(profile)).not.toMatch(/a@b|Asha/);
});

test("a purchase empties the cart under every key of the person, on whatever device it was filled", async () => {
  const { send, enrich, enriched, item } = await setUpEnrich(closing);
  await enrich();
  await send({ anon_id: "phone", session_id: "s-1", event_type: "add_to_cart", props: { product_id: "A", price: 5 } });
  await send({ anon_id: "phone", user_id: "u-1", session_id: "s-1", event_type: "login" });
  await send({ anon_id: "laptop", user_id: "u-1", session_id: "s-2", event_type: "login" });
  await waitUntil(async () => (await enriched()).length === 3);
  expect(await item("anon:phone", "CART#default")).toMatchObject({ value: 5 });
  await send({ anon_id: "laptop", session_id: "s-2", event_type: "purchase", props: { order_id: "1" } });
  await waitUntil(async () => (await enriched()).length === 4);
  const purchase = (await enriched()).find((event) => event.event_type === "purchase");
  expect(purchase?.person.keys.toSorted()).toEqual(["anon:laptop", "anon:phone", "user:u-1"]);
  const carts = await Promise.all((purchase?.person.keys ?? []).map((key) => item(key, "CART#default")));
  expect(mergeCarts(carts.filter((cart) => cart !== undefined) as Cart[])).toMatchObject({ lines: {}, value: 0 });
});

test("a duplicate is dropped, counted and explained, also across batches, restarts and shards", async () => {
  const { ctx, client, send, enrich, enriched } = await setUpEnrich(closing);
  const first = await enrich();
  const [event] = await send({ anon_id: "a-1" });
  await waitUntil(async () => (await enriched()).length === 1);
  await send(event ?? {}, event ?? {});
  const drops = () => ctx.db.select().from(droppedEvents).where(eq(droppedEvents.client_id, client));
  await waitUntil(async () => (await drops()).length === 2);
  await first.stop();
  await enrich();
  // Another session: another lane, and perhaps another shard.
  await send(...["s-2", "s-3", "s-4"].map((session_id) => ({ ...event, session_id })));
  await waitUntil(async () => (await drops()).length >= 5);
  expect((await drops()).map((drop) => drop.source_sequence)).toHaveLength(5);
  expect(await enriched()).toHaveLength(1);
  expect((await drops())[0]).toMatchObject({ event_id: event?.event_id, stage: "dedupe", reason: "duplicate" });
});

test("a crash between effects and checkpoint leaves each effect once", async () => {
  const { send, enrich, enriched, item } = await setUpEnrich(closing, 1);
  const sent = await send(
    ...Array.from({ length: 20 }, (_, n) => ({
      anon_id: "a-1",
      event_type: n % 2 ? "add_to_cart" : "page_view",
      props: { product_id: "P" },
    })),
  );
  let handled = 0;
  const crashing = await crashAfter(enrich, () => ++handled);
  await waitUntil(() => handled > 0);
  await crashing.stop();
  // Everything is done but the checkpoint.
  expect(await item("anon:a-1", "SESSION#s-1")).toMatchObject({ steps: 20 });
  await enrich();
  await send({ anon_id: "a-1" });
  await waitUntil(async () => (await enriched()).length === sent.length + 1);
  expect(await item("anon:a-1", "SESSION#s-1")).toMatchObject({ steps: 21 });
  expect(await item("anon:a-1", "CART#default")).toMatchObject({ lines: { P: { quantity: 10 } } });
});

/** A host that dies each time its handler has done all its work: the checkpoint is never written. */
async function crashAfter(enrich: EnrichSetup["enrich"], onHandled: () => void): Promise<Consumer> {
  return enrich({
    registry: undefined,
    producer: {
      append: async () => {
        onHandled();
        throw new Error("killed before the checkpoint");
      },
      pendingBytes: 0,
      close: async () => {},
    },
  });
}

test("a poison event is tried three times and put aside whole, and holds nobody up", async () => {
  const { ctx, client, send, enrich, enriched, item } = await setUpEnrich(closing, 1);
  let tries = 0;
  const poison = {
    name: "poison",
    run: (draft: { event: Event }) => (draft.event.event_type === "poison" ? fail() : OK),
  };
  const fail = (): never => {
    tries++;
    throw new TypeError("cannot read this");
  };
  const consumer = await enrich({ arrange: (steps) => [...steps.slice(0, -1), poison, ...steps.slice(-1)] });
  const [, poisoned] = await send({ anon_id: "a-1" }, { anon_id: "a-1", event_type: "poison" }, { anon_id: "a-1" });
  await waitUntil(async () => (await enriched()).length === 2);
  expect(tries).toBe(3);
  const letters = await ctx.db.select().from(deadLetters).where(eq(deadLetters.client_id, client));
  expect(letters).toMatchObject([
    {
      stage: "poison",
      reason: "TypeError: cannot read this",
      event_id: poisoned?.event_id,
      attempts: 3,
      state: "open",
    },
  ]);
  expect(JSON.parse(letters[0]?.payload.toString() ?? "")).toEqual(poisoned);
  // It has left no trace, and can be replayed once it is mended.
  expect(await item("anon:a-1", "SESSION#s-1")).toMatchObject({ steps: 2 });
  await consumer.stop();
  await enrich();
  await send(poisoned ?? {});
  await waitUntil(async () => (await enriched()).length === 3);
});

test("what is no envelope, or no event, goes to the dead letters", async () => {
  const { ctx, client, enrich, enriched, send } = await setUpEnrich(closing, 1);
  const producer = createStreamProducer({ kinesis: ctx.kinesis, stream: ctx.config.LIVORA_STREAM_EVENTS });
  const header = { client_id: client, received_at: new Date().toISOString(), request_id: "r" };
  await producer.append(0, Buffer.from("garbage"), 1);
  await producer.append(0, encodeEnvelope(header, [Buffer.from("{"), Buffer.from('{"event_id":"1"}')]), 2);
  const { sequence } = await producer.append(
    0,
    encodeEnvelope({ ...header, received_at: "never" }, [Buffer.from("{}")]),
    1,
  );
  await producer.close();
  await send({});
  await enrich();
  await waitUntil(async () => (await enriched()).length === 1);
  const letters = await ctx.db.select().from(deadLetters).where(eq(deadLetters.client_id, client));
  expect(letters.map((letter) => letter.reason).toSorted()).toEqual(["not JSON", "not an event", "not an event"]);
  expect(letters.every((letter) => letter.stage === "decode" && letter.source_sequence <= sequence)).toBe(true);
});

test("order within a session is kept, and nothing is lost, while shards split under load", async () => {
  const { ctx, send, enrich, enriched, item } = await setUpEnrich(closing, 1);
  await enrich();
  const StreamName = ctx.config.LIVORA_STREAM_EVENTS;
  const sent: Event[] = [];
  for (let round = 0; round < 20; round++) {
    sent.push(...(await send(...Array.from({ length: 8 }, (_, n) => ({ anon_id: `a-${n}`, session_id: `s-${n}` })))));
    if (round !== 6) continue;
    const [shard] = await listShards(ctx.kinesis, StreamName);
    const NewStartingHashKey = (1n << 127n).toString();
    await ctx.kinesis.send(new SplitShardCommand({ StreamName, ShardToSplit: shard?.id, NewStartingHashKey }));
  }
  await waitUntil(async () => (await enriched()).length === sent.length);
  expect(idsOf(await enriched())).toEqual(idsOf(sent));
  expect((await listShards(ctx.kinesis, StreamName)).length).toBe(3);
  const records = await readStream(ctx.kinesis, ctx.config.LIVORA_STREAM_ENRICHED);
  for (let n = 0; n < 8; n++) {
    const ids = records
      .flatMap((record) => record.parts.map(({ data }) => decodeEnriched(data)))
      .filter((event) => event.session_id === `s-${n}`);
    const inOrder = sent.filter((event) => event.session_id === `s-${n}`).map((event) => event.event_id);
    expect(ids.map((event) => event.event_id)).toEqual(inOrder);
    expect(await item(`anon:a-${n}`, `SESSION#s-${n}`)).toMatchObject({ steps: 20 });
  }
});

test("a user has a limit of devices; a link beyond it is refused and told of", async () => {
  const { send, enrich, enriched, item } = await setUpEnrich(closing, 1);
  await enrich();
  const devices = Array.from({ length: 55 }, (_, n) => `d-${n}`);
  await send(...devices.map((anon_id) => ({ anon_id, user_id: "till", event_type: "login" })));
  await waitUntil(async () => (await enriched()).length === devices.length);
  const aliases = (await item(userKey("till"), ALIASES)) as { anon_ids: string[]; refused: number };
  expect(aliases.anon_ids).toHaveLength(50);
  expect(aliases.refused).toBe(5);
  const links = await Promise.all(devices.map((device) => item(anonKey(device), LINK)));
  expect(links.filter((link) => link !== undefined)).toHaveLength(50);
});

test("two processes side by side: every event once", async () => {
  const { send, enrich, enriched } = await setUpEnrich(closing, 2);
  const first = await enrich();
  const second = await enrich();
  const sent: Event[] = [];
  for (let round = 0; round < 30; round++) {
    sent.push(...(await send(...Array.from({ length: 10 }, (_, n) => ({ anon_id: `a-${n}`, session_id: `s-${n}` })))));
    if (round === 10) await first.stop();
  }
  await waitUntil(() => second.shards().length === 2);
  await waitUntil(async () => (await enriched()).length === sent.length);
  expect(idsOf(await enriched())).toEqual(idsOf(sent));
});
