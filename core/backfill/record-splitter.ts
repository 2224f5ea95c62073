/** One record of a text file: a line, or several where a quoted field holds line breaks. */
export interface RawRecord {
  /** The line it begins on, from 1. */
  line: number;
  /** Where the one after it begins. */
  next: FilePosition;
  /** Without its line break. Null where it cannot be told what the record is: `fault` says why. */
  bytes: Uint8Array | null;
  fault?: string;
}

/** Where to go on in a file: everything before it has been dealt with. */
export interface FilePosition {
  /** Bytes from the beginning; in a Parquet file, rows. */
  offset: number;
  /** Of what lies there, from 1. */
  line: number;
}

export const FILE_START: FilePosition = { offset: 0, line: 1 };
/** An event has 256 KiB at the most. */
const MAX_RECORD_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const NOT_CLOSED = "a quoted field that is not closed";

export interface SplitterOptions {
  /** As bytes. Line breaks between quotes belong to the field; without it each line is a record. */
  quoting?: { quote: number; delimiter: number };
  maxBytes?: number;
}

export interface RecordSplitter {
  /** The records that are whole by now. Their bytes are views of what was pushed. */
  push(piece: Uint8Array): RawRecord[];
  /** What is left when the file ends. */
  end(): RawRecord[];
}

/**
 * Takes a file apart piece by piece; blank lines are no records. What comes out does not depend on the pieces, nor on which record
 * it begins at. A quote that is never closed costs the line that it is on, and nothing behind it.
 */
export function createRecordSplitter(from: FilePosition, options: SplitterOptions = {}): RecordSplitter {
  const { quoting, maxBytes = MAX_RECORD_BYTES } = options;
  let pending: Uint8Array = new Uint8Array(0);
  let { offset, line } = from;
  /** Of this line more has gone by than a record may have: the rest of it is not looked at. */
  let isTooLong = false;

  function split(isEnd: boolean): RawRecord[] {
    const records: RawRecord[] = [];
    let at = 0;
    while (at < pending.length) {
      const newline = pending.indexOf(NEWLINE, at);
      const lineEnd = newline < 0 ? pending.length : newline;
      isTooLong ||= lineEnd - at > maxBytes;
      if (newline < 0 && !isEnd && isTooLong) at = letGo(at);
      if (newline < 0 && !isEnd) break;
      const end = isTooLong ? lineEnd : recordEnd(at, lineEnd, isEnd);
      if (end === undefined) break;
      const fault = isTooLong ? `longer than ${maxBytes} bytes` : end === null ? NOT_CLOSED : undefined;
      const record = take(at, end ?? lineEnd, fault);
      if (record.bytes === null || !isBlank(record.bytes)) records.push(record);
      at += record.next.offset - offset;
      ({ offset, line } = record.next);
      isTooLong = false;
    }
    pending = pending.subarray(at);
    if (isEnd && isTooLong) records.push(take(0, 0, `longer than ${maxBytes} bytes`));
    return records;
  }

  function letGo(at: number): number {
    offset += pending.length - at;
    return pending.length;
  }

  /** Null where a quote is never closed; undefined where more of the file is needed to tell. */
  function recordEnd(at: number, lineEnd: number, isEnd: boolean): number | null | undefined {
    if (!quoting || !pending.subarray(at, lineEnd).includes(quoting.quote)) return lineEnd;
    const end = findQuotedEnd(pending, at, quoting) ?? (isEnd && isClosedAtEnd(at) ? pending.length : null);
    if (end !== null) return end - at > maxBytes ? null : end;
    return isEnd || pending.length - at > maxBytes ? null : undefined;
  }

  function isClosedAtEnd(at: number): boolean {
    const closed = new Uint8Array(pending.length - at + 1);
    closed.set(pending.subarray(at));
    closed[closed.length - 1] = NEWLINE;
    return quoting !== undefined && findQuotedEnd(closed, 0, quoting) !== null;
  }

  function take(at: number, end: number, fault: string | undefined): RawRecord {
    const next = Math.min(end + 1, pending.length);
    let lines = 0;
    for (let i = pending.indexOf(NEWLINE, at); i >= 0 && i < next; i = pending.indexOf(NEWLINE, i + 1)) lines++;
    const place = { line, next: { offset: offset + next - at, line: line + lines } };
    if (fault !== undefined) return { ...place, bytes: null, fault };
    const isReturn = end > at && pending[end - 1] === RETURN;
    return { ...place, bytes: pending.subarray(at, isReturn ? end - 1 : end) };
  }

  return {
    push(piece) {
      pending = pending.length === 0 ? piece : concat(pending, piece);
      return split(false);
    },
    end: () => split(true),
  };
}

/** Where the line break is that ends the record which begins at `at`; null where there is none outside of quotes. */
function findQuotedEnd(
  data: Uint8Array,
  at: number,
  { quote, delimiter }: NonNullable<SplitterOptions["quoting"]>,
): number | null {
  let isFieldStart = true;
  for (let i = at; i < data.length; i++) {
    const byte = data[i];
    if (byte === NEWLINE) return i;
    if (byte === quote && isFieldStart) {
      let close = data.indexOf(quote, i + 1);
      // Two in a row are one that belongs to the field.
      while (close >= 0 && data[close + 1] === quote) close = data.indexOf(quote, close + 2);
      if (close < 0) return null;
      i = close;
    }
    isFieldStart = byte === delimiter;
  }
  return null;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === RETURN);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
