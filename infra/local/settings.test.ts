import { describe, expect, it } from "vitest";

import { choosePorts, describeTakenPorts, PORT_NAMES, serviceEnvironment } from "./settings.ts";

describe("choosePorts", () => {
  it("takes the standard ones, all different", () => {
    const ports = choosePorts({});
    expect(ports.ingest).toBe(7070);
    expect(new Set(Object.values(ports)).size).toBe(PORT_NAMES.length);
  });

  it("counts on from --port-base, and a variable wins over that", () => {
    const ports = choosePorts({ LIVORA_API_PORT: "9999" }, 17_000);
    expect(ports).toMatchObject({ ingest: 17_000, api: 9_999, outbox: 17_002 });
  });

  it.each(["http", "0", "70000", "7070.5"])("refuses %s, naming the variable", (text) => {
    expect(() => choosePorts({ LIVORA_REDIS_PORT: text })).toThrow(
      `LIVORA_REDIS_PORT is "${text}", which is not a port`,
    );
  });
});

describe("describeTakenPorts", () => {
  const ports = choosePorts({});

  it("says nothing where all are free", () => {
    expect(describeTakenPorts([], ports)).toBeNull();
  });

  it("names the port, whose it is and the variable that moves it", () => {
    const message = describeTakenPorts(["postgres"], ports);
    expect(message).toContain("7432 (PostgreSQL): set LIVORA_POSTGRES_PORT");
    expect(message).toContain("--port-base");
  });
});

describe("serviceEnvironment", () => {
  const env = serviceEnvironment("/data", choosePorts({}, 17_000), {
    LIVORA_POSTGRES_URL: "postgres://elsewhere",
    LIVORA_LOG_LEVEL: "debug",
  });

  it("points every service at this stack, whatever the caller's shell says", () => {
    expect(env.LIVORA_POSTGRES_URL).toBe("postgres://livora:livora@127.0.0.1:17005/livora");
    expect(env.LIVORA_TWILIO_URL).toBe("http://127.0.0.1:17002");
    expect(env.LIVORA_LAKE).toBe("/data/lake");
  });

  it("leaves everything else as it is", () => {
    expect(env.LIVORA_LOG_LEVEL).toBe("debug");
  });
});
