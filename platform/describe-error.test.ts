import { Writable } from "node:stream";

import { DrizzleQueryError } from "drizzle-orm";
import { expect, test } from "vitest";

import { AppError } from "../core/errors.ts";
import { describeError } from "./describe-error.ts";
import { createLogger } from "./logger.ts";

const ADDRESS = "asha@example.com";
const postgresError = Object.assign(new Error(`invalid input syntax for type uuid: "${ADDRESS}"`), {
  code: "22P02",
  detail: `Key (email)=(${ADDRESS}) already exists.`,
  parameters: [ADDRESS],
});
const failed = new AppError("internal", "it failed", {
  cause: new DrizzleQueryError("select * from contacts where email = $1", [ADDRESS], postgresError),
});

test("what failed and where, not what it failed on", () => {
  const described = describeError(failed);
  expect(described).toMatchObject({
    type: "AppError",
    code: "internal",
    message: "it failed",
    stack: expect.stringContaining("describe-error.test.ts"),
    cause: {
      message: "Failed query: select * from contacts where email = $1",
      cause: { code: "22P02", message: 'invalid input syntax for type uuid: "…"' },
    },
  });
  expect(JSON.stringify(described)).not.toContain(ADDRESS);
});

test("the logger describes errors so, and their messages too", () => {
  const lines: string[] = [];
  const sink = new Writable({ write: (line, _, done) => (lines.push(String(line)), done()) });
  const log = createLogger("test", { LIVORA_LOG_LEVEL: "info" }, sink);
  log.error({ err: failed }, "failed");
  log.error({ err: (failed.cause as Error).message }, "failed");
  log.error(failed);
  expect(lines).toHaveLength(3);
  expect(lines.join("")).not.toContain(ADDRESS);
});

test("an error that is its own cause comes to an end", () => {
  const error = new Error("again");
  error.cause = error;
  expect(JSON.stringify(describeError(error)).match(/again/g)).toHaveLength(6);
});
