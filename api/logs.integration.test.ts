import { Writable } from "node:stream";

import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";

import { contacts } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { SEED_CAMPAIGN } from "../test/support/seed-campaign.ts";

const lines: string[] = [];
const log = pino({ level: "debug" }, new Writable({ write: (line, _, done) => (lines.push(String(line)), done()) }));
const PERSON = { user_id: "asha@example.com", email: "asha@example.com", phone: "+919812345678", name: "Asha Rao" };
const contact = crypto.randomUUID();

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({}, log);
  const row = { id: contact, client_id: t.ours.client_id, person_key: `user:${PERSON.user_id}`, ...PERSON };
  await t.api.db.insert(contacts).values({ ...row, traits_at: new Date().toISOString() });
});
afterAll(() => t.close());

test("a contact that is read leaves its id in the log, and nothing else of the person", async () => {
  for (const id of [contact, encodeURIComponent(PERSON.user_id)]) {
    expect((await t.call("GET", `/api/v1/contacts/${id}`)).body.phone).toBe(PERSON.phone);
  }
  await t.call("GET", `/api/v1/contacts/${encodeURIComponent("somebody@example.com")}`);
  const logged = lines.join("");
  expect(logged).toContain(`"access":"contact.read","subject":"contact:${contact}"`);
  expect(logged).not.toMatch(/example\.com|9812345678|Asha/);
});

test("neither keys nor what was sent are logged, also when it is refused", async () => {
  await t.call("POST", "/api/v1/campaigns", { body: { ...SEED_CAMPAIGN, name: "a secret plan" } });
  await t.call("POST", "/api/v1/campaigns", { raw: '{"name": "a secret plan"' });
  await t.call("PUT", "/api/v1/templates/email/x", { body: { body: "{% a secret plan" } });
  await t.call("GET", "/api/v1/campaigns", { key: "lv_a-secret-plan_000000000000000000000000" });
  const logged = lines.join("");
  expect(logged).toContain('"audit":"campaign.create","subject":"campaign:camp_123"');
  expect(logged).not.toContain("secret");
  expect(logged).not.toContain(t.ours.api_key);
});

test("a request's id is on every line about it", async () => {
  lines.length = 0;
  await t.call("POST", "/api/v1/campaigns/camp_123/publish", { headers: { "x-request-id": "trace-me" } });
  await expect.poll(() => lines.filter((line) => line.includes('"request_id":"trace-me"')).length).toBe(2);
});
