import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { deliveryId } from "../core/delivery.ts";
import { explainedRunSchema } from "../crm/explain-run.ts";
import { activities, contacts, deadLetters, deliveries, journeyRuns } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { SEED_CAMPAIGN as CAMPAIGN } from "../test/support/seed-campaign.ts";

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi();
  await t.call("POST", "/api/v1/campaigns", { body: CAMPAIGN });
});
afterAll(() => t.close());

describe("what happened", () => {
  const contact = crypto.randomUUID();
  const runs = Array.from({ length: 5 }, () => crypto.randomUUID());

  beforeAll(async () => {
    const { client_id } = t.ours;
    const base = { client_id, person_key: "user:auth|1", request_id: "r" };
    await t.api.db.insert(contacts).values({
      id: contact,
      client_id,
      person_key: "user:auth|1",
      user_id: "auth|1",
      email: "a@example.com",
      traits_at: new Date().toISOString(),
    });
    for (const [at, id] of runs.entries()) {
      await t.api.db.insert(journeyRuns).values({
        ...base,
        id,
        campaign_id: "camp_123",
        version: 1,
        workflow_id: `w-${id}`,
        person_keys: ["user:auth|1"],
        entry_event_id: crypto.randomUUID(),
        state: "stopped",
        reason: "purchase",
        // Two at the same moment: the order must hold all the same.
        entered_at: `2026-11-21T10:00:0${Math.min(at, 3)}.123456Z`,
        ended_at: "2026-11-21T11:00:00Z",
      });
      await t.api.db.insert(deliveries).values({
        ...base,
        id: deliveryId(id, "message-1"),
        campaign_id: "camp_123",
        version: 1,
        run_id: id,
        node_id: "message-1",
        contact_id: contact,
        channel: "whatsapp",
        template: "reminder",
        state: at === 0 ? "skipped" : "delivered",
        reason: at === 0 ? "no_phone" : null,
        history: [{ state: "reserved", at: "2026-11-21T10:00:00Z" }],
      });
    }
    await t.api.db.insert(activities).values({
      id: crypto.randomUUID(),
      client_id,
      contact_id: contact,
      person_key: "user:auth|1",
      type: "message.delivered",
      metadata: { channel: "whatsapp" },
      ts: "2026-11-21T10:00:00Z",
    });
    await t.api.db.insert(deadLetters).values({
      id: crypto.randomUUID(),
      client_id,
      stage: "enrich",
      reason: "broken",
      payload: Buffer.from([0xff, 0xfe]),
      source_shard: "s",
      source_sequence: "1",
      source_index: 0,
      attempts: 3,
    });
  });

  test("deliveries come a page at a time, each once, with state, reason and history", async () => {
    const seen: { id: string; state: string; reason: string | null }[] = [];
    for (let cursor = ""; ;) {
      const { body } = await t.call("GET", `/api/v1/campaigns/camp_123/deliveries?limit=2${cursor}`);
      seen.push(...body.deliveries);
      if (body.next_cursor === null) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(seen.map((item) => item.id).toSorted()).toEqual(runs.map((id) => deliveryId(id, "message-1")).toSorted());
    expect(seen.at(-1)).toMatchObject({
      state: "skipped",
      reason: "no_phone",
      channel: "whatsapp",
      template: "reminder",
      history: [{ state: "reserved", at: "2026-11-21T10:00:00.000Z" }],
    });
    const { body } = await t.call("GET", "/api/v1/campaigns/camp_123/deliveries?state=skipped&channel=whatsapp");
    expect(body.deliveries).toHaveLength(1);
  });

  test("runs come in the order of their entries, also those of one moment", async () => {
    const first = await t.call("GET", "/api/v1/campaigns/camp_123/runs?limit=4");
    const rest = await t.call("GET", `/api/v1/campaigns/camp_123/runs?cursor=${first.body.next_cursor}`);
    const ids = [...first.body.runs, ...rest.body.runs].map((run) => run.id);
    expect(ids.toSorted()).toEqual(runs.toSorted());
    expect(ids.slice(2)).toEqual([runs[2], runs[1], runs[0]]);
  });

  test("a run that has ended says why, without Temporal", async () => {
    const { body } = await t.call("GET", `/api/v1/runs/${runs[0]}`);
    expect(body).toMatchObject({ state: "stopped", deliveries: [{ state: "skipped" }] });
    expect(body.where).toMatchObject({ source: "projection", why: "stopped at 2026-11-21T11:00:00.000Z: purchase" });
    expect(JSON.stringify(body)).not.toContain("auth|1");
    expect(explainedRunSchema.strict().parse(body)).toEqual(body);
  });

  test.each([contact, "auth%7C1"])("a contact is found as %s, and its activities", async (id) => {
    expect((await t.call("GET", `/api/v1/contacts/${id}`)).body).toMatchObject({ id: contact, email: "a@example.com" });
    const { body } = await t.call("GET", `/api/v1/contacts/${id}/activities`);
    expect(body.activities).toMatchObject([{ type: "message.delivered", ts: "2026-11-21T10:00:00.000Z" }]);
  });

  test("dead letters are shown whole, whatever their bytes", async () => {
    const { body } = await t.call("GET", "/api/v1/dead-letters");
    expect(body.dead_letters).toMatchObject([{ stage: "enrich", payload: { encoding: "base64", data: "//4=" } }]);
  });

  test.each(["/contacts/auth%7C1", `/runs/${runs[0]}`, "/campaigns/camp_123", "/campaigns/camp_123/deliveries"])(
    "another client finds nothing at %s",
    async (path) => {
      const { status } = await t.call("GET", `/api/v1${path}`, { key: t.theirs.api_key });
      expect(status).toBe(404);
    },
  );

  test("another client's lists are empty", async () => {
    for (const [path, list] of Object.entries({ "/campaigns": "campaigns", "/dead-letters": "dead_letters" })) {
      expect((await t.call("GET", `/api/v1${path}`, { key: t.theirs.api_key })).body[list]).toEqual([]);
    }
  });
});
