import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";

import { Busboy, type BusboyFileStream, type BusboyHeaders, type BusboyInstance } from "@fastify/busboy";

import { AppError, isAppError } from "../core/errors.ts";
import { HttpError } from "../core/problem.ts";

/** Of all fields beside the file. */
const MAX_FIELD_BYTES = 256 * 1024;
const MAX_FIELDS = 10;

export interface Received {
  fields: Record<string, string>;
  file: { name: string | null; bytes: number } | null;
}

/**
 * A form (multipart/form-data) with at most one file, which goes to `target` as it comes, whole or not at all. Throws 413 where that has
 * more than `maxBytes`, 400 where it is no such form.
 */
export async function receiveFile(
  request: IncomingMessage,
  { target, maxBytes }: { target: string; maxBytes: number },
): Promise<Received> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes + MAX_FIELD_BYTES) throw tooLarge(maxBytes);
  const received: Received = { fields: {}, file: null };
  try {
    await readForm(request, received, { target, maxBytes });
    return received;
  } catch (error) {
    // What still comes is read and thrown away, so that the answer reaches the sender.
    request.unpipe();
    request.resume();
    await rm(dirname(target), { recursive: true, force: true });
    if (isAppError(error)) throw error;
    throw refusal((error as Error).message || "it broke off");
  }
}

async function readForm(
  request: IncomingMessage,
  received: Received,
  { target, maxBytes }: { target: string; maxBytes: number },
): Promise<void> {
  const form = openForm(request, maxBytes);
  const ended = Promise.withResolvers<void>();
  let writing: Promise<void> = Promise.resolve();
  form.on("field", (name, value, isNameCut, isValueCut) => {
    if (isNameCut || isValueCut) ended.reject(new HttpError(413, `A field has at most ${MAX_FIELD_BYTES} bytes.`));
    else received.fields[name] = value;
  });
  form.on("file", (name, file, fileName) => {
    if (name !== "file" || received.file !== null) return ended.reject(refusal("there is one file, named file"));
    received.file = { name: fileName?.slice(0, 255) ?? null, bytes: 0 };
    writing = writeFile(file, target, received.file, maxBytes);
    writing.catch(ended.reject);
    return undefined;
  });
  for (const limit of ["partsLimit", "filesLimit", "fieldsLimit"] as const)
    form.on(limit, () => ended.reject(refusal("it has too many parts")));
  form.on("finish", () => ended.resolve());
  form.on("error", (error) => ended.reject(error as Error));
  request.on("aborted", () => ended.reject(refusal("it broke off")));
  request.on("error", ended.reject);
  request.pipe(form);
  await ended.promise;
  await writing;
}

function openForm(request: IncomingMessage, maxBytes: number): BusboyInstance {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      // A mapping may come as a file, too.
      isPartAFile: (name) => name === "file",
      limits: { fileSize: maxBytes, fieldSize: MAX_FIELD_BYTES, fields: MAX_FIELDS, files: 1, parts: MAX_FIELDS + 1 },
    });
  } catch (cause) {
    throw new AppError("invalid", "The form cannot be read: it names no boundary.", { cause });
  }
}

async function writeFile(
  file: BusboyFileStream,
  target: string,
  meter: { bytes: number },
  maxBytes: number,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  file.on("data", (piece: Buffer) => (meter.bytes += piece.length));
  await pipeline(file, createWriteStream(target, { flush: true }));
  if (file.truncated) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, `A file has at most ${maxBytes} bytes.`);
}

function refusal(reason: string): AppError {
  return new AppError("invalid", `The form cannot be read: ${reason}.`);
}
