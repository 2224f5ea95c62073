import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApi, type TestApi } from "../../test/support/api.ts";
import { SEED_CAMPAIGN } from "../../test/support/seed-campaign.ts";

const SCRIPT = join(import.meta.dirname, "main.ts");
let t: TestApi;
let folder: string;
beforeAll(async () => {
  t = await startTestApi();
  folder = mkdtempSync(join(tmpdir(), "livora-journeys-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await t.close();
});

function keep(name: string, json: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof json === "string" ? json : JSON.stringify(json));
  return file;
}

function run(...args: string[]): Promise<{ code: number; said: string }> {
  const remote = ["--url", t.base, "--key", t.ours.api_key];
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...remote, ...args], { encoding: "utf8" }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, said: stdout + stderr });
    });
  });
}

const TESTS = [
  {
    name: "a cart left behind",
    steps: [
      { event: "add_to_cart", props: { cart_id: "c1" } },
      { advance: "31m" },
      { expect_message: ["whatsapp", "reminder"] },
      { expect_at: "delay-2" },
      { event: "purchase" },
      { expect_end: "stopped", reason: "purchase" },
      { advance: "2d" },
      { expect_silence: true },
      { expect_runs: 1 },
    ],
  },
];

test("a file is checked with its tests, compared, applied and published; then there is nothing to change", async () => {
  const file = keep("carts.json", SEED_CAMPAIGN);
  keep("carts.tests.json", TESTS);
  const checked = await run("check", file);
  expect(checked).toEqual({ code: 0, said: expect.stringContaining("✓ a cart left behind") });
  expect(await run("diff", file)).toEqual({ code: 1, said: expect.stringContaining("camp_123: new") });
  expect((await run("apply", file)).said).toContain("camp_123: kept as the draft");
  expect((await run("apply", file, "--publish")).said).toContain("version 1 runs from now on");
  const same = await run("diff", file);
  expect(same).toEqual({ code: 0, said: expect.stringContaining("as it is (active, version 1 runs)") });

  const [first, ...others] = SEED_CAMPAIGN.schedule;
  keep("carts.json", { ...SEED_CAMPAIGN, name: "Carts", schedule: [{ ...first, delay_minutes: 20 }, ...others] });
  const changed = await run("diff", file);
  expect(changed.said).toContain('+ /name "Carts"');
  expect(changed.said).toContain("~ /schedule/0/delay_minutes 30 → 20");
  expect((await t.call("GET", "/api/v1/campaigns/camp_123")).body).toMatchObject({ draft: SEED_CAMPAIGN });
});

test("nothing is applied while one of the files is wrong, or one of their tests fails", async () => {
  const good = keep("good.json", { ...SEED_CAMPAIGN, campaign_id: "good" });
  const bad = keep("bad.json", { ...SEED_CAMPAIGN, campaign_id: "bad", trigger: 7 });
  const refused = await run("apply", good, bad);
  expect(refused).toEqual({ code: 1, said: expect.stringContaining("✗ /trigger") });
  keep("good.tests.json", [
    { name: "too soon", steps: [{ event: "add_to_cart" }, { expect_message: ["email", "x"] }] },
  ]);
  const failed = await run("apply", good);
  expect(failed.code).toBe(1);
  expect(failed.said).toContain('✗ too soon: step 2: expected one email message "x", but: ');
  expect((await t.call("GET", "/api/v1/campaigns/good")).status).toBe(404);
});

test.each([
  ["no JSON", "{", "is no JSON"],
  ["no campaign", "[]", "✗"],
])("%s: it is said", async (_, text, said) => {
  expect(await run("check", keep("odd.json", text))).toEqual({ code: 1, said: expect.stringContaining(said) });
});

test("called wrongly it says how", async () => {
  expect(await run("check", join(folder, "nowhere.json"))).toMatchObject({
    code: 1,
    said: expect.stringContaining("ENOENT"),
  });
  expect(await run("publish", "x")).toEqual({ code: 2, said: expect.stringContaining("npm run journeys -- check") });
  const file = keep("other.json", { ...SEED_CAMPAIGN, campaign_id: "other" });
  const stranger = await run("diff", file, "--key", "lv_nobody");
  expect(stranger).toMatchObject({ code: 1, said: expect.stringContaining("401") });
});
