import { comparePlaces } from "../../core/position.ts";
import { parseRangeFileName } from "../../core/lake.ts";

const MIB = 1024 * 1024;
/** Files from this size on are left as they are. */
export const SMALL_BYTES = 32 * MIB;
/** A merged file takes in about this much, so that memory and the time of one merge are bounded. */
const GROUP_BYTES = 64 * MIB;

export interface FoundFile {
  name: string;
  bytes: number;
  modifiedAtMs: number;
}

/** How far the lake's consumer has come in a shard. */
export interface ShardProgress {
  checkpoint: string | null;
  ended: boolean;
}

/**
 * Files that nobody will write again: merged ones, and those whose range lies behind the consumer's checkpoint. A range after
 * it may be under way, or come again after a crash. The age gives a process that lost its shard time to notice.
 */
export function selectSettled(
  files: readonly FoundFile[],
  shards: ReadonlyMap<string, ShardProgress>,
  writtenBeforeMs: number,
): FoundFile[] {
  return files.filter(({ name, modifiedAtMs }) => {
    if (modifiedAtMs > writtenBeforeMs) return false;
    const range = parseRangeFileName(name);
    if (range === undefined) return true;
    const progress = shards.get(range.shard);
    if (progress === undefined) return false;
    return progress.ended || isBehind(range.last, progress.checkpoint);
  });
}

function isBehind(sequence: string, checkpoint: string | null): boolean {
  if (checkpoint === null) return false;
  return comparePlaces({ sequence, index: 0 }, { sequence: checkpoint, index: 0 }) <= 0;
}

/**
 * What goes into the next merged file: all that share an event (`withDuplicates`), then small ones in order of name until there
 * is enough. Empty where a merge would change nothing.
 */
export function selectInputs(settled: readonly FoundFile[], withDuplicates: ReadonlySet<string>): FoundFile[] {
  const inputs = settled.filter((file) => withDuplicates.has(file.name));
  const rest = settled.filter((file) => !withDuplicates.has(file.name) && file.bytes < SMALL_BYTES);
  let bytes = inputs.reduce((sum, file) => sum + file.bytes, 0);
  for (const file of rest.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (bytes >= GROUP_BYTES) break;
    inputs.push(file);
    bytes += file.bytes;
  }
  return inputs.length >= 2 || withDuplicates.size > 0 ? inputs : [];
}
