import { describe, expect, test } from "vitest";

import { compileSchema } from "./compile.ts";
import { findIncompatibilities } from "./compatibility.ts";
import { describeVerdict, judgeProps, type RegisteredSchema } from "./registered-schema.ts";
import type { PropsSchema, ValueSchema } from "./schema.ts";

const version = (number: number, inForceFromMs: number, properties: Record<string, ValueSchema>) => ({
  version: number,
  inForceFromMs,
  check: compileSchema({ type: "object", properties, required: Object.keys(properties) }, ["props"]),
});
const schema: RegisteredSchema = {
  versions: [version(1, 1_000, { price: { type: "number" } }), version(2, 2_000, { price: { type: "string" } })],
  mode: "enforce",
  modeFromMs: 1_500,
  modeBefore: "observe",
};

describe("an event is held to what was in force when it was received", () => {
  test.each<[string, number, unknown, string | null]>([
    ["before any version", 999, {}, null],
    ["the first, observed", 1_000, { price: "1" }, "1 observe"],
    ["the first, enforced", 1_500, { price: "1" }, "1 enforce"],
    ["the second", 2_000, { price: 1 }, "2 enforce"],
    ["the latest, replayed", Infinity, { price: 1 }, "2 enforce"],
    ["what fits", 2_000, { price: "1" }, null],
    ["no props at all are none", 2_000, null, "2 enforce"],
  ])("%s", (_, receivedAtMs, props, said) => {
    const verdict = judgeProps(schema, props, receivedAtMs);
    expect(verdict && `${verdict.version} ${verdict.mode}`).toBe(said);
  });
});

test("the reason says where and why, and nothing of what the event holds", () => {
  const strict = compileSchema(
    { type: "object", properties: { price: { type: "number" } }, additionalProperties: false },
    ["props"],
  );
  const misfits = strict({ price: "secret", other: "secret", more: "secret" });
  const reason = describeVerdict({ version: 3, mode: "enforce", misfits });
  expect(reason).toBe("does not fit version 3: /props/price is string, not number; /props/* is not described");
});

const tell = (...asked: Parameters<typeof findIncompatibilities>) =>
  findIncompatibilities(...asked).map(({ path, reason }) => `${path} ${reason}`);

describe("the next version", () => {
  const one: PropsSchema = { type: "object", properties: { price: { type: "number" } } };
  const two: PropsSchema = { type: "object" };
  const three: PropsSchema = { type: "object", properties: { price: { type: "string" } } };
  const line = [
    { version: 1, schema: one },
    { version: 2, schema: two },
  ];

  test("is held to all before it, not only to the last", () => {
    expect(findIncompatibilities(three, line.slice(1), "backward")).toEqual([]);
    expect(findIncompatibilities(three, line, "backward").map(({ reason }) => reason)).toEqual([
      "the new version does not take numbers; version 1 may write otherwise",
    ]);
  });

  test("is held to what was asked for", () => {
    const narrow: PropsSchema = { ...one, required: ["price"] };
    const requires = "/price the new version requires it; version 1 may write otherwise";
    expect(tell(narrow, line.slice(0, 1), "backward")).toEqual([requires]);
    expect(tell(narrow, line.slice(0, 1), "full")).toEqual([requires]);
    expect(tell(narrow, line.slice(0, 1), "forward")).toEqual([]);
    expect(tell(narrow, line.slice(0, 1), "none")).toEqual([]);
  });
});
