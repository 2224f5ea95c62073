import { afterEach, expect, test } from "vitest";

import { STREAM_CONSUMERS } from "../core/stream-consumers.ts";
import { startConsumersProcess } from "../test/support/consumers-process.ts";
import { createIsolatedContext } from "../test/support/context.ts";
import { setUpEnrich } from "../test/support/enrich-setup.ts";
import { waitUntil } from "../test/support/wait-until.ts";

const closing: (() => Promise<void>)[] = [];
const CONSUMERS: string[] = Object.values(STREAM_CONSUMERS).flat();

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

test("the process says when it is ready, tells how it fares, and drains when asked to stop", async () => {
  const ctx = await createIsolatedContext();
  closing.push(() => ctx.close());
  const { child, lines, url, exited } = await startConsumersProcess(ctx.config);
  await waitUntil(async () => (await fetch(`${url}/readyz`)).status === 200);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  await waitUntil(() => CONSUMERS.every((consumer) => lines.some((line) => line.consumer === consumer)));
  // None that the shards' lag would not know of.
  expect(new Set(lines.map((line) => line.consumer).filter(Boolean))).toEqual(new Set(CONSUMERS));
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  await waitUntil(async () => (await metrics()).includes('livora_consumer_ms_behind{consumer="enrich"'));
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
  expect(lines.at(-1)?.msg).toBe("stopped");
});

test("a process that stood still for longer than its leases is replaced, and wakes up to no harm", async () => {
  const { ctx, send, enriched, item } = await setUpEnrich(closing);
  const sleeper = await startConsumersProcess(ctx.config);
  const sendRound = () =>
    send(...Array.from({ length: 12 }, (_, n) => ({ anon_id: `a-${n % 4}`, session_id: `s-${n % 4}` })));
  let sent = (await sendRound()).length;
  await waitUntil(async () => (await enriched()).length === sent);
  const replacement = await startConsumersProcess(ctx.config);
  // In the midst of its work: whatever it has begun, it goes on with when it wakes.
  for (let round = 0; round < 3; round++) sent += (await sendRound()).length;
  sleeper.child.kill("SIGSTOP");
  for (let round = 0; round < 3; round++) sent += (await sendRound()).length;
  await waitUntil(async () => (await enriched()).length === sent, { timeoutMs: 40_000 });
  sleeper.child.kill("SIGCONT");
  await waitUntil(() =>
    sleeper.lines.some((line) => line.consumer === "enrich" && /taken the shard over|left the shard/.test(line.msg)),
  );
  for (let round = 0; round < 3; round++) sent += (await sendRound()).length;
  await waitUntil(async () => (await enriched()).length === sent);
  const ids = (await enriched()).map((event) => event.event_id);
  expect(new Set(ids).size).toBe(sent);
  const sessions = await Promise.all([0, 1, 2, 3].map((n) => item(`anon:a-${n}`, `SESSION#s-${n}`)));
  expect(sessions.map((session) => (session as { steps: number }).steps)).toEqual([30, 30, 30, 30]);
  expect(replacement.lines.some((line) => line.consumer === "enrich" && line.msg === "reading the shard")).toBe(true);
}, 120_000);
