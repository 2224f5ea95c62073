import { expect, test } from "vitest";
import { z } from "zod";

import { eventSchema, MAX_CLOCK_SKEW_MS, MAX_DEPTH, MAX_EVENT_BYTES } from "../event.ts";
import { hashDefinition } from "../journey/hash.ts";
import { CANONICAL_VERSIONS } from "./canonical-event.ts";

/** Of each version's schema: what has been published stays as it is. */
const HASHES = ["90175a0211ce925df903784ff8656217adcb740636be33467bcb8a9df7335708"];

test("the last version is the event as it is checked today: whoever changes that adds a version", () => {
  const { $schema, $defs } = z.toJSONSchema(eventSchema, { io: "input" });
  expect(CANONICAL_VERSIONS.at(-1)?.schema).toEqual({ $schema, ...$defs?.["Event"] });
  const rules = CANONICAL_VERSIONS.at(-1)?.rules.join(" ");
  for (const limit of [MAX_DEPTH, MAX_EVENT_BYTES]) expect(rules).toContain(String(limit));
  expect(MAX_CLOCK_SKEW_MS).toBe(3_600_000);
});

test("no version that was published is changed, and none is missing", () => {
  expect(CANONICAL_VERSIONS.map(({ version }) => version)).toEqual(HASHES.map((_, n) => n + 1));
  expect(CANONICAL_VERSIONS.map(({ schema }) => hashDefinition(schema))).toEqual(HASHES);
});
