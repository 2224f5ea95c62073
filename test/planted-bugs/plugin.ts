import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { Plugin } from "vitest/config";
import type { VitestPluginContext } from "vitest/node";

/** What others may ask of the plugin: which bugs have really been in what was tested. */
export interface PlantedApi {
  planted: Set<string>;
}

export const PLUGIN_NAME = "livora:planted-bug";

/**
 * Puts the bug that `LIVORA_PLANTED_BUG` names into what vitest reads of `root`; without the variable it does nothing.
 * While it is set, and be it to nothing, vitest keeps none of the files that have bugs on disk: no bug may get into its cache.
 */
export function plantedBug(root: string): Plugin<PlantedApi> {
  const api: PlantedApi = { planted: new Set() };
  return {
    name: PLUGIN_NAME,
    enforce: "pre",
    api,
    async configureVitest({ defineCacheKeyGenerator }: VitestPluginContext) {
      if (process.env.LIVORA_PLANTED_BUG === undefined) return;
      const { BUGS } = await load(root);
      const files = new Set(BUGS.map((bug) => join(root, bug.file)));
      defineCacheKeyGenerator(({ id }) => (files.has(id) ? false : null));
    },
    async transform(code, id) {
      const name = process.env.LIVORA_PLANTED_BUG;
      if (!name) return null;
      const { findBug, plant } = await load(root);
      const bug = findBug(name);
      if (id !== join(root, bug.file)) return null;
      api.planted.add(name);
      return { code: plant(bug, code), map: null };
    },
  };
}

/** Only where it is asked for: the list is no part of vitest's configuration, and whoever adds to it slows down nobody. */
function load(root: string): Promise<typeof import("./bugs.ts")> {
  return import(pathToFileURL(join(root, "test/planted-bugs/bugs.ts")).href);
}
