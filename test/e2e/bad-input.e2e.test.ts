import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, expect, it } from "vitest";

import { type Livora, startLivora } from "../support/livora.ts";
import { cartCampaign, pauseOthers, publishCampaign } from "../support/livora-campaign.ts";
import { findInLogs } from "../support/livora-logs.ts";
import { createPerson, postEvents } from "../support/livora-person.ts";
import { gatherEvidence, withPostgres } from "../support/oracle-evidence.ts";
import { waitUntil } from "../support/wait-until.ts";

/** In every hostile body: it must be in no log. */
const MARK = `mark-${randomUUID()}`;
const SQL = `'); drop table deliveries; -- ${MARK}`;
const TEMPLATE = `{{ 7 | times: 7 }}{% include "x" %}\${7*7}<script>${MARK}</script>`;

let livora: Livora;
beforeAll(async () => {
  livora = await startLivora();
});
afterAll(() => livora?.tearDown());

const event = (fields: object = {}) => ({
  event_id: randomUUID(),
  timestamp: new Date().toISOString(),
  client_id: livora.client_id,
  session_id: `sess|${MARK}`,
  event_type: "product_view",
  props: { note: MARK },
  ...fields,
});
const text = (fields: object = {}) => JSON.stringify(event(fields));

const REFUSED: [string, number, string, () => string | Uint8Array, Record<string, string>?][] = [
  ["half a JSON text", 400, "", () => text().slice(0, -5)],
  ["nothing", 400, "", () => ""],
  ["a number", 400, "", () => "42"],
  ["no events", 400, "", () => '{"events":[]}'],
  [
    "broken UTF-8",
    400,
    "",
    () =>
      Buffer.concat([Buffer.from(text().replace(/\}\}$/, ',"x":"')), Buffer.from([0xc3, 0x28]), Buffer.from('"}}')]),
  ],
  [
    "nesting without end",
    400,
    "",
    () => text({ props: { note: MARK } }).replace(`"${MARK}"`, `${"[".repeat(100_000)}${"]".repeat(100_000)}`),
  ],
  [
    "nesting a little too deep",
    400,
    "/props",
    () => text().replace(/"note":"[^"]*"/, `"a":${"[".repeat(40)}${"]".repeat(40)}`),
  ],
  ["the key __proto__", 400, "/props/__proto__", () => text().replace('"note"', '"__proto__"')],
  [
    "the key __proto__ in disguise",
    400,
    "/props/__proto__",
    () => text().replace('"note"', String.raw`"\u005f_proto__"`),
  ],
  ["101 events", 400, "", () => JSON.stringify(Array.from({ length: 101 }, () => event()))],
  [
    "a clock an hour and more ahead",
    400,
    "/timestamp",
    () => text({ timestamp: new Date(Date.now() + 3_700_000).toISOString() }),
  ],
  ["a time that is none", 400, "/timestamp", () => text({ timestamp: "yesterday" })],
  ["an event_id that is none", 400, "/event_id", () => text({ event_id: SQL })],
  ["a control character in an id", 400, "/user_id", () => text({ user_id: "a\u0000b" })],
  ["another client's event", 403, "/client_id", () => text({ client_id: "somebody-else" })],
  ["a body larger than is allowed", 413, "", () => JSON.stringify(event({ props: { note: MARK.repeat(200_000) } }))],
  ["an event larger than is allowed", 413, "", () => JSON.stringify(event({ props: { note: "x".repeat(300_000) } }))],
  [
    "an archive that is a bomb",
    413,
    "",
    () => gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20)),
    { "content-encoding": "gzip" },
  ],
  ["an archive that is none", 400, "", () => text(), { "content-encoding": "gzip" }],
  ["a form", 415, "", () => "a=b", { "content-type": "application/x-www-form-urlencoded" }],
];

it.for(REFUSED)("answers %s with %i and says where: '%s'", async ([, status, path, body, headers]) => {
  const answer = await postEvents(livora, body(), headers);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  const { errors: faults = [{ path: "" }] } = JSON.parse(answer.text) as { errors?: { path: string }[] };
  expect(faults.map((fault) => fault.path)).toContainEqual(expect.stringMatching(new RegExp(`^${path}`)));
  expect(answer.text).not.toContain(MARK);
});

it("takes nothing of a request of which one event is wrong, and names the one", async () => {
  const ids: string[] = [randomUUID(), randomUUID()];
  const answer = await postEvents(livora, [event({ event_id: ids[0] }), event({ event_id: ids[1], event_type: 7 })]);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text)).toMatchObject({ errors: [{ index: 1, path: "/event_type" }] });
  const after = await createPerson(livora).post("page_view");
  await waitUntil(async () => (await lakeIds()).includes(after), { what: "an event sent afterwards" });
  expect((await lakeIds()).filter((id) => ids.includes(id))).toEqual([]);
});

it("counts an id that comes twice in one batch once, and explains the other", async () => {
  const event_id = randomUUID();
  expect((await postEvents(livora, [event({ event_id }), event({ event_id })])).status).toBe(202);
  await waitUntil(async () => (await gatherEvidence(livora)).dropped.some((drop) => drop.event_id === event_id), {
    what: "the drop",
  });
  await waitUntil(async () => (await lakeIds()).includes(event_id), { what: "the event" });
  const { lake, dropped } = await gatherEvidence(livora);
  expect(lake.filter((row) => row.event_id === event_id)).toHaveLength(1);
  expect(dropped.filter((drop) => drop.event_id === event_id)).toMatchObject([{ reason: "duplicate" }]);
});

it("keeps what looks like SQL or a template as it came, and runs neither", async () => {
  await pauseOthers(livora);
  await publishCampaign(
    livora,
    cartCampaign("hostile", [
      { channel: "whatsapp", delayMs: 500 },
      { channel: "email", delayMs: 1_000 },
    ]),
  );
  const person = createPerson(livora);
  await person.post("identify", { email: person.email, phone: person.phone, name: TEMPLATE, note: SQL });
  const cart = await person.post("add_to_cart", {
    cart_id: SQL,
    constructor: { prototype: { polluted: true } },
    toString: TEMPLATE,
  });
  const reminder = await person.waitForMessage("whatsapp");
  const coupon = await person.waitForMessage("email");
  for (const message of [reminder, coupon]) expect(`${message.subject}${message.body}`).not.toContain("49");
  expect(coupon.body).not.toContain("<script>");
  await waitUntil(async () => (await lakeIds()).includes(cart), { what: "the cart in the lake" });
  const row = (await gatherEvidence(livora)).lake.find(({ event_id }) => event_id === cart);
  expect(JSON.parse(row?.raw ?? "{}")).toMatchObject({ props: { cart_id: SQL, toString: TEMPLATE } });
  expect(
    await withPostgres(livora.postgres, (sql) => sql`select count(*)::int as count from deliveries`),
  ).toMatchObject([{ count: 2 }]);
  expect(findInLogs(livora, [person.email, person.phone])).toEqual([]);
});

it("sends nobody to the dead letters for any of it, and writes neither bodies nor keys into its logs", async () => {
  expect((await gatherEvidence(livora)).deadLetters).toEqual([]);
  expect(findInLogs(livora, [MARK, livora.endpoints.api_key])).toEqual([]);
});

const lakeIds = async () => (await gatherEvidence(livora)).lake.map((row) => row.event_id);
