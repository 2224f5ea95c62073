import * as fc from "fast-check";
import { expect, test } from "vitest";

import { addToProfile, factsOf, mergeProfiles, type Profile, type Sighting } from "./profile.ts";

const T = (minute: number) => new Date(Date.UTC(2026, 10, 21, 10, minute)).toISOString();
const sighting = (minute: number, event_type: string, props: Record<string, unknown> = {}): Sighting => ({
  at: T(minute),
  event: { event_id: `e-${minute}`, event_type, props },
  country: null,
  device: null,
});
const fold = (...sightings: Sighting[]) =>
  sightings.reduce<Profile | undefined>((profile, next) => addToProfile(profile, next), undefined);

test("when seen, and when last which event", () => {
  const profile = fold(sighting(5, "page_view"), sighting(9, "add_to_cart"), sighting(2, "page_view"));
  expect(profile).toMatchObject({
    first_seen_at: T(2),
    last_seen_at: T(9),
    last_event_at: { page_view: T(5), add_to_cart: T(9) },
  });
});

test("which event the latest purchase was, in whatever order they come and under whichever keys", () => {
  const shopping = fc.array(fc.tuple(fc.nat(30), fc.constantFrom("purchase", "page_view")), { minLength: 1 });
  fc.assert(
    fc.property(shopping, fc.nat(), (events, cut) => {
      const sightings = events.map(([minute, type]) => sighting(minute, type));
      const at = cut % events.length;
      const [one, other] = [fold(...sightings.slice(0, at)), fold(...sightings.slice(at))];
      const latest = Math.max(...events.filter(([, type]) => type === "purchase").map(([minute]) => minute));
      const known = Number.isFinite(latest) ? { event_id: `e-${latest}`, at: T(latest) } : undefined;
      expect(mergeProfiles([one, other].filter((profile) => profile !== undefined))?.last_purchase).toEqual(known);
      expect(fold(...sightings.toReversed())?.last_purchase).toEqual(known);
    }),
  );
});

test("traits that identify a person never get in, not under another name either", () => {
  const profile = fold(
    sighting(1, "identify", {
      email: "a@b.example",
      phone: "+919812345678",
      name: "Asha",
      push_token: "t",
      backup_mail: "asha@b.example",
      second_number: "098123 45678",
      plan: "gold",
      visits: 3,
      vip: true,
      locale: "hi-IN",
      nested: { email: "x" },
    }),
  );
  const told = { plan: "gold", visits: 3, vip: true, locale: "hi-IN" };
  expect(factsOf(profile as Profile).attributes).toEqual({ ...told, country: null, device: null });
});

test("the latest word on a trait counts, in whatever order it comes", () => {
  const words = fc.array(fc.tuple(fc.nat(30), fc.constantFrom("a", "b", "__proto__"), fc.string()), { maxLength: 20 });
  fc.assert(
    fc.property(words, (told) => {
      const sightings = told.map(([minute, name, value]) =>
        sighting(minute, "identify", Object.fromEntries([[name, value]])),
      );
      expect(fold(...sightings.toReversed())).toEqual(fold(...sightings));
    }),
  );
});

test("a sender that makes up types and traits does not fill the item", () => {
  const types = Array.from({ length: 200 }, (_, n) => sighting(n, `type-${n}`));
  const traits = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`trait-${n}`, "x".repeat(1000)]));
  const profile = fold(...types, sighting(300, "identify", traits)) as Profile;
  expect(Object.keys(profile.last_event_at)).toHaveLength(64);
  expect(profile.last_event_at).toHaveProperty("type-199");
  expect(Object.keys(profile.attributes)).toHaveLength(100);
  expect(JSON.stringify(profile).length).toBeLessThan(60_000);
});

test("one person under several keys is the same in any order, and as if under one", () => {
  const events = fc.array(fc.tuple(fc.nat(100), fc.constantFrom("page_view", "purchase", "login"), fc.nat(2)), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(events, (told) => {
      const profiles = [0, 1, 2]
        .map((key) => fold(...told.filter(([, , of]) => of === key).map(([minute, type]) => sighting(minute, type))))
        .filter((profile) => profile !== undefined);
      const whole = fold(...told.map(([minute, type]) => sighting(minute, type)));
      expect(mergeProfiles(profiles)).toEqual(whole);
      expect(mergeProfiles(profiles.toReversed())).toEqual(whole);
    }),
  );
});
