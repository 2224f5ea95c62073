import { runSeed, type SeedResult } from "./run.ts";
import { drawScenario } from "./scenario.ts";

/**
 * The least that still fails in the same way: without faults, visitors and acts that it does not need. Tries large pieces
 * first (all faults of a half, whole visitors), then single ones, until nothing more can go.
 */
export async function shrinkSeed(failing: SeedResult, onTry?: (result: SeedResult) => void): Promise<SeedResult> {
  const { seed } = failing;
  const kinds = new Set(failing.violations.map(({ invariant }) => invariant));
  let best = failing;
  let drop = new Set<string>();

  async function tryWithout(ids: readonly string[]): Promise<boolean> {
    if (ids.length === 0) return false;
    const wanted = new Set([...drop, ...ids]);
    const result = await runSeed(seed, { drop: wanted });
    onTry?.(result);
    if (!result.violations.some(({ invariant }) => kinds.has(invariant))) return false;
    [best, drop] = [result, wanted];
    return true;
  }

  for (let hasShrunk = true; hasShrunk;) {
    hasShrunk = false;
    const { faults, visitors } = drawScenario(seed, drop);
    const silent = faults.filter(({ id }) => !best.fired.some((fault) => fault.id === id)).map(({ id }) => id);
    const half = faults.slice(0, faults.length >> 1).map(({ id }) => id);
    const pieces = [
      silent,
      half,
      ...faults.map(({ id }) => [id]),
      ...visitors.map(({ id }) => [id]),
      ...visitors.flatMap(({ acts }) => acts.map(({ id }) => [id])),
    ];
    for (const piece of pieces) {
      // What has gone with a larger piece is no piece any more.
      const left = piece.filter((id) => !isDropped(id, drop));
      if (await tryWithout(left)) hasShrunk = true;
    }
  }
  return best;
}

/** Itself, or the visitor whose act it is. */
function isDropped(id: string, drop: ReadonlySet<string>): boolean {
  return drop.has(id) || drop.has(id.split(".")[0] ?? "");
}
