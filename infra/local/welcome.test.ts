import { execFileSync } from "node:child_process";

import { expect, it } from "vitest";

import { eventSchema } from "../../core/event.ts";
import { describeWelcome, inventVisitor } from "./welcome.ts";

const endpoints = {
  ingest: "http://127.0.0.1:1",
  api: "http://127.0.0.1:2",
  outbox: "http://127.0.0.1:3",
  analytics: "http://127.0.0.1:7073",
  workers: "http://127.0.0.1:7074",
  temporal_address: "127.0.0.1:4",
  temporal_web: "http://127.0.0.1:5",
  lake: "/lake",
  client_id: "demo",
  api_key: "lv_demo_x",
  environment: {},
};

it("what is printed can be pasted: the shell makes valid events of it, with ids of their own", () => {
  const text = describeWelcome(
    endpoints,
    inventVisitor(() => 0.5),
    { reminderMs: 8_000, couponMs: 40_000 },
  );
  const commands = text.match(/curl -sS http:\/\/127\.0\.0\.1:1\/v1\/events[\s\S]*?\]'$/gm) ?? [];
  expect(commands).toHaveLength(2);
  const bodies = commands.map((command) => {
    // A function instead of the program: it prints its last argument, the body.
    const script = `curl() { for last; do :; done; printf '%s' "$last"; }\n${command}`;
    return JSON.parse(execFileSync("sh", ["-c", script], { encoding: "utf8" })) as unknown[];
  });
  const events = bodies.flat().map((event) => eventSchema.parse(event));
  expect(events.map(({ event_type }) => event_type)).toEqual(["identify", "add_to_cart", "purchase"]);
  expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(3);
  expect(new Set(events.map(({ user_id }) => user_id))).toEqual(new Set(["ada-50000000"]));
});
