import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { bundleWorkflows, fingerprint } from "./bundle.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "livora-bundle-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a bundle is kept, and taken as it lies there", async () => {
  const { code } = await bundleWorkflows("lake.ts", folder);
  expect(code).toContain("compactLake");
  const [name = "", ...others] = readdirSync(folder);
  expect([name, others]).toEqual([expect.stringMatching(/^lake\.ts-[0-9a-f]{16}\.js$/), []]);
  expect(readFileSync(join(folder, name), "utf8")).toBe(code);
  writeFileSync(join(folder, name), "as it lies there");
  expect(await bundleWorkflows("lake.ts", folder)).toEqual({ code: "as it lies there" });
});

test("what was kept of other sources is not taken, and goes", async () => {
  writeFileSync(join(folder, "lake.ts-0123456789abcdef.js"), "of yesterday");
  writeFileSync(join(folder, "etl.ts-0123456789abcdef.js"), "another's");
  const { code } = await bundleWorkflows("lake.ts", folder);
  expect(code).not.toBe("of yesterday");
  expect(readdirSync(folder)).toHaveLength(2);
  expect(readFileSync(join(folder, "etl.ts-0123456789abcdef.js"), "utf8")).toBe("another's");
});

test("where nothing can be kept there is a bundle all the same", async () => {
  writeFileSync(join(folder, "a file"), "");
  expect((await bundleWorkflows("lake.ts", join(folder, "a file"))).code).toContain("compactLake");
});

test("any change of a source changes the fingerprint, a test does not", async () => {
  for (const room of ["workflows/lake", "core"]) mkdirSync(join(folder, room), { recursive: true });
  writeFileSync(join(folder, "core/a.ts"), "1");
  const seen = [await fingerprint(folder)];
  const change = async (make: () => void) => {
    make();
    seen.push(await fingerprint(folder));
  };
  await change(() => writeFileSync(join(folder, "core/a.ts"), "2"));
  await change(() => writeFileSync(join(folder, "workflows/lake/b.ts"), "1"));
  await change(() => renameSync(join(folder, "core/a.ts"), join(folder, "core/c.ts")));
  await change(() => writeFileSync(join(folder, "package-lock.json"), "{}"));
  expect(new Set(seen).size).toBe(seen.length);
  writeFileSync(join(folder, "core/c.test.ts"), "1");
  expect(await fingerprint(folder)).toBe(seen.at(-1));
});
