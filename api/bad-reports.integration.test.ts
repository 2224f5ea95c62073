import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { clients } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi();
});
afterAll(() => t.close());

const get = (path: string) => t.call("GET", `/api/v1/analytics/${path}`);

describe("bad questions", () => {
  test.each([
    ["products?start=2026-11-21&end=2026-11-21", "/end"],
    ["products?start=2026-11-21", "/end"],
    ["products?start=2020-11-21&end=2026-11-21", "/end"],
    ["products?start=2026-13-01&end=2026-11-21", "/start"],
    ["products?start=2026-11-20T10:00:00Z&end=2026-11-21", "/start"],
    ["products?start=2026-11-20&end=2026-11-21&group_by=colour", "/group_by"],
    ["products?start=2026-11-20&end=2026-11-21&sort=luck", "/sort"],
    ["products?start=2026-11-20&end=2026-11-21&cursor=e30", "/cursor"],
    ["products?start=2026-11-20&end=2026-11-21&currency=rupees", "/currency"],
    ["products?start=2026-11-20&end=2026-11-21&limit=0", "/limit"],
    ["sessions?start=2026-11-20&end=2026-11-21&interval=hour", "/interval"],
    ["sessions?start=2026-11-20&end=2026-11-21&group_by=product", "/group_by"],
    [
      `sessions?start=2026-11-20&end=2026-11-21&cursor=${Buffer.from('{"place":5,"key":"x"}').toString("base64url")}`,
      "/cursor",
    ],
    ["overview?start=2026-11-20&end=yesterday", "/end"],
    ["overview?start=1969-11-20&end=1970-11-20", "/start"],
  ])("%s", async (path, pointer) => {
    const { status, body } = await get(path);
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ path: pointer }]);
  });
});

test("a client's zone must be one that exists", async () => {
  const { client_id } = t.ours;
  const set = (timezone: string) =>
    t.api.db.update(clients).set({ settings: { timezone } }).where(eq(clients.id, client_id));
  await expect(set("Mars/Olympus")).rejects.toThrow("Failed query");
  await set("Asia/Kolkata");
  expect((await get(`products?start=2026-11-21&end=2026-11-22`)).body.time_zone).toBe("Asia/Kolkata");
});
