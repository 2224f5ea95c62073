import * as fc from "fast-check";
import { expect, test } from "vitest";

import { addAlias, type Aliases, type AnonLink, judgeLink, linkDevice, MAX_ALIASES, personOf } from "./stitch.ts";

const T = (minute: number) => new Date(Date.UTC(2026, 10, 21, 10, minute)).toISOString();

test("a user has no more devices than the limit, and each refusal is counted", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 80 }), { maxLength: 200 }), (devices) => {
      let aliases: Aliases | undefined;
      let refused = 0;
      for (const device of devices) {
        if (judgeLink(aliases, `d-${device}`) === "refused") refused++;
        aliases = addAlias(aliases, `d-${device}`, T(0));
      }
      const distinct = new Set(devices).size;
      expect(aliases?.anon_ids.length ?? 0).toBe(Math.min(distinct, MAX_ALIASES));
      expect(aliases?.refused ?? 0).toBe(refused);
      // What was linked once stays linked.
      for (const id of aliases?.anon_ids ?? []) expect(judgeLink(aliases, id)).toBe("known");
    }),
  );
});

test("the latest log-in on a device wins, whichever comes first", () => {
  const early = { user: "u-1", at: T(1) };
  const late = { user: "u-2", at: T(5) };
  for (const [first, second] of [[early, late] as const, [late, early] as const]) {
    expect(linkDevice(linkDevice(undefined, first.user, first.at), second.user, second.at)).toEqual({
      user_id: "u-2",
      linked_at: T(5),
    });
  }
});

test("the latest event of a device says whose it is, in whatever order they come, and however often", () => {
  const use = fc.record({ user: fc.constantFrom("u-1", "u-2", "u-3"), at: fc.nat(9).map(T) });
  fc.assert(
    fc.property(fc.array(use, { minLength: 1, maxLength: 12 }), fc.array(fc.nat(11)), (uses, again) => {
      const repeated = again.map((n) => uses[n % uses.length]!);
      const linked = [...uses, ...repeated].reduce<AnonLink | undefined>(
        (link, { user, at }) => linkDevice(link, user, at),
        undefined,
      );
      const latest = uses.toSorted((a, b) => b.at.localeCompare(a.at) || b.user.localeCompare(a.user))[0]!;
      expect(linked).toEqual({ user_id: latest.user, linked_at: latest.at });
    }),
  );
});

test("who an event is counted to", () => {
  const link = { user_id: "u-1", linked_at: T(0) };
  const aliases = { anon_ids: ["a-1", "a-2"], refused: 0, refused_at: null };
  expect(personOf({ user_id: "u-1", anon_id: "a-3" }, undefined, aliases)).toEqual({
    key: "user:u-1",
    user_id: "u-1",
    anon_id: "a-3",
    keys: ["user:u-1", "anon:a-3", "anon:a-1", "anon:a-2"],
  });
  expect(personOf({ anon_id: "a-1" }, link, aliases)).toMatchObject({
    key: "user:u-1",
    keys: ["user:u-1", "anon:a-1", "anon:a-2"],
  });
  expect(personOf({ anon_id: "a-9" }, undefined, undefined)).toMatchObject({
    key: "anon:a-9",
    user_id: null,
    keys: ["anon:a-9"],
  });
  expect(personOf({ session_id: "s" }, undefined, undefined)).toMatchObject({ key: "session:s", keys: ["session:s"] });
});
