import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { openJournal } from "./journal.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "livora-journal-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

it("has after a crash what was acknowledged before it, and not the line that was cut short", async () => {
  const path = join(dir, "deep", "journal.jsonl");
  const first = await openJournal<number>(path);
  await Promise.all([1, 2, 3].map((entry) => first.append(entry)));
  await first.close();
  appendFileSync(path, '{"half":');
  const second = await openJournal<number>(path);
  expect(second.entries).toEqual([1, 2, 3]);
  await second.append(4);
  await second.close();
  const third = await openJournal<number>(path);
  expect(third.entries).toEqual([1, 2, 3, 4]);
  await third.close();
});
