import { expect, test } from "vitest";

import {
  exitCodeOf,
  hoursBetween,
  NO_AUDITS,
  parseAuditFolder,
  receiptsFolder,
  selectHours,
  verdictOf,
} from "./audit.ts";
import { HOUR_MS } from "./time.ts";

const HOUR = Date.parse("2026-11-21T10:00:00.000Z");

test("an hour's folder reads back, and nothing else does", () => {
  expect(receiptsFolder(HOUR)).toBe("audit/receipts/dt=2026-11-21/hour=10");
  expect(parseAuditFolder(receiptsFolder(HOUR))).toBe(HOUR);
  expect(parseAuditFolder("audit/receipts/../raw")).toBeUndefined();
});

test("hours that a time touches", () => {
  expect(hoursBetween(HOUR + 1, HOUR + HOUR_MS)).toEqual([HOUR]);
  expect(hoursBetween(HOUR, HOUR + HOUR_MS + 1)).toEqual([HOUR, HOUR + HOUR_MS]);
  expect(hoursBetween(HOUR, HOUR)).toEqual([]);
});

test("a difference is one whatever else is not known; nothing is well before it is settled", () => {
  const hour = { endsAtMs: HOUR, settledMs: HOUR, unexplained: 0, isKnown: true };
  expect(verdictOf(hour)).toBe("ok");
  expect(verdictOf({ ...hour, settledMs: HOUR - 1 })).toBe("open");
  expect(verdictOf({ ...hour, isKnown: false })).toBe("unknown");
  expect(verdictOf({ ...hour, isKnown: false, unexplained: 1 })).toBe("difference");
});

test("the exit code", () => {
  expect(exitCodeOf(NO_AUDITS)).toBe(0);
  expect(exitCodeOf({ ...NO_AUDITS, unknown: 1 })).toBe(2);
  expect(exitCodeOf({ ...NO_AUDITS, unknown: 1, differing: 1 })).toBe(1);
});

test("an hour that is well is looked at once more, a day later", () => {
  const audited = (atMs: number) => [{ hourMs: HOUR, auditedAtMs: atMs, isWell: true }];
  const [soon, later] = [HOUR + 2 * HOUR_MS, HOUR + 25 * HOUR_MS];
  expect(selectHours(soon, [])).toContain(HOUR);
  expect(selectHours(soon, audited(soon))).not.toContain(HOUR);
  expect(selectHours(soon, [{ hourMs: HOUR, auditedAtMs: soon, isWell: false }])).toContain(HOUR);
  expect(selectHours(later, audited(soon))).toContain(HOUR);
  expect(selectHours(later, audited(later))).not.toContain(HOUR);
  expect(selectHours(HOUR + 30 * HOUR_MS, [])).not.toContain(HOUR);
});
