import * as fc from "fast-check";
import { expect, test } from "vitest";

import { addViolation, sumViolations, type Violation, type ViolationHour, violationHourOf } from "./violations.ts";

const drawn = fc.record({
  version: fc.integer({ min: 1, max: 2 }),
  mode: fc.constantFrom("observe" as const, "enforce" as const),
  misfits: fc.uniqueArray(
    fc.constantFrom("/a", "/b", "/c").map((path) => ({ path, reason: "is missing" })),
    {
      minLength: 1,
      selector: ({ path }) => path,
    },
  ),
  receivedAt: fc.constantFrom("2026-11-21T10:00:00.000Z", "2026-11-21T10:20:00.000Z", "2026-11-21T10:59:59.999Z"),
  eventId: fc.uuid(),
});

const countAll = (violations: readonly Violation[]) =>
  violations.reduce<ViolationHour | undefined>((before, violation) => addViolation(before, violation), undefined);
const sorted = (hour: ViolationHour | undefined) => ({
  ...hour,
  misfits: hour?.misfits.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
});

const withoutHours = <T extends object>(misfit: T) => ({ ...misfit, hours: undefined });

test("counts are the same in whichever order events come, and in however many items", () => {
  fc.assert(
    fc.property(fc.array(drawn, { minLength: 1, maxLength: 20 }), fc.nat(20), (violations, cut) => {
      const all = countAll(violations);
      expect(sorted(countAll(violations.toReversed()))).toEqual(sorted(all));
      const parts = [violations.slice(0, cut), violations.slice(cut)].flatMap((part) => countAll(part) ?? []);
      const summed = sumViolations(parts.map((found) => ({ hour: "h", found })));
      expect(summed.events).toBe(violations.length);
      const total = violations.flatMap(({ misfits }) => misfits).length;
      expect(summed.misfits.reduce((sum, { count }) => sum + count, 0)).toBe(total);
      expect(summed.misfits.flatMap(({ hours }) => hours).reduce((sum, { count }) => sum + count, 0)).toBe(total);
      const whole = sumViolations([{ hour: "h", found: all! }]).misfits.map(withoutHours);
      const inParts = summed.misfits.map(withoutHours);
      expect(sorted({ events: 0, misfits: inParts })).toEqual(sorted({ events: 0, misfits: whole }));
    }),
    { numRuns: 300 },
  );
});

test("an hour holds so many kinds, and counts the rest together", () => {
  const kinds = Array.from({ length: 150 }, (_, n) => ({ path: `/${n}`, reason: "is missing" }));
  const at = { version: 1, mode: "observe", receivedAt: "2026-11-21T10:00:00.000Z", eventId: "e" } as const;
  const counted = countAll(kinds.map((misfit) => ({ ...at, misfits: [misfit] })));
  expect(counted?.events).toBe(150);
  expect(counted?.misfits).toHaveLength(101);
  expect(counted?.misfits.at(-1)).toMatchObject({ reason: "(others)", count: 50 });
});

test("an hour is named after its beginning", () => {
  expect(violationHourOf(Date.parse("2026-11-21T10:59:59.999Z"))).toBe("2026-11-21T10:00Z");
});
