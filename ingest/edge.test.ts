import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { AppError } from "../core/errors.ts";
import { MAX_EVENT_BYTES } from "../core/event.ts";
import { laneOf } from "../core/position.ts";
import { type Edge, startEdge } from "../test/support/edge.ts";
import { makeEvent } from "../test/support/shop-event.ts";
import { MAX_BODY_BYTES } from "./read-body.ts";

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());
beforeEach(() => {
  edge.sink.appended.length = 0;
  edge.sink.fail(null);
});

test("a single event is taken with its place, its bytes as they were sent", async () => {
  const event = makeEvent();
  const text = `  ${JSON.stringify(event, null, 2)}\n`;
  const { status, answer } = await edge.post(text);
  expect(status).toBe(202);
  expect(answer).toEqual({
    accepted: 1,
    offsets: [{ event_id: event.event_id, shard: "shardId-000000000000", sequence: "1", index: 0 }],
  });
  expect(edge.taken()).toEqual([text.trim()]);
  expect(edge.sink.appended[0]?.lane).toBe(laneOf("sess|9876"));
});

test.each(["array", "wrapped"])(
  "a batch as %s answers in the order of the request, each session in its lane",
  async (form) => {
    const events = Array.from({ length: 100 }, (_, i) => makeEvent({ session_id: `session ${i % 20}` }));
    const { status, answer } = await edge.post(form === "array" ? events : { events });
    expect(status).toBe(202);
    expect(answer.offsets?.map((offset) => offset.event_id)).toEqual(events.map((event) => event.event_id));
    expect(edge.taken().toSorted()).toEqual(events.map((event) => JSON.stringify(event)).toSorted());
    for (const { lane, data, events: count } of edge.sink.appended) {
      const inLane = events.filter((event) => laneOf(event.session_id ?? "") === lane);
      expect(count).toBe(inLane.length);
      expect(data.toString().endsWith(inLane.map((event) => JSON.stringify(event)).join(""))).toBe(true);
    }
  },
);

test("gzip, and duplicate ids within a batch, are taken as they are", async () => {
  const event = makeEvent();
  const { status, answer } = await edge.post(gzipSync(JSON.stringify([event, event])), { "content-encoding": "gzip" });
  expect([status, answer.accepted]).toEqual([202, 2]);
});

test("a request id is taken where it is sane, and made where it is not", async () => {
  const kept = await edge.post(makeEvent(), { "x-request-id": "from-the-shop.1" });
  expect(kept.headers.get("x-request-id")).toBe("from-the-shop.1");
  expect(edge.sink.appended[0]?.data.toString()).toContain('"request_id":"from-the-shop.1"');
  const made = await edge.post(makeEvent(), { "x-request-id": 'a"b <script>' });
  expect(made.headers.get("x-request-id")).toMatch(/^[\da-f-]{36}$/);
});

test.each([
  ["no token", { authorization: undefined }, 401],
  ["another scheme", { authorization: "Basic YTpi" }, 401],
  ["an unknown token", { authorization: "Bearer lv_demo_2" }, 401],
  ["no client", { "x-client-id": undefined }, 400],
  ["another client's token", { authorization: "Bearer lv_other_1" }, 403],
  ["a token that may only read", { authorization: "Bearer lv_demo_read" }, 403],
  ["an unknown token while the database is away", { authorization: "Bearer lv_away" }, 503],
  ["plain text", { "content-type": "text/plain" }, 415],
  ["no content type", { "content-type": "" }, 415],
  ["JSON in Latin-1", { "content-type": "application/json; charset=iso-8859-1" }, 415],
  ["an encoding that is not gzip", { "content-encoding": "br" }, 415],
  ["gzip that is none", { "content-encoding": "gzip" }, 400],
] as const)("%s is refused", async (_name, headers, status) => {
  const { status: actual, answer, headers: answered } = await edge.post(makeEvent(), headers);
  expect(actual).toBe(status);
  expect(answered.get("content-type")).toBe("application/problem+json");
  expect(answer).toMatchObject({ status, title: expect.any(String), request_id: answered.get("x-request-id") });
  expect(answered.has("www-authenticate")).toBe(status === 401);
  expect(answered.has("retry-after")).toBe(status === 503);
  expect(edge.taken()).toEqual([]);
});

test("charset=utf-8 is welcome", async () => {
  expect((await edge.post(makeEvent(), { "content-type": 'application/json; charset="UTF-8"' })).status).toBe(202);
});

test("events of another client are refused with 403, by index", async () => {
  const { status, answer } = await edge.post([makeEvent(), makeEvent({ client_id: "other" })]);
  expect(status).toBe(403);
  expect(answer.errors).toEqual([{ index: 1, path: "/client_id", reason: expect.any(String) }]);
  expect(edge.taken()).toEqual([]);
});

test("a body too large is refused, packed or unpacked, with and without a length", async () => {
  const large = Buffer.alloc(MAX_BODY_BYTES + 1, " ");
  expect((await edge.post(large)).status).toBe(413);
  expect((await edge.post(gzipSync(Buffer.alloc(200 * 1024 * 1024)), { "content-encoding": "gzip" })).status).toBe(413);
  const chunked = await fetch(`${edge.url}/v1/events`, {
    method: "POST",
    headers: { authorization: "Bearer lv_demo_1", "x-client-id": "demo", "content-type": "application/json" },
    body: new Blob([large]).stream(),
    duplex: "half",
  } as RequestInit);
  expect(chunked.status).toBe(413);
  expect((await edge.post(makeEvent())).status).toBe(202);
});

test("an event too large is refused with 413, by index; a hundred large ones fill several envelopes", async () => {
  const huge = makeEvent({ props: { text: "x".repeat(MAX_EVENT_BYTES) } });
  const { status, answer } = await edge.post([makeEvent(), huge]);
  expect(status).toBe(413);
  expect(answer.errors).toMatchObject([{ index: 1, path: "" }]);
  const large = Array.from({ length: 16 }, (_, i) =>
    makeEvent({ props: { i, text: "x".repeat(MAX_EVENT_BYTES - 1_000) } }),
  );
  expect((await edge.post(large)).status).toBe(202);
  expect(edge.taken()).toEqual(large.map((event) => JSON.stringify(event)));
  for (const { data } of edge.sink.appended) expect(data.length).toBeLessThan(1_000_000);
});

test("an archive that lies about its size is found out", async () => {
  const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
  bomb.writeUInt32LE(1_000, bomb.length - 4);
  expect((await edge.post(bomb, { "content-encoding": "gzip" })).status).toBe(413);
});

test("half an archive is no archive, whatever its last bytes say", async () => {
  const half = gzipSync(JSON.stringify(makeEvent())).subarray(0, -30);
  half.writeUInt32LE(0xffff_ffff, half.length - 4);
  expect((await edge.post(half, { "content-encoding": "gzip" })).status).toBe(400);
});

test("more than the client may send is 429 with Retry-After", async () => {
  const limited = new AppError("limited", "too much", { retryAfterMs: 700 });
  const strict = await startEdge({
    limiter: {
      refuseExhausted() {},
      take: () => Promise.reject(limited),
    },
  });
  const { status, headers } = await strict.post(makeEvent());
  expect([status, headers.get("retry-after")]).toEqual([429, "1"]);
  expect(strict.taken()).toEqual([]);
  await strict.close();
});

test("back-pressure is 503 with Retry-After", async () => {
  edge.sink.fail(new AppError("unavailable", "Too much is waiting for the stream.", { retryAfterMs: 1_000 }));
  const { status, headers } = await edge.post(makeEvent());
  expect([status, headers.get("retry-after")]).toEqual([503, "1"]);
});

test("what nobody foresaw is 500, and says nothing of itself", async () => {
  edge.sink.fail(new Error("secret detail") as AppError);
  const { status, answer } = await edge.post(makeEvent());
  expect(status).toBe(500);
  expect(JSON.stringify(answer)).not.toContain("secret");
});

test("CORS: a preflight is answered, and every answer may be read by any origin", async () => {
  const preflight = await fetch(`${edge.url}/v1/events`, {
    method: "OPTIONS",
    headers: { origin: "https://shop.example", "access-control-request-method": "POST" },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
  for (const headers of [{}, { authorization: undefined }]) {
    const { headers: answered } = await edge.post(makeEvent(), headers);
    expect(answered.get("access-control-allow-origin")).toBe("*");
  }
});

test.each([
  ["GET", "/v1/events", 405],
  ["PUT", "/v1/events", 405],
  ["POST", "/healthz", 405],
  ["GET", "/nothing", 404],
  ["GET", "/%E0%A4%A", 404],
  ["POST", "/v1/event", 404],
])("%s %s is %i as a problem", async (method, path, status) => {
  const response = await fetch(edge.url + path, { method });
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  expect(await response.json()).toMatchObject({ status });
});

test("health, readiness, metrics and the contract are there", async () => {
  await edge.post(makeEvent());
  for (const path of ["/healthz", "/readyz"]) expect((await fetch(edge.url + path)).status).toBe(200);
  const metrics = await (await fetch(`${edge.url}/metrics`)).text();
  expect(metrics).toMatch(/livora_ingest_events_accepted_total [1-9]/);
  expect(metrics).toMatch(/livora_ingest_requests_total\{status="202"\} [1-9]/);
  const document = (await (await fetch(`${edge.url}/openapi.json`)).json()) as { paths: Record<string, unknown> };
  expect(Object.keys(document.paths)).toContain("/v1/events");
});
