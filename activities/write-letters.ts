import { addRows, type AddRowsDeps } from "../analytics/stream/lake/add-rows.ts";
import { readRows } from "../analytics/stream/lake/select-rows.ts";
import { encodeEnriched } from "../core/enriched-event.ts";
import { AppError, isAppError } from "../core/errors.ts";
import type { LetterChange, LetterRow, ReplayRow } from "../platform/dead-letter-replay.ts";
import type { StreamEntry } from "../platform/stream/types.ts";
import { prepareLetter, refuseLetter } from "./prepare-letter.ts";

/** A letter on its way into the lake. */
interface Returning {
  letter: LetterRow;
  entry: StreamEntry;
  tell(where: string): LetterChange["event"];
}

/**
 * Writes letters of the lake's consumer into the lake: their events, patched, under the place and with all that was found out
 * when they first came. Everybody else has had them, so nobody else hears of it. Answers what to write down; one whose columns
 * still do not fit stays open. Throws `unavailable` where a partition is being compacted, and the disk's own errors.
 */
export async function writeLetters(
  deps: AddRowsDeps,
  letters: readonly LetterRow[],
  replay: ReplayRow,
): Promise<LetterChange[]> {
  const changes: LetterChange[] = [];
  const returning = new Map<StreamEntry, Returning>();
  for (const letter of letters) {
    const prepared = prepareReturn(letter, replay);
    if ("refused" in prepared) changes.push(prepared.refused);
    else returning.set(prepared.entry, prepared);
  }
  const { rows, rejected } = readRows([...returning.keys()]);
  for (const some of Map.groupBy(rows, (row) => row.partition).values()) {
    const added = await addRows(deps, some).catch(waitForCompaction);
    rejected.push(...added.rejected);
    for (const { entry } of added.there) settle(entry, "duplicate", "was in the lake already");
  }
  for (const { entry, reason } of rejected) {
    const one = returning.get(entry);
    if (one) changes.push(refuseLetter(one.letter, replay, reason));
    returning.delete(entry);
  }
  for (const entry of returning.keys()) settle(entry, "taken", "into the lake");
  return changes;

  function settle(entry: StreamEntry, outcome: "taken" | "duplicate", where: string): void {
    const one = returning.get(entry);
    if (one) changes.push({ id: one.letter.id, state: "replayed", outcome, event: one.tell(where) });
    returning.delete(entry);
  }
}

/** As the lake's consumer would meet it. */
function prepareReturn(letter: LetterRow, replay: ReplayRow): Returning | { refused: LetterChange } {
  const { enrichment } = letter;
  if (enrichment === null) return { refused: refuseLetter(letter, replay, "what was found out about it was not kept") };
  const prepared = prepareLetter(letter, replay);
  if ("refused" in prepared) return prepared;
  const { raw, tell } = prepared.ready;
  const { sequence, index } = enrichment.source;
  return { letter, tell, entry: { sequence, index, data: encodeEnriched(enrichment, raw), arrivedAtMs: 0 } };
}

function waitForCompaction(error: unknown): never {
  if (!isAppError(error, "conflict")) throw error;
  throw new AppError("unavailable", "the partition is being compacted", { cause: error });
}
