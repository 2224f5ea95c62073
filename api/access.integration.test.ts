import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { apiKeys } from "../platform/postgres/schema.ts";
import { listen, startTestApi, type TestApi } from "../test/support/api.ts";
import { SEED_CAMPAIGN as CAMPAIGN } from "../test/support/seed-campaign.ts";
import { type ApiContext, createApiContext } from "./context.ts";
import { createApiServer } from "./server.ts";

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi();
  await t.call("POST", "/api/v1/campaigns", { body: CAMPAIGN });
});
afterAll(() => t.close());

describe("who may", () => {
  test("without a token nothing, and a challenge", async () => {
    const response = await fetch(`${t.base}/api/v1/campaigns`);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="livora"');
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  });

  test.each(["lv_demo_nothing", "' or 1=1 --", "x".repeat(5000)])("an unknown token is refused: %#", async (key) => {
    expect((await t.call("GET", "/api/v1/campaigns", { key })).status).toBe(401);
  });

  test("a token with another client's id is refused", async () => {
    const { status } = await t.call("GET", "/api/v1/campaigns", { headers: { "x-client-id": t.theirs.client_id } });
    expect(status).toBe(403);
    const same = await t.call("GET", "/api/v1/campaigns", { headers: { "x-client-id": t.ours.client_id } });
    expect(same.status).toBe(200);
  });

  test("a key that may only read changes nothing", async () => {
    const readOnly = await t.addKey(["read"]);
    expect((await t.call("GET", "/api/v1/campaigns", { key: readOnly })).status).toBe(200);
    const { status, body } = await t.call("POST", "/api/v1/campaigns", { key: readOnly, body: CAMPAIGN });
    expect({ status, code: body.code }).toEqual({ status: 403, code: "forbidden" });
    expect((await t.call("GET", "/api/v1/dead-letters", { key: readOnly })).status).toBe(403);
  });

  test("a key that was revoked is soon believed no more", async () => {
    const key = await t.addKey(["read"]);
    expect((await t.call("GET", "/api/v1/campaigns", { key })).status).toBe(200);
    await t.api.db
      .update(apiKeys)
      .set({ revoked_at: sql`now()` })
      .where(eq(apiKeys.prefix, key.slice(0, -18)));
    await expect.poll(async () => (await t.call("GET", "/api/v1/campaigns", { key })).status).toBe(401);
  });

  test("too many requests are told when to come back", async () => {
    const slow = createApiServer({ ...t.api, config: { ...t.api.config, LIVORA_API_REQUESTS_PER_SECOND: 3 } });
    const url = `${await listen(slow)}/api/v1/campaigns`;
    const headers = { authorization: `Bearer ${t.theirs.api_key}` };
    const answers = await Promise.all(Array.from({ length: 12 }, () => fetch(url, { headers })));
    slow.close();
    const refused = answers.filter((answer) => answer.status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(6);
    expect(refused[0]?.headers.get("retry-after")).toBe("1");
  });
});

describe("the service", () => {
  test("the caller's request id comes back; one that is no id is replaced", async () => {
    const kept = await t.call("GET", "/api/v1/campaigns", { headers: { "x-request-id": "my-id.1" } });
    expect(kept.headers.get("x-request-id")).toBe("my-id.1");
    const replaced = await t.call("GET", "/api/v1/campaigns", { headers: { "x-request-id": "a b<script>" } });
    expect(replaced.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("while the database is away it says so, and when to ask again", async () => {
    const nowhere = "postgres://livora:livora@127.0.0.1:1/livora";
    const cut = createApiContext({
      ...t.api.config,
      LIVORA_POSTGRES_URL: nowhere,
      LIVORA_POSTGRES_TENANT_URL: nowhere,
    });
    for (const api of [cut, { ...cut, keyring: t.api.keyring }]) {
      const server = createApiServer(api);
      const url = await listen(server);
      const headers = { authorization: `Bearer ${t.ours.api_key}` };
      const answer = await fetch(`${url}/api/v1/campaigns`, { headers });
      expect({ status: answer.status, again: answer.headers.get("retry-after") }).toEqual({ status: 503, again: "1" });
      server.close();
      server.closeAllConnections();
    }
    const { status } = await ready(cut);
    expect(status).toBe(503);
    await cut.close();
  });

  test("live counters start from nothing", async () => {
    const { body } = await t.call("GET", "/api/v1/live?minutes=3");
    expect(body.minutes).toHaveLength(3);
    expect(body.totals).toEqual({});
  });

  test("answers health, readiness and metrics to everyone", async () => {
    expect((await fetch(`${t.base}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${t.base}/readyz`)).json()).toEqual({
      status: "ready",
      checks: { postgres: true, redis: true },
    });
    const metrics = await (await fetch(`${t.base}/metrics`)).text();
    expect(metrics).toContain(
      'livora_api_request_seconds_count{route="/api/v1/campaigns",method="POST",status="201"} ',
    );
    expect(metrics).toContain("# TYPE livora_dead_letters_open gauge");
  });
});

async function ready(api: ApiContext): Promise<Response> {
  const server = createApiServer(api);
  try {
    return await fetch(`${await listen(server)}/readyz`);
  } finally {
    server.close();
  }
}
