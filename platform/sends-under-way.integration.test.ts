import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, expect, test } from "vitest";

import { createIsolatedContext, createTestContext } from "../test/support/context.ts";
import { isAnySendUnderWay, markSend, unmarkSend, waitForSends } from "./sends-under-way.ts";
import { readStopHint, setStopHints } from "./stop-hint.ts";

const [worker, edge] = [createTestContext(), createTestContext()];
afterAll(() => Promise.all([worker.close(), edge.close()]));

const somebody = () => ({ clientId: "sends", personKeys: [`user:${randomUUID()}`, `anon:${randomUUID()}`] });

test("whatever the race, a message that was not held back by the hint is out before the edge answers", async () => {
  const rounds = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const person = somebody();
      return Promise.all([send(person, (i % 9) * 6), answer(person, (i % 7) * 8)]);
    }),
  );
  for (const [sentAt, answeredAt] of rounds) expect(sentAt ?? 0).toBeLessThanOrEqual(answeredAt);
});

test("a message goes out where no hint was left, and stays where one was", async () => {
  const person = somebody();
  expect(await send(person, 0)).not.toBeNull();
  await answer(person, 0);
  expect(await send(person, 0)).toBeNull();
});

test("the edge does not wait for ever for a worker that died, nor for messages to others", async () => {
  const [person, other] = [somebody(), somebody()];
  await markSend(worker.redis, person, "m1");
  expect(await waitForSends(edge.redis, other, 10)).toBe(true);
  expect(await waitForSends(edge.redis, { ...person, personKeys: person.personKeys.slice(1) }, 50)).toBe(false);
  await unmarkSend(worker.redis, person, "m1");
  expect(await waitForSends(edge.redis, person, 10)).toBe(true);
});

/** When the message was out; null where a hint kept it back. */
async function send(person: ReturnType<typeof somebody>, pauseMs: number): Promise<number | null> {
  await sleep(pauseMs);
  await markSend(worker.redis, person, "m1");
  try {
    if ((await readStopHint(worker.redis, person.clientId, person.personKeys)) !== null) return null;
    await sleep(10);
    return performance.now();
  } finally {
    await unmarkSend(worker.redis, person, "m1");
  }
}

async function answer({ clientId, personKeys }: ReturnType<typeof somebody>, pauseMs: number): Promise<number> {
  await sleep(pauseMs);
  const personKey = personKeys[0] ?? "";
  await setStopHints(edge.redis, [{ clientId, personKey }]);
  expect(await waitForSends(edge.redis, { clientId, personKeys: [personKey] }, 30_000)).toBe(true);
  return performance.now();
}

test("who holds everything still learns whether any message is under way", async () => {
  const ctx = await createIsolatedContext();
  try {
    const [one, other] = [somebody(), somebody()];
    expect(await isAnySendUnderWay(ctx.redis)).toBe(false);
    await markSend(ctx.redis, one, "m1");
    await markSend(ctx.redis, other, "m2");
    await unmarkSend(ctx.redis, one, "m1");
    expect(await isAnySendUnderWay(ctx.redis)).toBe(true);
    await unmarkSend(ctx.redis, other, "m2");
    expect(await isAnySendUnderWay(ctx.redis)).toBe(false);
  } finally {
    await ctx.close();
  }
});
