import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { amzDateOf, authorizationOf } from "../aws-signature.ts";
import { createPutRecords } from "./put-records.ts";

interface Seen {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

let answer = { status: 200, body: "" };
let seen: Seen[] = [];
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  seen.push({ headers: request.headers, body: Buffer.concat(chunks) });
  response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.1" });
  if (answer.body !== "hang") response.end(answer.body);
});
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
let kinesis: KinesisClient;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  kinesis = new KinesisClient({
    region: "ap-south-1",
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { ...credentials, sessionToken: "session" },
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  });
});
afterAll(async () => {
  kinesis.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  seen = [];
  const Records = [{ ShardId: "s", SequenceNumber: "1" }, { ErrorCode: "ProvisionedThroughputExceededException" }];
  answer = { status: 200, body: JSON.stringify({ FailedRecordCount: 1, Records }) };
});

const records = [1, 2, 3].map((n) => ({ data: Buffer.alloc(n * 7, n), partitionKey: `lane-${n}`, hashKey: String(n) }));
const put = (timeoutMs = 2_000) => createPutRecords(kinesis, "livora-events", timeoutMs)(records);

/** What a request says it is signed over, and by whom. */
function signedPartOf({ headers, body }: Seen) {
  const authorization = headers.authorization ?? "";
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(";") ?? [];
  const signed = Object.fromEntries(names.map((name) => [name, String(headers[name])]));
  return { request: { method: "POST", path: "/", headers: signed, body }, authorization };
}

test("asks what the SDK asks", async () => {
  await put();
  const Records = records.map(({ data, partitionKey, hashKey }) => ({
    Data: data,
    PartitionKey: partitionKey,
    ExplicitHashKey: hashKey,
  }));
  await kinesis.send(new PutRecordsCommand({ StreamName: "livora-events", Records }));
  const [ours, theirs] = seen;
  expect(JSON.parse(String(ours?.body))).toEqual(JSON.parse(String(theirs?.body)));
  for (const name of ["content-type", "x-amz-target", "x-amz-security-token", "host"]) {
    expect(ours?.headers[name]).toBe(theirs?.headers[name]);
  }
});

test("signs as the SDK signs", async () => {
  await put();
  await kinesis.send(new PutRecordsCommand({ StreamName: "livora-events", Records: [] }));
  for (const request of seen) {
    const { request: signed, authorization } = signedPartOf(request);
    const amzDate = String(request.headers["x-amz-date"]);
    const scope = { region: "ap-south-1", service: "kinesis", amzDate };
    expect(authorizationOf(signed, scope, credentials)).toBe(authorization);
  }
});

test("answers record by record", async () => {
  expect(await put()).toEqual([{ shard: "s", sequence: "1" }, { error: "ProvisionedThroughputExceededException" }]);
});

test.each([
  [400, '{"__type":"com.amazonaws.kinesis#LimitExceededException"}', "LimitExceededException"],
  [400, '{"__type":"ProvisionedThroughputExceededException"}', "ProvisionedThroughputExceededException"],
  [503, "<html>", "Status503"],
  [200, "<html>", "SyntaxError"],
  [200, "hang", "TimeoutError"],
])("%i %s is an error for every record", async (status, body, error) => {
  answer = { status, body };
  expect(await put(200)).toEqual(records.map(() => ({ error })));
});

test("without an endpoint of its own it is the region's", async () => {
  const aws = new KinesisClient({ region: "ap-south-1", credentials });
  expect(aws.config.endpointProvider({ Region: "ap-south-1" }).url.href).toBe(
    "https://kinesis.ap-south-1.amazonaws.com/",
  );
  aws.destroy();
});

test("a date as AWS writes it", () => {
  expect(amzDateOf(new Date("2026-11-21T10:15:00.123Z"))).toBe("20261121T101500Z");
});
