import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { createDeal } from "../crm/create-deal.ts";
import { ensureClient } from "../crm/ensure-client.ts";
import type { CrmContext } from "../crm/context.ts";
import { moveDeal } from "../crm/move-deal.ts";
import { AppError, isAppError } from "../core/errors.ts";
import { type EnrichSetup, setUpEnrich } from "../test/support/enrich-setup.ts";
import { DEATHS, type RelayTask } from "../test/support/relay-task.ts";
import { createSinkProducer } from "../test/support/sink-producer.ts";
import { readStream } from "../test/support/stream-reader.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { activities, contacts, dealChanges, eventOutbox } from "./postgres/schema.ts";
import { relayEvents } from "./relay-events.ts";
import { createStreamProducer } from "./stream/producer.ts";

const CHILD = new URL("../test/support/relay-child.ts", import.meta.url).pathname;
const closing: (() => Promise<void>)[] = [];
let setup: EnrichSetup;
let folder: string;

beforeAll(async () => {
  setup = await setUpEnrich(closing);
  folder = await mkdtemp(join(tmpdir(), "livora-relay-"));
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  await rm(folder, { recursive: true, force: true });
});

async function addContact() {
  const { db } = setup.ctx;
  const client_id = `relay-${crypto.randomUUID()}`;
  await ensureClient({ db }, { client_id, name: client_id });
  const contact_id = crypto.randomUUID();
  const traits_at = new Date().toISOString();
  await db.insert(contacts).values({ id: contact_id, client_id, person_key: "user:ann", user_id: "ann", traits_at });
  return { client_id, contact_id, deal_id: crypto.randomUUID() };
}

/** As its user does who got no answer: the same again, and then what is new. */
async function makeAndWin({ client_id, contact_id, deal_id }: Omit<RelayTask, "config" | "death">): Promise<void> {
  const principal = { client_id, actor: "test", scopes: ["admin"], request_id: "r-2" };
  const crm = { db: setup.ctx.db, log: setup.ctx.log, principal } as unknown as CrmContext;
  await createDeal(crm, { deal_id, title: "Hundred shirts", contact_id });
  await moveDeal(crm, { id: deal_id, version: 1, stage: "won" }).catch((error: unknown) => {
    if (!isAppError(error, "conflict")) throw error;
  });
}

const owedTo = (client_id: string) =>
  setup.ctx.db.select().from(eventOutbox).where(eq(eventOutbox.client_id, client_id));

test("whichever step kills the process, each change is there once, and each of its events on the stream once", async () => {
  const { config, db, kinesis } = setup.ctx;
  await setup.enrich();
  const deals = await Promise.all(DEATHS.map(async (death) => ({ ...(await addContact()), death })));
  const ends = deals.map(async (deal, index) => {
    const path = join(folder, `${index}.json`);
    await writeFile(path, JSON.stringify({ config, ...deal } satisfies RelayTask));
    const child = spawn(process.execPath, [CHILD, path], { stdio: ["ignore", "ignore", "inherit"] });
    return ((await once(child, "exit")) as [number | null, string | null])[1];
  });
  expect(await Promise.all(ends)).toEqual(DEATHS.map(() => "SIGKILL"));
  const producer = createStreamProducer({ kinesis, stream: config.LIVORA_STREAM_EVENTS });
  closing.push(() => producer.close());
  for (const deal of deals) {
    await makeAndWin(deal);
    // PostgreSQL may take a moment to see that the other relay is dead.
    await waitUntil(
      async () => (await relayEvents({ db, producer }, deal), (await owedTo(deal.client_id)).length === 0),
    );
  }
  const told = ["deal_created", "deal_stage_changed", "deal_won"];
  const isThere = async () => (await setup.enriched()).length >= deals.length * told.length;
  await waitUntil(isThere, { timeoutMs: 60_000 });
  const records = await readStream(kinesis, config.LIVORA_STREAM_EVENTS);
  // Of what was put there before two of the deaths: one event and three are there again.
  expect(records.flatMap(({ parts }) => parts).length).toBeGreaterThanOrEqual(deals.length * told.length + 4);
  const enriched = await setup.enriched();
  for (const { client_id, death, deal_id } of deals) {
    const events = enriched.filter((event) => event.client_id === client_id);
    expect({ death, types: events.map((event) => event.event_type) }).toEqual({ death, types: told });
    const changes = await db.select().from(dealChanges).where(eq(dealChanges.deal_id, deal_id));
    expect(changes.map(({ version, stage }) => [version, stage]).toSorted()).toEqual([
      [1, "lead"],
      [2, "won"],
    ]);
    const story = await db.select().from(activities).where(eq(activities.client_id, client_id));
    expect(story.map(({ type }) => type).toSorted()).toEqual(["deal_created", "deal_won"]);
  }
}, 180_000);

test("what the stream refuses stays owed, in its order; several relays at once put nothing there twice", async () => {
  const { db } = setup.ctx;
  const deal = await addContact();
  await makeAndWin(deal);
  const producer = createSinkProducer();
  producer.fail(new AppError("unavailable", "away"));
  await expect(relayEvents({ db, producer }, deal)).rejects.toThrow("away");
  expect(await owedTo(deal.client_id)).toHaveLength(3);
  producer.fail(null);
  const all = await Promise.all([1, 2, 3, 4].map(() => relayEvents({ db, producer }, deal)));
  expect(all.reduce((sum, n) => sum + n, 0)).toBe(3);
  const types = producer.appended.map(({ data }) => /"event_type":"(\w+)"/.exec(data.toString())?.[1]);
  expect(types).toEqual(["deal_created", "deal_stage_changed", "deal_won"]);
  expect(await relayEvents({ db, producer }, deal)).toBe(0);
});
