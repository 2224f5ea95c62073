import { expect, it } from "vitest";

import { journeyGraphSchema } from "./definition.ts";
import { canonicalJson, hashDefinition } from "./hash.ts";
import { validateJourney } from "./validate.ts";

const exit = { type: "exit" };
const message = (next: string) => ({ type: "message", channel: "email", template: "t", next });
const parse = (nodes: Record<string, unknown>, start = Object.keys(nodes)[0]) =>
  journeyGraphSchema().parse({ start, nodes });
const faultsOf = (nodes: Record<string, unknown>, start?: string) => validateJourney(parse(nodes, start));

it("lets a journey through that hangs together", () => {
  expect(faultsOf({ a: message("b"), b: { type: "delay", ms: 1, next: "c" }, c: exit })).toEqual([]);
});

it("names an edge that leads nowhere", () => {
  expect(faultsOf({ a: message("nowhere"), b: exit })).toEqual([
    { path: "/nodes/a/next", reason: 'leads to no node: "nowhere"' },
  ]);
  expect(faultsOf({ b: exit }, "a")).toEqual([{ path: "/start", reason: 'names no node: "a"' }]);
});

it("names a node that is never reached", () => {
  expect(faultsOf({ a: exit, b: exit })).toEqual([{ path: "/nodes/b", reason: "is never reached from the start" }]);
});

it("names nodes from which there is no end", () => {
  const faults = faultsOf({ a: { type: "delay", ms: 5, next: "b" }, b: { type: "delay", ms: 5, next: "a" } });
  expect(faults.map((fault) => fault.path)).toEqual(["/nodes/a", "/nodes/b"]);
});

it("names a question that nobody can answer about a person", () => {
  const which = { type: "branch", branches: [{ when: [{ path: "props.vip" }], next: "end" }], otherwise: "end" };
  expect(faultsOf({ which, end: exit })[0]).toMatchObject({ path: "/nodes/which/branches/0/when/0/path" });
});

const faultsAbout = (path: string) => {
  const which = { type: "branch", branches: [{ when: [{ path }], next: "end" }], otherwise: "end" };
  return faultsOf({ which, end: exit });
};

it("lets conditions ask about a prop of the entry event, not about all of it", () => {
  expect(faultsAbout("entry.cart.total")).toEqual([]);
  expect(faultsAbout("entry")[0]?.reason).toMatch(/"entry" is neither/);
});

const circle = (slow: object) => ({
  ask: message("which"),
  which: { type: "branch", branches: [{ when: [{ path: "attributes.vip" }], next: "end" }], otherwise: "slow" },
  slow,
  end: exit,
});

it("wants a circle to take time", () => {
  expect(faultsOf(circle({ type: "delay", ms: 1000, next: "ask" }))).toEqual([]);
  expect(faultsOf(circle({ type: "delay", ms: 1000, since: "entry", next: "ask" })).map((fault) => fault.path)).toEqual(
    ["/nodes/ask", "/nodes/which", "/nodes/slow"],
  );
});

it("refuses types that nobody knows, in the schema and in the graph", () => {
  expect(journeyGraphSchema().safeParse({ start: "a", nodes: { a: { type: "teleport" } } }).success).toBe(false);
  expect(validateJourney({ start: "a", nodes: { a: { type: "teleport" } as never } })[0]?.path).toBe("/nodes/a/type");
});

it("hashes what a definition says, not how it is written", () => {
  expect(hashDefinition({ b: 1, a: [{ d: 1, c: undefined }] })).toBe(hashDefinition({ a: [{ d: 1 }], b: 1 }));
  expect(canonicalJson({ b: [1, null], a: "x" })).toBe('{"a":"x","b":[1,null]}');
  expect(hashDefinition({ a: [1, 2] })).not.toBe(hashDefinition({ a: [2, 1] }));
});
