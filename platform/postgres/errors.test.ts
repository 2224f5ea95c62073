import { expect, test } from "vitest";

import { AppError } from "../../core/errors.ts";
import { toAppError } from "./errors.ts";

const failed = (code: string) =>
  new Error("Failed query: select secret", { cause: Object.assign(new Error(), { code }) });

test.each([
  ["08006", "unavailable"],
  ["53300", "unavailable"],
  ["57P03", "unavailable"],
  ["40001", "unavailable"],
  ["ECONNREFUSED", "unavailable"],
  ["CONNECT_TIMEOUT", "unavailable"],
  ["CONNECTION_CLOSED", "unavailable"],
  ["22007", "invalid"],
  ["23505", "conflict"],
  ["23503", "not_found"],
  ["42P01", "internal"],
])("%s means %s", (code, expected) => {
  const error = toAppError(failed(code));
  expect(error).toMatchObject({ code: expected });
  expect(error.message).not.toContain("secret");
});

test("what is no statement's failure stays what it was", () => {
  const own = new AppError("conflict", "mine");
  const bug = new TypeError("undefined is not a function");
  expect([toAppError(own), toAppError(bug)]).toEqual([own, bug]);
});
