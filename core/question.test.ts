import { expect, test } from "vitest";

import { identifyQuestion } from "./question.ts";

const question = { kind: "funnel", params: { steps: ["a", "b"], unit: "user" } };
const idOf = (...args: Parameters<typeof identifyQuestion>) => identifyQuestion(...args).question_id;

test("the same question of the same data is one, in whatever order its parts come", () => {
  const turned = { kind: "funnel", params: { unit: "user", steps: ["a", "b"] } };
  expect(idOf("c", turned, "1")).toBe(idOf("c", question, "1"));
});

test("another client, kind, parameter or state of the data makes another one", () => {
  const others = [
    idOf("c", question, "1"),
    idOf("d", question, "1"),
    idOf("c", { ...question, kind: "paths" }, "1"),
    idOf("c", { ...question, params: { ...question.params, steps: ["b", "a"] } }, "1"),
    idOf("c", question, "2"),
  ];
  expect(new Set(others).size).toBe(others.length);
});
