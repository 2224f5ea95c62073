import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { nodeBinary, ROOT } from "../../infra/local/paths.ts";
import type { AuditedHour, AuditSummary } from "../../core/contracts/audit.ts";
import { listLakeFiles } from "../support/lake-reader.ts";
import { type Livora, startLivora } from "../support/livora.ts";
import { callApi, cartCampaign, pauseOthers, publishCampaign } from "../support/livora-campaign.ts";
import { createPerson } from "../support/livora-person.ts";
import { waitForRun } from "../support/livora-runs.ts";

const CAMPAIGN = "audit-e2e";
let livora: Livora;

beforeAll(async () => {
  livora = await startLivora();
  await pauseOthers(livora);
  await publishCampaign(livora, cartCampaign(CAMPAIGN, [{ channel: "email", delayMs: 1_000 }]));
});
afterAll(() => livora?.tearDown());

interface Audited {
  code: number;
  text: string;
}

/** As an operator would, in this clone, of the stack whose data lie in the test's folder. */
function runAudit(...args: string[]): Promise<Audited> {
  const env = { ...process.env, LIVORA_DATA_DIR: livora.dir, LIVORA_POSTGRES_URL: "" };
  return new Promise((resolve) => {
    execFile(nodeBinary(), [join(ROOT, "infra/local/audit.ts"), ...args], { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr }),
    );
  });
}

async function auditJson(): Promise<{ code: number; summary: AuditSummary; hours: AuditedHour[] }> {
  const { code, text } = await runAudit("--json", "--client", livora.client_id);
  return { code, ...(JSON.parse(text) as { summary: AuditSummary; hours: AuditedHour[] }) };
}

it("the main job, audited: all of it is accounted for, and the API says so", async () => {
  const people = Array.from({ length: 5 }, () => createPerson(livora));
  for (const person of people) {
    await person.identify();
    await person.leaveCart();
  }
  for (const person of people) {
    await person.waitForMessage("email");
    await waitForRun(livora, CAMPAIGN, `user:${person.user_id}`, (row) => row.state === "completed");
  }
  const { code, summary, hours } = await auditJson();
  expect({ code, ...summary }).toMatchObject({
    code: 0,
    differing: 0,
    unexplained: 0,
    unexplained_deliveries: 0,
    unknown: 0,
  });
  expect(hours.reduce((sum, hour) => sum + hour.acknowledged, 0)).toBe(10);
  // What became of the messages comes back as events.
  expect(hours.reduce((sum, hour) => sum + hour.in_lake, 0)).toBeGreaterThanOrEqual(15);
  expect(hours.reduce((sum, hour) => sum + hour.deliveries, 0)).toBe(5);
  const { text } = await runAudit();
  expect(text).toMatch(new RegExp(`^client +hour.*\\n(.*\\n)*${livora.client_id} .*\\b(ok|open)$`, "m"));
  const page = await callApi<{ audits: { hour: string; unexplained: number; in_lake: number }[] }>(
    livora,
    "GET",
    "/api/v1/audits",
  );
  const last = hours.at(-1);
  expect(page.audits[0]).toMatchObject({ hour: last?.hour, unexplained: 0, in_lake: expect.any(Number) });
});

it("a lake that has lost its files is found out, with every event and where it was last seen", async () => {
  for (const path of await listLakeFiles(livora.lake, livora.client_id)) await rm(join(livora.lake, path));
  const { code, hours } = await auditJson();
  expect(code).toBe(1);
  const differences = hours.flatMap((hour) => hour.details.differences);
  const missing = differences.filter((difference) => difference.kind === "missing");
  expect(missing.length).toBe(hours.reduce((sum, hour) => sum + hour.received - hour.dropped, 0));
  expect(missing.every((difference) => /^lake: .* is gone$/.test(difference.last_seen))).toBe(true);
  const { code: shown, text } = await runAudit();
  expect(shown).toBe(1);
  expect(text).toContain(`! missing ${missing[0]?.event_id}`);
});

it("says what is wrong with what was typed, and where there is nothing to audit", async () => {
  expect(await runAudit("--from", "yesterday")).toEqual({
    code: 2,
    text: '--from takes a time such as 2026-11-21T10:00:00Z, not "yesterday"\n',
  });
  const { code, text } = await runAudit("--from", "2026-10-01T10:00:00Z", "--to", "2026-10-01T11:00:00Z");
  expect({ code, text }).toEqual({ code: 0, text: "Nothing was acknowledged in that time, and no message begun.\n" });
});
