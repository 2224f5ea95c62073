import { refuse } from "../../support/fault-proxy/fates.ts";
import { type Exchange, type Fate, pass } from "../../support/fault-proxy/http-proxy.ts";
import type { Scenario } from "../scenario.ts";

const BUSY_MS = 8_000;

/** Each in its own words, with and without a word of when to come again. */
const tooMany: Record<string, Fate> = {
  twilio: refuse(429, { code: 20_429, message: "Too Many Requests", status: 429 }, { "retry-after": "1" }),
  sendgrid: refuse(429, { errors: [{ message: "too many requests", field: null, help: null }] }),
  fcm: refuse(429, { error: { code: 429, status: "RESOURCE_EXHAUSTED", message: "Quota exceeded" } }),
  away: refuse(503, { message: "Service Unavailable" }),
};

export const providerThrottles: Scenario = {
  name: "provider-throttles",
  fault: "the providers answer 429 and 503, each in its own words",
  invariant: "messages wait and go out once",
  stack: { proxies: ["outbox"] },
  async run(scene) {
    const { stack, random } = scene;
    const proxy = stack.proxy("outbox");
    const untilMs = Date.now() + BUSY_MS;
    proxy.set((exchange) => {
      if (exchange.method !== "POST" || Date.now() > untilMs || random.chance(0.1)) return ["pass", pass];
      const name = random.chance(0.3) ? "away" : providerOf(exchange);
      return [name, tooMany[name] ?? pass];
    });
    await scene.letIn(12);
    proxy.set(() => ["pass", pass]);
    await scene.recover(Date.now());
    const refused = Object.keys(tooMany).map((name) => `${name} ${proxy.met.get(name) ?? 0}`);
    scene.note(`refused: ${refused.join(", ")}`);
  },
};

function providerOf({ path }: Exchange): string {
  if (path.includes("/Accounts/")) return "twilio";
  return path.includes("/mail/send") ? "sendgrid" : "fcm";
}
