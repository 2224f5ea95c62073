import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { ListStreamsCommand } from "@aws-sdk/client-kinesis";
import { afterEach, beforeEach, expect, test } from "vitest";

import { readConfig } from "./config.ts";
import { createContext } from "./context.ts";

let silent: Server;
beforeEach(async () => {
  // Takes every request, and answers none.
  silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  silent.closeAllConnections();
  silent.close();
});

test("a store that takes a request and never answers is given up", async () => {
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const config = readConfig({ LIVORA_DYNAMODB_URL: url, LIVORA_KINESIS_URL: url, LIVORA_LOG_LEVEL: "silent" });
  const ctx = createContext("test", config);
  const within = { requestTimeout: 100 };
  const asked = [
    ctx.dynamodb.send(new ListTablesCommand({}), within),
    ctx.kinesis.send(new ListStreamsCommand({}), within),
  ];
  const ends = asked.map((answer) =>
    Promise.race([answer.catch((error: Error) => error.name), sleep(4_000, "still waiting", { ref: false })]),
  );
  expect(await Promise.all(ends)).toEqual(["TimeoutError", "TimeoutError"]);
  await ctx.close();
});
