/** PostgreSQL's wire protocol, as far as prepared statements with parameters and results in text need it. */

export interface Field {
  name: string;
  type: number;
}

export interface WireAnswer {
  fields: Field[] | null;
  rows: (string | null)[][];
  error: PostgresFailure | null;
}

/** What the driver throws: the server's SQLSTATE as `code`. */
export class PostgresFailure extends Error {
  override readonly name = "PostgresError";
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Parses a statement under a name and asks what it answers. */
export function encodePrepare(name: string, statement: string): Buffer {
  return Buffer.concat([
    message("P", text(name), text(statement), int16(0)),
    message("D", Buffer.from("S"), text(name)),
    message("S"),
  ]);
}

export function encodeExecute(name: string, params: readonly unknown[]): Buffer {
  const values = params.map(encodeParam).flatMap((value) => {
    if (value === null) return [int32(-1)];
    const bytes = Buffer.from(value);
    return [int32(bytes.length), bytes];
  });
  return Buffer.concat([
    message("B", text(""), text(name), int16(0), int16(params.length), ...values, int16(0)),
    message("E", text(""), int32(0)),
    message("S"),
  ]);
}

export function decodeAnswer(bytes: Uint8Array): WireAnswer {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const answer: WireAnswer = { fields: null, rows: [], error: null };
  for (let at = 0; at < data.length;) {
    const kind = String.fromCharCode(data[at] as number);
    const end = at + 1 + data.readInt32BE(at + 1);
    const body = data.subarray(at + 5, end);
    if (kind === "T") answer.fields = decodeFields(body);
    if (kind === "D") answer.rows.push(decodeRow(body));
    if (kind === "E") answer.error ??= decodeError(body);
    at = end;
  }
  return answer;
}

/** As the driver would give it: times and 64-bit numbers as text, JSON as what it is. */
export function decodeValue(type: number, value: string | null): unknown {
  if (value === null) return null;
  switch (type) {
    case 16:
      return value === "t";
    case 21:
    case 23:
    case 26:
    case 700:
    case 701:
      return Number(value);
    case 114:
    case 3802:
      return JSON.parse(value) as unknown;
    case 17:
      return Buffer.from(value.slice(2), "hex");
    case 1009:
    case 1015:
    case 2951:
      return decodeArray(value);
    default:
      return value;
  }
}

function encodeParam(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "t" : "f";
  if (Buffer.isBuffer(value)) return `\\x${value.toString("hex")}`;
  if (Array.isArray(value)) return encodeArray(value);
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value as number | bigint);
}

function encodeArray(values: readonly unknown[]): string {
  const items = values.map((value) => {
    const item = encodeParam(value);
    return item === null ? "NULL" : `"${item.replace(/["\\]/g, "\\$&")}"`;
  });
  return `{${items.join(",")}}`;
}

function decodeArray(value: string): string[] {
  const items = value.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g);
  return [...items].map(([, quoted, plain]) => (quoted === undefined ? (plain ?? "") : quoted.replace(/\\(.)/g, "$1")));
}

function decodeFields(body: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const end = body.indexOf(0, at);
    fields.push({ name: body.toString("utf8", at, end), type: body.readInt32BE(end + 7) });
    at = end + 19;
  }
  return fields;
}

function decodeRow(body: Buffer): (string | null)[] {
  const row: (string | null)[] = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at);
    at += 4;
    row.push(length < 0 ? null : body.toString("utf8", at, at + length));
    at += Math.max(0, length);
  }
  return row;
}

function decodeError(body: Buffer): PostgresFailure {
  const parts = new Map(
    body
      .toString("utf8")
      .split("\0")
      .map((part) => [part.slice(0, 1), part.slice(1)]),
  );
  return new PostgresFailure(parts.get("C") ?? "XX000", parts.get("M") ?? "no message");
}

function message(kind: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(kind), int32(body.length + 4), body]);
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}
