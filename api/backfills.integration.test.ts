import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { makeTemporaryFolder } from "../infra/local/temporary-folder.ts";
import { sweepBackfillFiles } from "../platform/backfill/sweep-files.ts";
import { backfills } from "../platform/postgres/schema.ts";
import { type Asked, startTestApi, type TestApi } from "../test/support/api.ts";

const MAX_BYTES = 100_000;
const MAPPING = {
  format: { type: "csv" },
  event: { event_type: "order", timestamp: { column: "at" }, user_id: { column: "who" } },
};
const folder = makeTemporaryFolder();
const [lake, imports] = [join(folder, "lake"), join(folder, "import")];
let t: TestApi;

beforeAll(async () => {
  mkdirSync(imports);
  writeFileSync(join(imports, "ours.csv"), "at,who\n");
  writeFileSync(join(imports, "large.csv"), Buffer.alloc(MAX_BYTES + 1, "x"));
  writeFileSync(join(folder, "secret.csv"), "at,who\n");
  symlinkSync(join(folder, "secret.csv"), join(imports, "link.csv"));
  t = await startTestApi({ LIVORA_LAKE: lake, LIVORA_IMPORT_DIR: imports, LIVORA_BACKFILL_MAX_BYTES: MAX_BYTES });
});
afterAll(async () => {
  await t.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (body: object, more: Asked = {}) => t.call("POST", "/api/v1/backfills", { body, ...more });
const type = (value: string) => ({ headers: { "content-type": value } });
const uploads = () => (existsSync(join(lake, "_uploads")) ? readdirSync(join(lake, "_uploads")) : []);

async function send(parts: Record<string, string | Blob>, query = "") {
  const form = new FormData();
  for (const [name, part] of Object.entries(parts)) {
    if (typeof part === "string") form.set(name, part);
    else form.set(name, part, "history.csv");
  }
  const headers = { authorization: `Bearer ${t.ours.api_key}` };
  const response = await fetch(`${t.base}/api/v1/backfills${query}`, { method: "POST", headers, body: form });
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test expects of it, it says
  return { status: response.status, body: (await response.json()) as any };
}

const mapping = JSON.stringify(MAPPING);
const file = new Blob(["at,who\n2024-01-01T10:00:00Z,a\n"]);

describe("POST /api/v1/backfills", () => {
  test("takes a form, or a path, and answers at once", async () => {
    const sent = await send({ file, mapping, note: "last year" });
    expect(sent).toMatchObject({ status: 202, body: { state: "running", note: "last year", rate_per_second: 2_000 } });
    expect(sent.body.workflow_id).toBe(`backfill:${t.ours.client_id}:${sent.body.backfill_id}`);
    expect(uploads()).toContain(sent.body.backfill_id);
    const named = await ask({ path: "ours.csv", mapping: MAPPING });
    expect(named).toMatchObject({ status: 202, body: { file: { path: "ours.csv", bytes: 7 } } });
    const listed = await t.call("GET", "/api/v1/backfills?limit=1");
    expect(listed.body.backfills).toMatchObject([{ backfill_id: named.body.backfill_id, read: 0 }]);
    expect(listed.body.next_cursor).not.toBeNull();
  });

  test.each([
    ["a mapping that is none", { file, mapping: "{" }, "", 400, "/mapping"],
    ["no mapping", { file }, "", 400, "/mapping"],
    ["no file", { mapping }, "", 400, "/file"],
    ["a mapping with a fault", { file, mapping: mapping.replace("csv", "xls") }, "", 400, "/mapping/format/type"],
    ["a rate that is none", { file, mapping, rate_per_second: "fast" }, "", 400, "/rate_per_second"],
    ["a field that nobody knows", { file, mapping, dry: "yes" }, "", 400, ""],
    ["a query that nobody knows", { file, mapping }, "?dry_run=maybe", 400, "/dry_run"],
    ["a file too large", { file: new Blob([Buffer.alloc(MAX_BYTES + 1)]), mapping }, "", 413, undefined],
  ])("refuses %s, and keeps nothing of it", async (_, parts: Record<string, string | Blob>, query, status, path) => {
    const before = uploads();
    const answer = await send(parts, query);
    expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([status, path]);
    expect(uploads()).toEqual(before);
  });

  test.each([
    ["../secret.csv", "leads out of the folder that files may be read from"],
    ["/etc/passwd", "leads out of the folder that files may be read from"],
    ["link.csv", "leads out of the folder that files may be read from"],
    ["nothing.csv", "there is no such file"],
    [".", "leads out of the folder that files may be read from"],
  ])("refuses the path %s", async (path, reason) => {
    const { status, body } = await ask({ path, mapping: MAPPING });
    expect([status, body.errors]).toEqual([400, [{ path: "/path", reason }]]);
  });

  test("refuses by its path a file too large, bytes that are no form, and who may not", async () => {
    expect((await ask({ path: "large.csv", mapping: MAPPING })).status).toBe(413);
    expect((await ask({}, { raw: "x", ...type("multipart/form-data; boundary=y") })).status).toBe(400);
    expect((await ask({}, { raw: "x", ...type("multipart/form-data") })).status).toBe(400);
    expect((await ask({}, { raw: "a,b", ...type("text/csv") })).status).toBe(415);
    const reader = await t.addKey(["read"]);
    expect((await ask({ path: "ours.csv", mapping: MAPPING }, { key: reader })).status).toBe(403);
  });
});

test("its files go when they have been kept long enough, and not before; the row stays", async () => {
  const [old, recent] = await Promise.all([send({ file, mapping }), send({ file, mapping })]);
  const end = (id: string, ended_at: string) =>
    t.api.db.update(backfills).set({ state: "done", ended_at, rejects_bytes: 10 }).where(eq(backfills.id, id));
  await end(old.body.backfill_id, "2020-01-01T00:00:00Z");
  await end(recent.body.backfill_id, new Date().toISOString());
  expect(await sweepBackfillFiles(t.api)).toBeGreaterThanOrEqual(1);
  expect(uploads()).toContain(recent.body.backfill_id);
  expect(uploads()).not.toContain(old.body.backfill_id);
  const path = `/api/v1/backfills/${old.body.backfill_id}`;
  expect((await t.call("GET", path)).body).toMatchObject({ state: "done" });
  expect((await t.call("GET", `${path}/rejects`)).status).toBe(404);
});

test("another client's backfill is not there, whatever is asked of it", async () => {
  const { body } = await ask({ path: "ours.csv", mapping: MAPPING });
  const theirs = { key: t.theirs.api_key };
  const path = `/api/v1/backfills/${body.backfill_id}`;
  const answers = await Promise.all([
    t.call("GET", path, theirs),
    t.call("GET", `${path}/rejects`, theirs),
    ...["pause", "resume", "cancel"].map((verb) => t.call("POST", `${path}/${verb}`, theirs)),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
  expect((await t.call("GET", "/api/v1/backfills", theirs)).body.backfills).toEqual([]);
});
