import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { plant } from "./bug.ts";
import { findBug } from "./bugs.ts";

/**
 * The same for processes that a test starts, which read the source without vitest:
 * `NODE_OPTIONS=--import=<this file>`, and `LIVORA_PLANTED_BUG` as for the plugin.
 */
const name = process.env.LIVORA_PLANTED_BUG;
if (name) {
  const bug = findBug(name);
  const url = pathToFileURL(join(import.meta.dirname, "../..", bug.file)).href;
  registerHooks({
    load(at, context, next) {
      const loaded = next(at, context);
      return at === url ? { ...loaded, source: plant(bug, String(loaded.source)) } : loaded;
    },
  });
}
