import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const page = readFileSync(join(ROOT, "docs/guarantees.md"), "utf8").split("## Not promised")[0]!;
const promises = page.split(/^- /m).slice(1);

/** "  `file`: name" for each. */
function testsOf(promise: string): { file: string; name: string }[] {
  return [...promise.matchAll(/^ {2}`([^`]+\.test\.ts)`: (.+)$/gm)].map(([, file = "", name = ""]) => ({ file, name }));
}

function isThere({ file, name }: { file: string; name: string }): boolean {
  if (!existsSync(join(ROOT, file))) return false;
  const source = readFileSync(join(ROOT, file), "utf8");
  return ["(", ", ", "\n  ", "\n    "].some((before) => source.includes(`${before}"${name}"`));
}

describe("docs/guarantees.md", () => {
  it("would notice a test that is not there", () =>
    expect(isThere({ file: "test/guarantees.test.ts", name: "promises nothing" })).toBe(false));

  it("promises something", () => expect(promises.length).toBeGreaterThan(20));

  it.each(promises.map((promise) => [promise.split("\n", 1)[0]!, promise] as const))("%s", (_, promise) => {
    const tests = testsOf(promise);
    expect(tests.length).toBeGreaterThan(0);
    expect(tests.filter((test) => !isThere(test))).toEqual([]);
  });
});
