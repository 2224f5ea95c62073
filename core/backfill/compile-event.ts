import type { BackfillMapping } from "../backfill-mapping.ts";
import type { Fault } from "../errors.ts";
import { isObject } from "../is-object.ts";
import { pointerTo } from "../parse.ts";
import { isGuid, uuidOf } from "../uuid.ts";
import { compileValue, type ReadValue, type SourceRecord } from "./compile-value.ts";

export interface MappedBy {
  mapping: BackfillMapping;
  client_id: string;
  /** SHA-256 of the file's content, unpacked: what its lines are known by where the mapping names no key. */
  digest: string;
}

/** An event, not yet known to be a valid one, or what keeps it from being made. */
export type Mapped = { event: Record<string, unknown> } | { faults: Fault[] };

const FIELDS = ["user_id", "anon_id", "session_id", "event_type"] as const;

/** The same record always makes the same event: loading a file twice has no more effect than loading it once. */
export function compileEvent({ mapping, client_id, digest }: MappedBy): (record: SourceRecord) => Mapped {
  const { event, as_is } = mapping;
  const readId = compileId(mapping, client_id, digest);
  const readTime = event.timestamp && compileValue({ ...event.timestamp, required: true });
  const readFields = FIELDS.flatMap((field) => {
    const source = event[field];
    // Ids are text, whatever JSON or Parquet says they are.
    return source === undefined ? [] : [[field, compileValue(asText(source))] as const];
  });
  const readGroups = (["props", "context"] as const).flatMap((group) => {
    const sources = Object.entries(event[group] ?? {});
    return sources.length === 0
      ? []
      : [[group, sources.map(([key, source]) => [key, compileValue(source)] as const)] as const];
  });

  return (record) => {
    const faults: Fault[] = [];
    const made: Record<string, unknown> = as_is ? { ...record.fields } : {};
    const take = (path: string[], read: ReadValue, set: (value: unknown) => void) => {
      const found = read(record);
      if ("fault" in found) faults.push({ path: pointerTo(path), reason: found.fault });
      else if (found.value !== undefined) set(found.value);
    };
    made["client_id"] ??= client_id;
    if (readTime) take(["timestamp"], readTime, (value) => (made["timestamp"] = value));
    for (const [field, read] of readFields) take([field], read, (value) => (made[field] = value));
    for (const [group, reads] of readGroups) {
      const values: [string, unknown][] = [];
      for (const [key, read] of reads) take([group, key], read, (value) => values.push([key, value]));
      const before = made[group];
      made[group] = { ...(isObject(before) && before), ...Object.fromEntries(values) };
    }
    const hasId = as_is && made["event_id"] !== undefined && event.event_id === undefined;
    if (!hasId) take(["event_id"], readId, (value) => (made["event_id"] = value));
    return faults.length > 0 ? { faults } : { event: made };
  };
}

function asText<S>(source: S): S {
  return typeof source === "object" ? { ...source, type: "text" } : (String(source) as S);
}

function compileId({ event, key }: BackfillMapping, clientId: string, digest: string): ReadValue {
  const source = event.event_id;
  if (source === undefined) {
    const file = key === undefined ? ["file", digest] : ["key", key];
    return ({ line }) => ({ value: uuidOf("backfill", clientId, ...file, String(line)) });
  }
  if (!("derive_from" in source)) {
    const read = compileValue({ ...source, type: "text", required: true });
    return (record) => {
      const found = read(record);
      if ("fault" in found || isGuid(String(found.value))) return found;
      return { fault: "not a UUID: let the mapping derive one (derive_from)" };
    };
  }
  const columns = source.derive_from.map((column) => compileValue({ column, required: true }));
  return (record) => {
    const found = columns.map((read) => read(record));
    if (found.some((one) => "fault" in one)) return { fault: "a column that it is derived from is empty" };
    const parts = found.map((one) => JSON.stringify("value" in one ? one.value : null));
    return { value: uuidOf("backfill", clientId, "columns", ...source.derive_from, ...parts) };
  };
}
