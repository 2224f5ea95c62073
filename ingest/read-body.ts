import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

import { AppError } from "../core/errors.ts";
import { HttpError } from "../core/problem.ts";

/** A request's body, as sent and unpacked. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;
/** Of all bodies that are being read at the same time. */
const MAX_READING_BYTES = 256 * 1024 * 1024;

/** What DEFLATE can pack into one byte: who claims more is no archive, and shall be told that. */
const MAX_RATIO = 1_032;
/** Each piece is a journey to the thread pool and back. */
const INFLATED_AT_ONCE_BYTES = 128 * 1024;

const unzip = promisify(gunzip);

/** The body's bytes, unpacked. Throws 413, 415, 400 where it is not what its encoding says, 503 where too many come at once. */
export function createReadBodyStep() {
  const budget = { bytes: MAX_READING_BYTES };
  return async function readBody(request: IncomingMessage): Promise<Buffer> {
    const { headers } = request;
    if (!isJson(headers["content-type"])) {
      throw new HttpError(415, "Content-Type must be application/json in UTF-8.", { accept: "application/json" });
    }
    const isZipped = isGzip(headers["content-encoding"]);
    if (Number(headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
    const body = await collect(request, budget);
    return isZipped ? inflate(body) : body;
  };
}

const PLAIN = "application/json";

function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  if (contentType === PLAIN) return true;
  const [type, ...parameters] = contentType.toLowerCase().split(";");
  if (type?.trim() !== PLAIN) return false;
  return parameters.every((parameter) => !/^\s*charset\s*=/.test(parameter) || /=\s*"?utf-?8"?\s*$/.test(parameter));
}

function isGzip(encoding: string | undefined): boolean {
  if (encoding === undefined || encoding === "" || encoding === "identity") return false;
  if (/^(x-)?gzip$/i.test(encoding.trim())) return true;
  throw new HttpError(415, "Content-Encoding must be gzip or none.", { "accept-encoding": "gzip" });
}

function collect(request: IncomingMessage, budget: { bytes: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (error: Error | null) => {
      budget.bytes += size;
      size = 0;
      request.off("data", onData).off("end", onEnd).off("error", onError);
      if (error === null) return resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
      // What still comes is read and thrown away, so that the answer reaches the sender.
      request.on("error", ignore).resume();
      return reject(error);
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      budget.bytes -= chunk.length;
      chunks.push(chunk);
      if (size > MAX_BODY_BYTES) settle(tooLarge());
      else if (budget.bytes < 0)
        settle(new AppError("unavailable", "Too many bodies at once.", { retryAfterMs: 1_000 }));
    };
    const onEnd = () => settle(null);
    const onError = (cause: Error) => settle(new AppError("invalid", "The body did not arrive whole.", { cause }));
    request.on("data", onData).on("end", onEnd).on("error", onError);
  });
}

function ignore(): void {}

/** Stops where the limit is reached, however much more the archive holds; not begun where the archive itself says so. */
async function inflate(body: Buffer): Promise<Buffer> {
  if (claimsTooMuch(body)) throw tooLarge();
  try {
    return await unzip(body, { maxOutputLength: MAX_BODY_BYTES, chunkSize: INFLATED_AT_ONCE_BYTES });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new AppError("invalid", "The body is not gzip.", { cause, faults: [{ path: "", reason: "not gzip" }] });
  }
}

/** An archive ends with the size of what it holds (RFC 1952). One that lies is found out while it is unpacked. */
function claimsTooMuch(body: Buffer): boolean {
  if (body.length < 4 || body[0] !== 0x1f || body[1] !== 0x8b) return false;
  const claimed = body.readUInt32LE(body.length - 4);
  return claimed > MAX_BODY_BYTES && claimed <= body.length * MAX_RATIO;
}

function tooLarge(): HttpError {
  return new HttpError(413, `The body must not be larger than ${MAX_BODY_BYTES} bytes, packed or unpacked.`);
}
