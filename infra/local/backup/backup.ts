import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

import { lockFolder } from "../lock.ts";
import { ROOT } from "../paths.ts";
import { findRunning } from "../process.ts";
import { raiseBarrier } from "./barrier.ts";
import { createCopy } from "./copy.ts";
import { type Manifest, writeManifest } from "./manifest.ts";
import { findPlaces, isWithin } from "./places.ts";

const HELP = `npm run backup -- <folder>

Copies all of this machine's Livora, as it is at one moment, into a folder that must be empty or not there. Livora may run
meanwhile: it stands still for the moment that the message names, and loses nothing by it. See docs/runbooks/restore.md.

  LIVORA_DATA_DIR   what is copied (.livora)`;

/** `npm run backup`: see docs/adr/0015-backup.md. */
async function backUp(target: string): Promise<Manifest> {
  const dir = resolve(process.env.LIVORA_DATA_DIR || join(ROOT, ".livora"));
  if (!existsSync(join(dir, "postgres")))
    throw new Error(`There is no Livora in ${dir}: LIVORA_DATA_DIR names another.`);
  if (existsSync(target) && readdirSync(target).length > 0) throw new Error(`${target} is not empty.`);
  const { all } = await findPlaces(dir, process.env);
  const inside = all.find(({ folder }) => isWithin(folder, target));
  if (inside) throw new Error(`${target} lies within ${inside.folder}, which is to be copied: choose another place.`);
  // Nobody may start it meanwhile, where it does not run.
  const unlock = findRunning(join(dir, "lock.json")) === null ? lockFolder(dir) : () => {};
  try {
    const copy = createCopy(all, target);
    copy.pass();
    // What changed during the first, long pass; so that the last one is short.
    copy.pass();
    const barrier = await raiseBarrier(dir);
    let held_ms = 0;
    const contents = await Promise.resolve()
      .then(copy.pass)
      .finally(async () => (held_ms = await barrier.lift()));
    const facts = { barrier_at: barrier.at, held_ms, sends_under_way: barrier.sendsUnderWay };
    return await writeManifest(target, contents, facts);
  } finally {
    unlock();
  }
}

try {
  const [target, ...others] = process.argv.slice(2);
  if (!target || target.startsWith("-") || others.length > 0) {
    console.log(HELP);
    process.exit(target === "--help" ? 0 : 1);
  }
  const { barrier_at, held_ms, sends_under_way, files } = await backUp(resolve(target));
  const megabytes = (files.reduce((sum, { bytes }) => sum + bytes, 0) / 1024 ** 2).toFixed(0);
  console.log(
    `${resolve(target)}: ${files.length} files, ${megabytes} MiB, as of ${barrier_at}; everything stood still for ${held_ms} ms.`,
  );
  if (sends_under_way)
    console.log("Messages were on their way to a provider at that moment: a restore asks what became of them.");
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
