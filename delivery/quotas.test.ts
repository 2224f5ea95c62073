import { expect, test } from "vitest";

import type { DeliveryContext } from "./context.ts";
import { takeQuota } from "./quotas.ts";

const CLAIM = { client_id: "demo", channel: "sms", delivery_id: "d-1", settings: { timezone: "UTC" } } as const;
const NOW = Date.parse("2026-11-21T10:00:00.000Z");
/** Redis, as far as the quotas are concerned: what its script answers. */
const answering = (answer: () => Promise<number>) => ({ redis: { eval: answer } }) as unknown as DeliveryContext;

test("no count, no message: while Redis is away there is no quota to be had", async () => {
  const away = answering(() => Promise.reject(new Error("connection is closed")));
  await expect(takeQuota(away, CLAIM, NOW)).rejects.toMatchObject({ code: "unavailable" });
});

test.each([
  [1, "quota_sms"],
  [2, "quota_all"],
])("a barrier of %i is %s, and says when to come back", async (barrier, reason) => {
  const full = answering(async () => barrier);
  expect(await takeQuota(full, CLAIM, NOW)).toEqual({ ok: false, reason, retry_at: "2026-11-22T00:00:00.000Z" });
});

test("no barrier is a message", async () => {
  expect(
    await takeQuota(
      answering(async () => 0),
      CLAIM,
      NOW,
    ),
  ).toEqual({ ok: true });
});
