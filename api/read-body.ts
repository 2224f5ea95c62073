import type { IncomingMessage } from "node:http";

import { AppError } from "../core/errors.ts";
import { findUnstorable } from "../core/parse.ts";
import { HttpError } from "../core/problem.ts";

export const MAX_BODY_BYTES = 512 * 1024;
/** Nothing that is read here takes long to send. */
const BODY_TIMEOUT_MS = 30_000;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The bytes as they were sent: what signatures are made of. Throws 413 and 415. */
export async function readRaw(request: IncomingMessage, consumes: readonly string[]): Promise<Buffer> {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";", 1);
  if (!consumes.includes(type.trim().toLowerCase())) {
    throw new HttpError(415, `Send ${consumes.join(" or ")}.`, { accept: consumes.join(", ") });
  }
  if ((request.headers["content-encoding"] ?? "identity") !== "identity") {
    throw new HttpError(415, "Send it uncompressed.", { "accept-encoding": "identity" });
  }
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  return collect(request);
}

/** Not `for await`: leaving that early would destroy the connection before it was answered. */
function collect(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooSlow = setTimeout(() => request.destroy(new Error("too slow")), BODY_TIMEOUT_MS);
    request.once("close", () => clearTimeout(tooSlow));
    request.once("end", () => clearTimeout(tooSlow));
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
      else reject(tooLarge());
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", (cause) => reject(new AppError("invalid", "The body broke off.", { cause })));
  });
}

/** JSON that is fit to be kept. Throws 400, 413 and 415. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const raw = await readRaw(request, ["application/json"]);
  const value = parseJson(raw);
  const faults = findUnstorable(value);
  if (faults.length > 0) throw new AppError("invalid", "The body is not valid.", { faults: faults.slice(0, 20) });
  return value;
}

function parseJson(raw: Buffer): unknown {
  let text: string;
  try {
    text = utf8.decode(raw);
  } catch (cause) {
    throw new AppError("invalid", "The body is not UTF-8.", { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The parser's own message quotes what was sent.
    throw new AppError("invalid", "The body is not JSON.", { cause });
  }
}

function tooLarge(): HttpError {
  return new HttpError(413, `At most ${MAX_BODY_BYTES} bytes.`);
}
