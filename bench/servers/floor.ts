import { type FileHandle, open } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { z } from "zod";

import { serveParent } from "../child.ts";
import { createMeter } from "./meter.ts";

export interface FloorOptions {
  file: string;
  token: string;
}

/**
 * The floor: the least that a careful server in Node does. It parses the JSON, validates with zod, looks the token up,
 * and answers once the bytes are on disk, all requests that wait sharing an `fdatasync`.
 */
await serveParent<FloorOptions, null>(async ({ file, token }) => {
  const append = createGroupCommit(await open(file, "w"));
  const tokens = new Map([[`Bearer ${token}`, "bench"]]);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const body = Buffer.concat(chunks);
      const parsed = schema.safeParse(JSON.parse(body.toString()));
      const isKnown = tokens.get(request.headers.authorization ?? "") === request.headers["x-client-id"];
      if (!parsed.success || !isKnown) return response.writeHead(400).end();
      await append(body);
      const answer = `{"accepted":${parsed.data.length}}`;
      response.writeHead(202, { "content-type": "application/json", "content-length": answer.length });
      return response.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 1024, resolve));
  return { ready: (server.address() as AddressInfo).port, answer: createMeter() };
});

const id = z.string().min(1).max(256);
const event = z.looseObject({
  event_id: z.guid(),
  timestamp: z.iso.datetime({ offset: true }),
  client_id: id,
  user_id: id.nullish(),
  anon_id: id.nullish(),
  session_id: id.nullish(),
  event_type: z.string().min(1).max(128),
  props: z.record(z.string(), z.unknown()).nullish(),
  context: z.record(z.string(), z.unknown()).nullish(),
});
const schema = z.preprocess((body) => (Array.isArray(body) ? body : [body]), z.array(event).min(1).max(100));

function createGroupCommit(file: FileHandle): (data: Buffer) => Promise<void> {
  let waiting: { data: Buffer; done: () => void }[] = [];
  let isWriting = false;
  const flush = async () => {
    isWriting = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      await file.writev(group.map(({ data }) => data));
      await file.datasync();
      for (const { done } of group) done();
    }
    isWriting = false;
  };
  return (data) =>
    new Promise((done) => {
      waiting.push({ data, done });
      if (!isWriting) void flush();
    });
}
