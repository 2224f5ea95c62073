import { createReadStream } from "node:fs";

import type { SourceFormat } from "../../core/backfill-mapping.ts";
import type { SourceRecord } from "../../core/backfill/compile-value.ts";
import { readCsvFields, readWords } from "../../core/backfill/csv-fields.ts";
import {
  createRecordSplitter,
  FILE_START,
  type FilePosition,
  type RawRecord,
  type SplitterOptions,
} from "../../core/backfill/record-splitter.ts";
import { AppError, type Fault } from "../../core/errors.ts";
import { isObject } from "../../core/is-object.ts";

/** A record, where the next one begins, and what is wrong with it where it is none. */
export interface ReadRecord {
  line: number;
  next: FilePosition;
  record: SourceRecord | null;
  faults: Fault[];
}

export interface Source {
  /** Their names; null where each record has its own. Throws `invalid` where the file does not say. */
  columns(): Promise<string[] | null>;
  /** In the order of the file, some at a time. */
  read(from: FilePosition): AsyncIterable<ReadRecord[]>;
}

const PIECE_BYTES = 256 * 1024;
type Decoder = InstanceType<typeof TextDecoder>;
type TextFormat = Exclude<SourceFormat, { type: "parquet" }>;

export function openText(path: string, format: TextFormat): Source {
  const options = splitterOptions(format);
  const decoder = new TextDecoder("encoding" in format ? format.encoding : "utf-8", { fatal: true });
  let header: Promise<Header | null> | undefined;
  const readHeader = () => (header ??= findHeader(path, format, options, decoder));

  return {
    columns: async () => (await readHeader())?.columns ?? null,
    async *read(from) {
      const found = await readHeader();
      const isBefore = found !== null && from.offset < found.next.offset;
      const parse = createParser(format, decoder, found?.columns ?? []);
      for await (const records of readRaw(path, isBefore ? found.next : from, options)) yield records.map(parse);
    },
  };
}

function splitterOptions(format: TextFormat): SplitterOptions {
  if (format.type !== "csv" || format.quote === "") return {};
  return { quoting: { quote: format.quote.charCodeAt(0), delimiter: format.delimiter.charCodeAt(0) } };
}

async function* readRaw(path: string, from: FilePosition, options: SplitterOptions): AsyncGenerator<RawRecord[]> {
  const splitter = createRecordSplitter(from, options);
  for await (const piece of createReadStream(path, { start: from.offset, highWaterMark: PIECE_BYTES })) {
    yield splitter.push(piece as Buffer);
  }
  yield splitter.end();
}

interface Header {
  columns: string[];
  /** Where the records begin. */
  next: FilePosition;
}

/** Null where there are no columns: each JSON line names its own. */
async function findHeader(
  path: string,
  format: TextFormat,
  options: SplitterOptions,
  decoder: Decoder,
): Promise<Header | null> {
  if (format.type === "jsonl") return null;
  if (!format.header) return { columns: format.columns ?? [], next: FILE_START };
  for await (const [first] of readRaw(path, FILE_START, options)) {
    if (first === undefined) continue;
    const found = first.bytes === null ? (first.fault ?? "") : cellsOf(decode(decoder, first), format);
    if (typeof found === "string") throw new AppError("invalid", `The header cannot be read: ${found}.`);
    const columns = format.columns ?? found.map((name) => name.trim());
    if (columns.length !== found.length)
      throw new AppError("invalid", `The header has ${found.length} columns, the mapping names ${columns.length}.`);
    if (new Set(columns).size !== columns.length) throw new AppError("invalid", "The header names a column twice.");
    return { columns, next: first.next };
  }
  throw new AppError("invalid", "The file has no header: it is empty.");
}

/** Null where the bytes are no text. */
function decode(decoder: Decoder, { bytes, line }: RawRecord): string | null {
  try {
    const text = decoder.decode(bytes ?? undefined);
    return line === 1 && text.startsWith("\ufeff") ? text.slice(1) : text;
  } catch {
    return null;
  }
}

function cellsOf(text: string | null, format: Exclude<TextFormat, { type: "jsonl" }>): string[] | string {
  if (text === null) return `not ${format.encoding}`;
  return format.type === "csv" ? readCsvFields(text, format) : readWords(text);
}

function createParser(format: TextFormat, decoder: Decoder, columns: readonly string[]) {
  const nulls = new Set("nulls" in format ? format.nulls : []);
  const fieldsOf = (raw: RawRecord): Record<string, unknown> | string => {
    if (raw.bytes === null) return raw.fault ?? "unreadable";
    const text = decode(decoder, raw);
    if (format.type === "jsonl") return readJsonLine(text);
    const cells = cellsOf(text, format);
    if (typeof cells === "string") return cells;
    if (cells.length !== columns.length) return `has ${cells.length} columns, not ${columns.length}`;
    return Object.fromEntries(columns.map((name, i) => [name, nulls.has(cells[i] ?? "") ? null : cells[i]]));
  };
  return (raw: RawRecord): ReadRecord => {
    const { line, next } = raw;
    const fields = fieldsOf(raw);
    if (typeof fields === "string") return { line, next, record: null, faults: [{ path: "", reason: fields }] };
    return { line, next, record: { line, fields }, faults: [] };
  };
}

function readJsonLine(text: string | null): Record<string, unknown> | string {
  if (text === null) return "not utf-8";
  try {
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? value : "not a JSON object";
  } catch {
    return "not JSON";
  }
}
