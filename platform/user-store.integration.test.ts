import { GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { provisionTables } from "../infra/local/provision.ts";
import { LruMap } from "../core/lru.ts";
import { stackConfig } from "../test/support/stack-config.ts";
import { type Context, createContext } from "./context.ts";
import { ABSENT, createUserStore, type ItemKey, type UserStore } from "./user-store.ts";
import { createUserBatch, type ItemCache } from "./user-store-batch.ts";

/** The contract, on the embedded store, and on AWS's own where `LIVORA_DYNAMODB_LOCAL` says where it listens. */
const own = process.env["LIVORA_DYNAMODB_LOCAL"];
const adapters = [["dynalite", undefined] as const, ...(own ? [["DynamoDB Local", own] as const] : [])];

const newCache = (): ItemCache => new LruMap(1000);
const at = (sequence: number, lane = 0) => ({ lane, place: { sequence: String(sequence), index: 0 } });

const keyOf = (owner: string, sort = "ATTR#profile", client = "demo"): ItemKey => ({
  client,
  kind: "USER",
  owner,
  sort,
});

describe.each(adapters)("the user store on %s", (_name, endpoint) => {
  let ctx: Context;
  let store: UserStore;
  let nowMs = Date.now();

  beforeAll(async () => {
    const LIVORA_USER_TABLE = `users-${crypto.randomUUID()}`;
    const config = { ...stackConfig(), LIVORA_USER_TABLE, LIVORA_LEASE_TABLE: `leases-${crypto.randomUUID()}` };
    ctx = createContext("test", endpoint ? { ...config, LIVORA_DYNAMODB_URL: endpoint } : config);
    await provisionTables(ctx.config);
    store = createUserStore(ctx, () => nowMs);
  });
  afterAll(() => ctx.close());

  test("reads what was written, in the order of the keys, and knows what is not there", async () => {
    const keys = Array.from({ length: 230 }, (_, n) => keyOf(`user:read-${n}`));
    for (const key of keys.slice(0, 3))
      expect(await store.replace(key, { ...ABSENT, data: { of: key.owner } })).toBe(true);
    const items = await store.read(keys.toReversed());
    expect(items.map((item) => item.data)).toEqual([
      ...Array.from({ length: 227 }),
      { of: "user:read-2" },
      { of: "user:read-1" },
      { of: "user:read-0" },
    ]);
  });

  test("a key may be asked for several times at once", async () => {
    const [one, two] = [keyOf("user:twice-1"), keyOf("user:twice-2")];
    for (const key of [one, two]) await store.replace(key, { ...ABSENT, data: key.owner });
    const items = await store.read([one, two, { ...one }, one]);
    expect(items.map((item) => item.data)).toEqual(["user:twice-1", "user:twice-2", "user:twice-1", "user:twice-1"]);
  });

  test("a write of what has changed meanwhile is refused", async () => {
    const key = keyOf("user:conflict");
    expect(await store.replace(key, { ...ABSENT, data: 1 })).toBe(true);
    expect(await store.replace(key, { ...ABSENT, data: 2 })).toBe(false);
    const [read = ABSENT] = await store.read([key]);
    expect(read).toMatchObject({ data: 1, version: 1 });
    expect(await store.replace(key, { ...read, data: 3 })).toBe(true);
    expect(await store.replace(key, { ...read, data: 4 })).toBe(false);
    expect((await store.read([key]))[0]).toMatchObject({ data: 3, version: 2 });
  });

  test("tenants and people are held apart, whatever their ids look like", async () => {
    const ids = ["a", "a#USER#b", "a%23USER%23b", "a\nATTR", "ü#", ""];
    const keys = ids.flatMap((client) => ids.map((owner) => keyOf(owner, "ATTR#profile", client)));
    for (const key of keys) expect(await store.replace(key, { ...ABSENT, data: [key.client, key.owner] })).toBe(true);
    const items = await store.read(keys);
    expect(items.map((item) => item.data)).toEqual(keys.map((key) => [key.client, key.owner]));
  });

  test("lists a person's items of one kind only, without those that have expired", async () => {
    nowMs = Date.now();
    const inAnHour = Math.floor(nowMs / 1000) + 3600;
    await store.replace(keyOf("user:list", "SESSION#1"), { ...ABSENT, data: 1, expiresAt: inAnHour });
    await store.replace(keyOf("user:list", "SESSION#2"), { ...ABSENT, data: 2, expiresAt: inAnHour + 10 });
    await store.replace(keyOf("user:list", "CART#1"), { ...ABSENT, data: 3 });
    const sortsOf = async () =>
      (await store.list({ client: "demo", kind: "USER", owner: "user:list" }, "SESSION#")).map(({ sort }) => sort);
    expect(await sortsOf()).toEqual(["SESSION#1", "SESSION#2"]);
    nowMs = inAnHour * 1000 + 1;
    expect(await sortsOf()).toEqual(["SESSION#2"]);
    const [expired = ABSENT] = await store.read([keyOf("user:list", "SESSION#1")]);
    expect(expired).toMatchObject({ data: undefined, version: 1 });
    expect(await store.replace(keyOf("user:list", "SESSION#1"), { ...expired, data: "anew", expiresAt: null })).toBe(
      true,
    );
    expect((await store.read([keyOf("user:list", "SESSION#1")]))[0]?.data).toBe("anew");
    nowMs = Date.now();
  });

  test("finds people by a keyed hash of their address, and keeps no address", async () => {
    const contact = { kind: "email", value: "Asha@Example.com " } as const;
    const index = { hash: store.hashContact(contact), sort: "user:asha" };
    const key = keyOf("user:asha", "ATTR#email");
    await store.replace(key, { ...ABSENT, data: { hash: index.hash }, index });
    const same = { kind: "email", value: "asha@example.com" } as const;
    expect(await store.findOwners("demo", same)).toEqual(["user:asha"]);
    expect(await store.findOwners("another", same)).toEqual([]);
    expect(await store.findOwners("demo", { kind: "phone", value: "asha@example.com" })).toEqual([]);
    // A later write keeps the entry.
    const [read = ABSENT] = await store.read([key]);
    expect(read.index).toEqual(index);
    expect(await store.replace(key, read)).toBe(true);
    expect(await store.findOwners("demo", same)).toEqual(["user:asha"]);
    const raw = await ctx.dynamodb.send(
      new GetItemCommand({
        TableName: ctx.config.LIVORA_USER_TABLE,
        Key: { PK: { S: "CLIENT#demo#USER#user:asha" }, SK: { S: "ATTR#email" } },
      }),
    );
    expect(JSON.stringify(raw.Item).toLowerCase()).not.toContain("asha@");
  });

  test("appends many at once, and the same again changes nothing", async () => {
    const expiresAt = Math.floor(Date.now() / 1000) + 3600;
    const items = Array.from({ length: 60 }, (_, n) => ({
      key: { client: "demo", kind: "SEEN", owner: "minute", sort: `batch-${n}` } as const,
      data: Buffer.from([n]),
      expiresAt,
    }));
    await store.append(items);
    await store.append(items.slice(0, 10));
    const listed = await store.list({ client: "demo", kind: "SEEN", owner: "minute" }, "");
    expect(listed).toHaveLength(60);
    expect(listed.map(({ item }) => [...(item.data as Uint8Array)][0]).toSorted((a = 0, b = 0) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, n) => n),
    );
  });

  test("a batch writes each touched item once, and tried again changes nothing", async () => {
    const key = keyOf("user:batch");
    const apply = async (cache: ItemCache) => {
      const batch = createUserBatch(store, cache);
      await batch.load([key]);
      for (const sequence of [1, 2, 3]) {
        batch.change<number>(key, at(sequence), (before = 0) => ({ data: before + 1 }));
      }
      return batch.flush();
    };
    expect(await apply(newCache())).toEqual({ written: 1, conflicts: 0 });
    expect(await apply(newCache())).toEqual({ written: 0, conflicts: 0 });
    expect((await store.read([key]))[0]).toMatchObject({ data: 3, version: 1 });
  });

  test("changes are made again on what another has written meanwhile", async () => {
    const key = keyOf("user:race");
    const caches = [newCache(), newCache(), newCache()];
    await Promise.all(
      caches.map(async (cache, lane) => {
        for (let sequence = 1; sequence <= 8; sequence++) {
          const batch = createUserBatch(store, cache);
          await batch.load([key]);
          batch.change<number>(key, at(sequence, lane), (before = 0) => ({ data: before + 1 }));
          await batch.flush();
        }
      }),
    );
    expect((await store.read([key]))[0]).toMatchObject({ data: 24, fences: { 0: "8:0", 1: "8:0", 2: "8:0" } });
  });

  test("an event that cannot be processed leaves no trace in the batch", async () => {
    const [first, second] = [keyOf("user:half-1"), keyOf("user:half-2")];
    const batch = createUserBatch(store, newCache());
    await batch.load([first, second]);
    batch.change<string>(first, at(1), () => ({ data: "kept" }));
    batch.change<string>(first, at(2), (before) => ({ data: `${before}, poisoned` }));
    batch.change<string>(second, at(2), () => ({ data: "poisoned" }));
    batch.change<string>(first, at(3), (before) => ({ data: `${before}, kept too` }));
    batch.retract(at(2));
    batch.retract(at(4));
    expect(await batch.flush()).toEqual({ written: 1, conflicts: 0 });
    expect((await store.read([first, second])).map((item) => item.data)).toEqual(["kept, kept too", undefined]);
  });

  test("an item that DynamoDB removed under the cache is made anew", async () => {
    const key = keyOf("user:removed");
    const cache = newCache();
    cache.set("CLIENT#demo#USER#user:removed\nATTR#profile", { ...ABSENT, data: 7, version: 5 });
    const batch = createUserBatch(store, cache);
    await batch.load([key]);
    batch.change<number>(key, at(1), (before = 0) => ({ data: before + 1 }));
    expect(await batch.flush()).toEqual({ written: 1, conflicts: 1 });
    expect((await store.read([key]))[0]).toMatchObject({ data: 1, version: 1 });
  });

  test("the versions that DynamoDB itself compares are numbers", async () => {
    const key = keyOf("user:number");
    await store.replace(key, { ...ABSENT, data: 1 });
    await ctx.dynamodb.send(
      new UpdateItemCommand({
        TableName: ctx.config.LIVORA_USER_TABLE,
        Key: { PK: { S: "CLIENT#demo#USER#user:number" }, SK: { S: "ATTR#profile" } },
        UpdateExpression: "ADD version :one",
        ExpressionAttributeValues: { ":one": { N: "1" } },
      }),
    );
    expect((await store.read([key]))[0]?.version).toBe(2);
  });
});
