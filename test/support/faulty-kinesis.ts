import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of a PutRecords on its way to the stream. */
export type PutFate = "pass" | "partial" | "throttle" | "error" | "reset-before" | "reset-after" | "hang";

export interface FaultyKinesis {
  url: string;
  /** How often each fate was met. */
  met: Map<PutFate, number>;
  close(): Promise<void>;
}

interface PutAnswer {
  FailedRecordCount: number;
  Records: { ShardId?: string; SequenceNumber?: string; ErrorCode?: string }[];
}

/**
 * Stands between a client and the stream at `target`, and does to its puts what a network and a busy stream do: `fate` is
 * asked for each. Everything else passes.
 */
export async function startFaultyKinesis(target: string, fate: () => PutFate): Promise<FaultyKinesis> {
  const met = new Map<PutFate, number>();
  const server = createServer(async (request, response) => {
    const body = await readAll(request);
    const isPut = request.headers["x-amz-target"] === "Kinesis_20131202.PutRecords";
    const chosen = isPut ? fate() : "pass";
    if (isPut) met.set(chosen, (met.get(chosen) ?? 0) + 1);
    await meet(chosen, target, request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    met,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function meet(
  fate: PutFate,
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): Promise<void> {
  if (fate === "hang") return;
  if (fate === "reset-before") return void request.socket.resetAndDestroy();
  if (fate === "throttle")
    return answer(response, 400, { __type: "ProvisionedThroughputExceededException", message: "" });
  if (fate === "error") return answer(response, 500, { __type: "InternalFailure", message: "" });
  if (fate === "partial") return answer(response, 200, await putSome(target, request, body));
  const passed = await forward(target, request, body);
  if (fate === "reset-after") return void request.socket.resetAndDestroy();
  return answer(response, passed.status, await passed.json());
}

/** Every other record reaches the stream; the others are told that it is busy. */
async function putSome(target: string, request: IncomingMessage, body: Buffer): Promise<PutAnswer> {
  const put = JSON.parse(body.toString()) as { Records: unknown[] };
  const kept = put.Records.filter((_, i) => i % 2 === 1);
  const taken = kept.length === 0 ? [] : await putOnly(target, request, { ...put, Records: kept });
  const Records = put.Records.map((_, i) =>
    i % 2 === 1
      ? (taken[(i - 1) / 2] ?? {})
      : { ErrorCode: "ProvisionedThroughputExceededException", ErrorMessage: "busy" },
  );
  return { FailedRecordCount: put.Records.length - kept.length, Records };
}

async function putOnly(target: string, request: IncomingMessage, put: object): Promise<PutAnswer["Records"]> {
  const response = await forward(target, request, Buffer.from(JSON.stringify(put)));
  return ((await response.json()) as PutAnswer).Records;
}

function forward(target: string, request: IncomingMessage, body: Buffer): Promise<Response> {
  const skipped = new Set(["host", "connection", "content-length", "transfer-encoding", "expect"]);
  const headers = Object.entries(request.headers).filter(([name]) => !skipped.has(name)) as [string, string][];
  return fetch(target, { method: "POST", headers, body: new Uint8Array(body) });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
  response.end(JSON.stringify(body));
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
