import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { problemSchema } from "../core/problem.ts";
import { type Answered, startTestApi, type TestApi } from "../test/support/api.ts";
import { SEED_CAMPAIGN as CAMPAIGN } from "../test/support/seed-campaign.ts";
import { MAX_BODY_BYTES } from "./read-body.ts";

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi();
  await t.call("POST", "/api/v1/campaigns", { body: CAMPAIGN });
});
afterAll(() => t.close());

describe("bad input gets a problem", () => {
  const path = "/api/v1/campaigns";
  test.each<[string, number, () => Promise<Answered>]>([
    ["no such path", 404, () => t.call("GET", "/api/v1/nothing")],
    ["a method that is not taken", 405, () => t.call("DELETE", path)],
    ["JSON that is none", 400, () => t.call("POST", path, { raw: "{" })],
    ["UTF-8 that is none", 400, () => t.call("POST", path, { raw: Buffer.from([0x22, 0xff, 0x22]) })],
    ["nothing at all", 400, () => t.call("POST", path, { raw: "" })],
    ["JSON nested without end", 400, () => t.call("POST", path, { raw: `${"[".repeat(1e5)}${"]".repeat(1e5)}` })],
    ["a prototype's key", 400, () => t.call("POST", path, { raw: '{"__proto__":{"campaign_id":"x"}}' })],
    ["a NUL in a string", 400, () => t.call("PUT", "/api/v1/templates/email/x", { raw: '{"body":"\\u0000"}' })],
    ["a NUL in a path", 400, () => t.call("GET", "/api/v1/contacts/%00")],
    ["a path that does not decode", 400, () => t.call("GET", "/api/v1/contacts/%E0%A4%A")],
    ["another media type", 415, () => t.call("POST", path, { raw: "{}", headers: { "content-type": "text/plain" } })],
    ["too much", 413, () => t.call("POST", path, { raw: `"${"x".repeat(MAX_BODY_BYTES)}"` })],
    ["a limit out of range", 400, () => t.call("GET", `${path}?limit=100000`)],
    ["a cursor of another's making", 400, () => t.call("GET", `${path}/camp_123/deliveries?cursor=e30`)],
    ["a run id that is none", 400, () => t.call("GET", "/api/v1/runs/1%27%20or%201=1")],
  ])("%s", async (_, status, attempt) => {
    const answer = await attempt();
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(problemSchema.parse(answer.body)).toMatchObject({ status, request_id: answer.headers.get("x-request-id") });
  });

  test("a cursor whose date does not exist", async () => {
    const cursor = Buffer.from(JSON.stringify({ at: "2026-99-99 10:00:00+00", id: crypto.randomUUID() }));
    const { status } = await t.call("GET", `${path}/camp_123/runs?cursor=${cursor.toString("base64url")}`);
    expect(status).toBe(400);
  });

  test("what is not HTTP", async () => {
    const socket = connect(Number(new URL(t.base).port), "127.0.0.1");
    socket.end("GARBAGE\r\n\r\n");
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json.*"code":"invalid"/s);
  });

  test("SQL in every place is only text", async () => {
    const evil = "'; drop table campaigns; --";
    await t.call("GET", `/api/v1/contacts/${encodeURIComponent(evil)}`);
    await t.call("GET", `/api/v1/dead-letters?stage=${encodeURIComponent(evil)}`);
    expect((await t.call("GET", `${path}/camp_123`)).status).toBe(200);
  });
});
