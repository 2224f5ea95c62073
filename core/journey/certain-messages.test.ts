import { expect, test } from "vitest";

import { certainMessages } from "./certain-messages.ts";
import type { JourneyNode } from "./nodes/index.ts";

const message = (next: string): JourneyNode => ({ type: "message", channel: "email", template: "t", next });
const exit: JourneyNode = { type: "exit", reason: "completed" };
const branch = (next: string, otherwise: string): JourneyNode => ({
  type: "branch",
  branches: [{ when: [{ path: "props.vip", op: "eq", value: true }], next }],
  otherwise,
});

test("all of a line, none of a branch, what comes before and after it", () => {
  expect(certainMessages({ start: "a", nodes: { a: message("b"), b: message("end"), end: exit } })).toEqual(["a", "b"]);
  const forked = {
    first: message("which"),
    which: branch("vip", "others"),
    vip: message("last"),
    others: message("last"),
    last: message("end"),
    end: exit,
  };
  expect(certainMessages({ start: "first", nodes: forked })).toEqual(["first", "last"]);
});

test("a way out past the rest, and a circle", () => {
  const left = { first: message("which"), which: branch("out", "rest"), rest: message("end"), out: exit, end: exit };
  expect(certainMessages({ start: "first", nodes: left })).toEqual(["first"]);
  const circle = { again: message("which"), which: branch("again", "end"), end: exit };
  expect(certainMessages({ start: "again", nodes: circle })).toEqual(["again"]);
});
