import { connect } from "node:net";
import { gzipSync } from "node:zlib";

import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { MAX_BATCH, MAX_DEPTH } from "../core/event.ts";
import { type Edge, startEdge } from "../test/support/edge.ts";
import { makeEvent } from "../test/support/shop-event.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());
beforeEach(() => {
  edge.sink.appended.length = 0;
  edge.logged.length = 0;
});

const event = () => JSON.stringify(makeEvent());
/** An event whose props nest so deep. */
const nested = (depth: number) =>
  makeEvent({ props: JSON.parse(`${'{"a":'.repeat(depth - 2)}{}${"}".repeat(depth - 2)}`) });
const withProps = (json: string) => event().replace(/"props":\{[^}]*\}/, `"props":${json}`);

test.each([
  ["nothing", ""],
  ["white space", "  \n"],
  ["half an object", '{"event_id":'],
  ["a word", "hello"],
  ["two values", `${event()}${event()}`],
  ["a trailing comma", `[${event()},]`],
  ["a comment", `[/* one */${event()}]`],
  ["single quotes", "{'event_id': 1}"],
  ["NaN", withProps('{"price":NaN}')],
  ["a raw control character", withProps('{"a":"\u0001"}')],
  ["a byte order mark", `\ufeff${event()}`],
  ["a hundred thousand brackets", "[".repeat(100_000)],
  ["a hundred thousand brackets, closed", "[".repeat(100_000) + "]".repeat(100_000)],
  ["deep objects, closed", withProps('{"a":'.repeat(50_000) + "1" + "}".repeat(50_000))],
  ["a string", '"event"'],
  ["a number", "1"],
  ["null", "null"],
  ["no events", "[]"],
  ["no events, wrapped", '{"events":[]}'],
  ["events that are no list", '{"events":{}}'],
  ["a list in the list", `[[${event()}]]`],
  ["null in the list", `[${event()},null]`],
])("%s is 400 with a fault, and nothing is taken", async (_name, body) => {
  const { status, answer } = await edge.post(body);
  expect(status).toBe(400);
  expect(answer.errors?.length).toBeGreaterThan(0);
  for (const fault of answer.errors ?? [])
    expect(fault).toMatchObject({ path: expect.any(String), reason: expect.any(String) });
  expect(edge.taken()).toEqual([]);
});

test("UTF-8 that is broken is 400, in a batch of whole ones too; whole UTF-8 is taken byte for byte", async () => {
  const broken = Buffer.from(`[${event()},${withProps('{"name":"\u00fe"}')}]`, "latin1");
  expect((await edge.post(broken)).status).toBe(400);
  for (const bytes of ["c0af", "eda080", "f4908080", "e282"]) {
    expect((await edge.post(Buffer.from(`22${bytes}22`, "hex"))).status).toBe(400);
  }
  expect(edge.taken()).toEqual([]);
  const whole = withProps('{"name":"कपड़े 👕 é"}');
  expect((await edge.post(`[${whole}, ${event()}]`)).status).toBe(202);
  expect(edge.taken()[0]).toBe(whole);
});

test(`${MAX_BATCH + 1} events are refused, ${MAX_BATCH} are taken`, async () => {
  const { status, answer } = await edge.post(Array.from({ length: MAX_BATCH + 1 }, () => makeEvent()));
  expect([status, answer.errors?.[0]?.reason]).toEqual([400, `more than ${MAX_BATCH} events`]);
  expect((await edge.post(Array.from({ length: MAX_BATCH }, () => makeEvent()))).status).toBe(202);
});

test("prototype keys are refused wherever they hide, naming their path", async () => {
  const spellings = ['"__proto__"', '"\\u005f_proto__"', '"__proto\\u005F_"'];
  for (const key of spellings) {
    const { status, answer } = await edge.post(`[${event()},${withProps(`{"a/b":[{${key}:{"admin":true}}]}`)}]`);
    expect(status).toBe(400);
    expect(answer.errors).toEqual([{ index: 1, path: "/props/a~1b/0/__proto__", reason: expect.any(String) }]);
  }
  expect(({} as Record<string, unknown>).admin).toBeUndefined();
  const harmless = withProps('{"text":"__proto__ \\u005f","constructor":"Ferrari"}');
  expect((await edge.post(harmless)).status).toBe(202);
  expect(edge.taken()).toEqual([harmless]);
});

test("nesting is taken to the limit and refused beyond it, naming where", async () => {
  expect((await edge.post(nested(MAX_DEPTH))).status).toBe(202);
  const { status, answer } = await edge.post([makeEvent(), nested(MAX_DEPTH + 1)]);
  expect(status).toBe(400);
  expect(answer.errors).toEqual([
    { index: 1, path: `/props${"/a".repeat(MAX_DEPTH - 1)}`, reason: `nested deeper than ${MAX_DEPTH}` },
  ]);
});

const minutes = (count: number) => new Date(Date.now() + count * 60_000).toISOString();

test.each([
  ["now", minutes(0), 202],
  ["a clock somewhat ahead", minutes(59), 202],
  ["a clock far ahead", minutes(61), 400],
  ["next year", "2099-01-01T00:00:00Z", 400],
  ["ten years ago", "2016-05-01T12:00:00+05:30", 202],
  ["before there were computers", "1869-01-01T00:00:00Z", 400],
  ["29 February in a common year", "2025-02-29T10:00:00Z", 400],
  ["31 June", "2025-06-31T10:00:00Z", 400],
  ["no zone", "2025-06-30T10:00:00", 400],
  ["a number", 1_700_000_000_000, 400],
])("a timestamp of %s", async (_name, timestamp, expected) => {
  const { status, answer } = await edge.post(makeEvent({ timestamp }));
  expect(status).toBe(expected);
  expect(answer.errors?.map(({ path }) => path)).toEqual(expected === 202 ? undefined : ["/timestamp"]);
});

test("every fault of every event is named at once, and the good ones among them are not taken", async () => {
  const { status, answer } = await edge.post([
    makeEvent({ event_id: "no", timestamp: "yesterday" }),
    makeEvent(),
    makeEvent({ event_type: "", props: [], user_id: "a\u0000b" }),
    makeEvent({ session_id: null, anon_id: null, user_id: null, timestamp: "2099-01-01T00:00:00Z" }),
  ]);
  expect(status).toBe(400);
  expect(new Set(answer.errors?.map(({ index, path }) => `${index}${path}`))).toEqual(
    new Set(["0/event_id", "0/timestamp", "2/event_type", "2/props", "2/user_id", "3/session_id", "3/timestamp"]),
  );
  expect(edge.taken()).toEqual([]);
});

const INJECTIONS = [
  "'; DROP TABLE contacts; --",
  "{{ 7 | times: 7 }}",
  "{% include 'x' %}",
  "${7*7}",
  "<script>alert(1)</script>",
  "%00",
  "../../etc/passwd",
];

test("what looks like SQL or a template is data: taken as it is, logged nowhere", async () => {
  for (const text of INJECTIONS) {
    const event = makeEvent({ user_id: text, session_id: text, event_type: text, props: { [text]: text } });
    expect((await edge.post(event)).status).toBe(202);
    expect(edge.taken().at(-1)).toBe(JSON.stringify(event));
  }
  expect(edge.logged.join("")).not.toContain("DROP TABLE");
});

test("neither payloads nor tokens reach the log, nor does the body come back in an answer", async () => {
  const secret = { email: "asha@example.com", card: "4111111111111111" };
  await edge.post(makeEvent({ props: secret }));
  await edge.post(makeEvent({ timestamp: "never", props: secret, user_id: "asha" }));
  const { answer } = await edge.post(`{"email":"asha@example.com" nonsense`);
  await edge.post(makeEvent(), { authorization: "Bearer lv_nobody_1" });
  expect(edge.logged.length).toBe(4);
  expect(edge.logged.join("") + JSON.stringify(answer)).not.toMatch(/asha|4111|lv_demo_1|lv_nobody|SKU-001/);
});

test("a sender that goes away half-way is a refusal like any other, and no error of ours", async () => {
  const { port } = new URL(edge.url);
  const socket = connect(Number(port), "127.0.0.1");
  const head = "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer lv_demo_1\r\nx-client-id: demo\r\n";
  socket.write(`${head}content-type: application/json\r\ncontent-length: 1000\r\n\r\n[{"event_id":`);
  setTimeout(() => socket.destroy(), 50);
  await vi.waitFor(() => expect(edge.logged).toHaveLength(1), { timeout: 60_000 });
  expect(JSON.parse(edge.logged[0] ?? "")).toMatchObject({ level: 40, status: 400 });
  expect((await edge.post(makeEvent())).status).toBe(202);
});

test("any bytes whatever get a clear answer, and the edge lives on", async () => {
  const piece = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    '"',
    ",",
    ":",
    "\\",
    "events",
    '"events":[',
    "null",
    "1e999",
    "\u0000",
    "é",
    " ",
    event(),
  );
  const bodies = fc.oneof(
    fc.array(piece, { minLength: 1, maxLength: 20 }).map((parts) => Buffer.from(parts.join(""))),
    fc.uint8Array({ minLength: 1 }).map(Buffer.from),
  );
  await fc.assert(
    fc.asyncProperty(bodies, fc.boolean(), async (body, zipped) => {
      const { status } = await edge.post(zipped ? gzipSync(body) : body, zipped ? { "content-encoding": "gzip" } : {});
      expect([202, 400, 403]).toContain(status);
    }),
    { numRuns: 300 },
  );
  expect((await edge.post(makeEvent())).status).toBe(202);
});
