import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename } from "node:fs/promises";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

import { AppError } from "../../core/errors.ts";

const GZIP = [0x1f, 0x8b];
const PIECE_BYTES = 256 * 1024;

export interface Content {
  bytes: number;
  /** SHA-256, in hexadecimal. */
  digest: string;
}

export async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && GZIP.every((byte, i) => buffer[i] === byte);
  } finally {
    await file.close();
  }
}

/** What the file holds. `onBytes` hears how far it is. */
export async function readDigest(path: string, onBytes: () => void, signal: AbortSignal): Promise<Content> {
  const meter = createMeter(Number.POSITIVE_INFINITY, onBytes);
  await pipeline(createReadStream(path, { highWaterMark: PIECE_BYTES }), meter.stream.resume(), { signal });
  return meter.content();
}

/** Unpacks into `target`, which is there as a whole or not at all. Throws `invalid` where it is no gzip, or holds too much. */
export async function unpack(
  path: string,
  target: string,
  { maxBytes, onBytes, signal }: { maxBytes: number; onBytes: () => void; signal: AbortSignal },
): Promise<Content> {
  const meter = createMeter(maxBytes, onBytes);
  const temp = `${target}.part`;
  try {
    await pipeline(createReadStream(path), createGunzip(), meter.stream, createWriteStream(temp), { signal });
  } catch (error) {
    if (isBadGzip(error)) throw new AppError("invalid", "The file is not whole gzip.", { cause: error });
    throw error;
  }
  await rename(temp, target);
  return meter.content();
}

/** Passes bytes on, and knows how many they were, and which. */
function createMeter(maxBytes: number, onBytes: () => void) {
  const hash = createHash("sha256");
  let bytes = 0;
  const stream = new Transform({
    transform(piece: Buffer, _, done) {
      bytes += piece.length;
      onBytes();
      if (bytes > maxBytes) return done(new AppError("invalid", `The file unpacks to more than ${maxBytes} bytes.`));
      hash.update(piece);
      return done(null, piece);
    },
  });
  return { stream, content: (): Content => ({ bytes, digest: hash.digest("hex") }) };
}

function isBadGzip(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code !== undefined && (code.startsWith("Z_") || code === "ERR_STREAM_PREMATURE_CLOSE");
}
