import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startTestApi, type TestApi } from "../test/support/api.ts";

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi();
});
afterAll(() => t.close());

const ask = (body: object, key?: string) => t.call("POST", "/api/v1/etl/runs", { body, ...(key && { key }) });
const START = "2026-11-01T00:00:00Z";

describe("runs of ETL", () => {
  test("one is taken, found, steered and listed; asked for twice it is one", async () => {
    const asked = await ask({ start: START, end: "2026-11-02T00:00:00Z" });
    const { run_id, workflow_id } = asked.body;
    expect(asked).toMatchObject({ status: 202, body: { state: "running", rebuild: false, checks: [] } });
    expect(workflow_id).toBe(`etl:${t.ours.client_id}:${run_id}`);
    expect(await ask({ id: run_id, start: START })).toMatchObject({
      status: 202,
      body: { run_id, end: asked.body.end },
    });

    const path = `/api/v1/etl/runs/${run_id}`;
    // Nobody works for it here: its workflow takes what it is told, and does not answer.
    const steered = await Promise.all([
      t.call("GET", path),
      ...["pause", "resume", "cancel"].map((verb) => t.call("POST", `${path}/${verb}`)),
    ]);
    const partitions = { done: 0, total: 0 };
    for (const answer of steered) expect(answer).toMatchObject({ status: 200, body: { run_id, partitions } });
    const { body } = await t.call("GET", "/api/v1/etl/runs?limit=1");
    expect(body.runs.map((run: { run_id: string }) => run.run_id)).toEqual([run_id]);
  });

  test("what makes no sense is refused, by name", async () => {
    const faults = async (body: object) => (await ask(body)).body.errors?.map((fault: { path: string }) => fault.path);
    expect(await faults({ start: START, end: START })).toEqual(["/end"]);
    expect(await faults({ start: "yesterday" })).toEqual(["/start"]);
    expect(await faults({ start: "1969-12-31T23:59:59Z" })).toEqual(["/start"]);
    expect((await ask({ from: START })).status).toBe(400);
    expect((await t.call("GET", `/api/v1/etl/runs/${randomUUID()}`)).status).toBe(404);
    expect((await t.call("POST", `/api/v1/etl/runs/${randomUUID()}/pause`)).status).toBe(404);
  });

  test("where a figure comes from is told by its aggregate and day, and to those who may", async () => {
    const sources = (query: string, key?: string) =>
      t.call("GET", `/api/v1/analytics/sources?${query}`, key === undefined ? {} : { key });
    expect((await sources("aggregate=purchases&date=2026-11-01")).status).toBe(404);
    for (const bad of [
      "",
      "aggregate=%00",
      "aggregate=purchases&date=yesterday",
      "aggregate=purchases&date=0000-01-01",
    ])
      expect((await sources(bad)).status).toBe(400);
    expect((await sources("aggregate=purchases", await t.addKey(["read"]))).status).toBe(403);
  });

  test("belongs to its client, and to those who may", async () => {
    const { body } = await ask({});
    const key = t.theirs.api_key;
    expect((await t.call("GET", `/api/v1/etl/runs/${body.run_id}`, { key })).status).toBe(404);
    expect((await t.call("GET", "/api/v1/etl/runs", { key })).body.runs).toEqual([]);
    expect((await ask({}, await t.addKey(["read"]))).status).toBe(403);
  });
});
