import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { ROOT } from "../local/paths.ts";
import { describeServices } from "./documents.ts";

test.each(Object.entries(describeServices()))("docs/api/%s is fresh (npm run docs writes it)", (file, text) => {
  expect(readFileSync(join(ROOT, "docs/api", file), "utf8")).toBe(text);
});
