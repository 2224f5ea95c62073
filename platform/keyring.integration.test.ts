import { randomBytes } from "node:crypto";

import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { formatApiKey, hashApiKey, prefixOfApiKey } from "../core/api-key.ts";
import { createTestContext } from "../test/support/context.ts";
import type { Context } from "./context.ts";
import { createKeyring, type Keyring } from "./keyring.ts";
import type { Database } from "./postgres/database.ts";
import { apiKeys, clients } from "./postgres/schema.ts";

const id = `keyring-${randomBytes(4).toString("hex")}`;
const key = formatApiKey(id, randomBytes(24));
let ctx: Context;
let keyring: Keyring;
let statements = 0;
let isAway = false;

/** Counts what is asked of it, and can be away. */
const watched = {
  select(columns: Parameters<Database["select"]>[0]) {
    statements++;
    if (isAway) throw new Error("away");
    return ctx.db.select(columns as never);
  },
} as unknown as Database;

beforeAll(async () => {
  ctx = createTestContext();
  await ctx.db.insert(clients).values({ id, name: id, settings: { events_per_second: 7 } });
  await ctx.db
    .insert(apiKeys)
    .values({ client_id: id, key_hash: hashApiKey(key), prefix: prefixOfApiKey(key), scopes: ["read"] });
  keyring = createKeyring(watched, ctx.log);
  await keyring.refresh();
});
afterAll(async () => {
  keyring.stop();
  await ctx.close();
});

test("who was looked up is known from then on", async () => {
  expect(keyring.known(key)).toBeUndefined();
  const caller = await keyring.lookUp(key);
  expect(caller).toEqual({ clientId: id, actor: `key:${prefixOfApiKey(key)}`, scopes: ["read"], eventsPerSecond: 7 });
  expect(keyring.known(key)).toEqual(caller);
});

test("a flood of unknown tokens is a handful of statements, and pushes nobody out", async () => {
  const before = statements;
  const tokens = Array.from({ length: 5_000 }, () => formatApiKey(id, randomBytes(24)));
  const answers = await Promise.all([...tokens, ...tokens].map((token) => keyring.lookUp(token)));
  expect(new Set(answers)).toEqual(new Set([null]));
  expect(statements - before).toBeLessThanOrEqual(8);
  expect(keyring.known(key)).toBeDefined();
});

test("while the database is away who is known stays so, and others are told to come back", async () => {
  isAway = true;
  await keyring.refresh();
  expect(keyring.known(key)).toBeDefined();
  await expect(keyring.lookUp(`${key}x`)).rejects.toMatchObject({ code: "unavailable" });
  isAway = false;
  expect(await keyring.lookUp(`${key}x`)).toBeNull();
});

test("more than can wait are told to come back", async () => {
  const asked = Array.from({ length: 20_000 }, () => keyring.lookUp(formatApiKey(id, randomBytes(24))));
  const answers = await Promise.allSettled(asked);
  const refused = answers.filter((answer) => answer.status === "rejected");
  expect(refused.length).toBeGreaterThan(5_000);
  for (const { reason } of refused.slice(0, 3)) expect(reason).toMatchObject({ code: "unavailable" });
});

test("what was revoked is forgotten at the next look", async () => {
  await ctx.db
    .update(apiKeys)
    .set({ revoked_at: sql`now()` })
    .where(eq(apiKeys.client_id, id));
  await keyring.refresh();
  expect(keyring.known(key)).toBeUndefined();
  expect(await keyring.lookUp(key)).toBeNull();
});
