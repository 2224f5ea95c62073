import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, it } from "vitest";

import { HOUR_MS } from "../../core/time.ts";
import { makeTemporaryFolder } from "../../infra/local/temporary-folder.ts";
import { type Livora, startLivora } from "../support/livora.ts";
import { judgeAtRest } from "../support/livora-at-rest.ts";
import { auditLivora } from "../support/livora-audit.ts";
import { backUp, restoreInto, type Standstill } from "../support/livora-backup.ts";
import { cartCampaign, pauseOthers, publishCampaign } from "../support/livora-campaign.ts";
import { createOrdeal, type Ordeal } from "../support/livora-ordeal.ts";
import { createPerson } from "../support/livora-person.ts";
import { readOutbox, withPostgres } from "../support/oracle-evidence.ts";
import { countAnswers, ledgerAt, personAt } from "../support/oracle-at.ts";
import { announceSeed, createRandom } from "../support/oracle-random.ts";
import { chooseBehaviours } from "../support/oracle-shop.ts";
import { waitUntil } from "../support/wait-until.ts";

const STEPS = [
  { channel: "whatsapp", delayMs: 3_000 },
  { channel: "email", delayMs: 9_000 },
] as const;
const PEOPLE_PER_WAVE = 12;
const REST_WITHIN_MS = 90_000;
const CALM = { events: [], messages: [], unfinished: 0 };

const random = createRandom(announceSeed("restore"));
const folder = mkdtempSync(join(tmpdir(), "livora-backup-"));
const backup = join(folder, "backup");
let livora: Livora;
let ordeal: Ordeal;
let answered: Map<string, number>;
let still: Standstill;

beforeAll(async () => {
  livora = await startLivora();
  await pauseOthers(livora);
  await publishCampaign(livora, cartCampaign("restore-test", STEPS));
  ordeal = createOrdeal(livora, random, STEPS);
});
afterAll(async () => {
  await livora?.tearDown();
  rmSync(folder, { recursive: true, force: true });
});

it("is not noticed by those who are about while a backup is made", async () => {
  const visit = () => ordeal.visit(chooseBehaviours(random, PEOPLE_PER_WAVE));
  const waves = [visit()];
  await sleep(2_500);
  waves.push(visit());
  await sleep(2_500);
  waves.push(visit());
  // Some messages have gone out by then, and most have not.
  await waitUntil(async () => (await readOutbox(livora.outbox)).length > 0, { what: "the first message" });
  answered = countAnswers(ordeal.ledger);
  still = await backUp(livora.dir, backup);
  waves.push(visit());
  await Promise.all(waves);
  const { events, messages, unfinished } = await ordeal.judge(REST_WITHIN_MS);
  expect({ events, messages: messages.faults, unfinished }).toEqual({ ...CALM, unfinished: null });
  await livora.stop();
});

it("refuses to make or to restore a backup over what is there, and what is no backup", async () => {
  await expect(backUp(livora.dir, backup)).rejects.toThrow("is not empty");
  await expect(backUp(livora.dir, join(livora.dir, "backup"))).rejects.toThrow("lies within");
  await expect(restoreInto(livora.dir, backup)).rejects.toThrow("move it away");
  await expect(restoreInto(join(folder, "x"), livora.dir)).rejects.toThrow("is no backup");
});

it("restored into an empty stack: everything acknowledged before is there once, nothing goes out twice, runs go on", async () => {
  await inRestored({}, async (restored) => {
    const ledger = ledgerAt(ordeal.ledger, answered, still);
    const people = ordeal.people.map(({ record }) => personAt(record, ledger, still));
    expect(await judgeAtRest(restored, { ledger, people, steps: STEPS }, REST_WITHIN_MS)).toEqual(CALM);
    const audit = await auditLivora(restored, still.beganMs - HOUR_MS);
    expect(audit).toMatchObject({ exitCode: 0, differences: [] });
    // Each that was answered before, and more: the edge was frozen in the middle of its work.
    expect(audit.received).toBeGreaterThanOrEqual(ledger.entries().filter((entry) => entry.acknowledgedAt).length);
    expect(audit.notes.join()).toContain("restored: of what was acknowledged from");
    const times = (await readOutbox(restored.outbox)).map((message) => Date.parse(message.received_at));
    const before = times.filter((at) => at < still.beganMs).length;
    const kept = ledger.entries().filter((entry) => entry.acknowledgedAt !== null).length;
    console.log(
      `${kept} of ${ordeal.ledger.entries().length} events; messages: ${before} before, ${times.length - before} after`,
    );
    // Else there was nothing to go on with.
    expect(before).toBeGreaterThan(0);
    expect(times.length).toBeGreaterThan(before);
    const person = createPerson(restored);
    await person.identify();
    await person.leaveCart();
    await person.waitForMessage("whatsapp");
  });
});

it("restored beside a stream and a provider that went on: nothing acknowledged is lost at all, nothing is sent again", async () => {
  // The provider's memory is nobody's to restore.
  const env = { LIVORA_SANDBOX_DIR: join(livora.dir, "sandbox") };
  await inRestored({ stream: livora.dir, env }, async (restored) => {
    const people = ordeal.people.map(({ record }) => record);
    const known = { ledger: ordeal.ledger, people, steps: STEPS };
    expect(await judgeAtRest(restored, known, REST_WITHIN_MS)).toEqual(CALM);
    const audit = await auditLivora(restored, still.beganMs - HOUR_MS);
    expect(audit).toMatchObject({ exitCode: 0, differences: [] });
    // By the edges' journals, which came with the stream: more than the database of the backup knows of.
    const acknowledged = ordeal.ledger.entries().reduce((sum, entry) => sum + entry.answers.ok, 0);
    expect(audit.acknowledged).toBeGreaterThanOrEqual(acknowledged);
    expect(audit.notes.join()).not.toContain("repetitions");
    const sentMeanwhile = (await readOutbox(restored.outbox))
      .filter((message) => Date.parse(message.received_at) > still.endedMs)
      .map((message) => message.id);
    const found = await withPostgres(
      restored.postgres,
      (sql) => sql`select 1 from deliveries where provider_message_id = any(${sentMeanwhile})`,
    );
    console.log(`${found.length} messages were sent after the backup and found at the provider`);
    expect(found.length).toBeGreaterThan(0);
  });
});

async function inRestored(
  { stream, env = {} }: { stream?: string; env?: Record<string, string> },
  work: (restored: Livora) => Promise<void>,
): Promise<void> {
  const dir = makeTemporaryFolder();
  await restoreInto(dir, backup, stream === undefined ? {} : { stream });
  const restored = await startLivora(["--no-demo"], env, dir);
  try {
    await work(restored);
  } finally {
    await restored.tearDown();
  }
}
