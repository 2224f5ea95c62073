import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Livora, startLivora } from "../support/livora.ts";
import { callApi, cartCampaign, pauseOthers, publishCampaign } from "../support/livora-campaign.ts";
import { addClient } from "../support/livora-client.ts";
import { createPerson, postEvents } from "../support/livora-person.ts";
import { waitForRun } from "../support/livora-runs.ts";
import { queryLake } from "../support/lake-reader.ts";
import { waitUntil } from "../support/wait-until.ts";

/** The acceptance tests of the integration manual, section 12, under its own names. */
const TYPES = ["page_view", "product_view", "add_to_cart"] as const;

let livora: Livora;
beforeAll(async () => {
  livora = await startLivora();
  await pauseOthers(livora);
});
afterAll(() => livora?.tearDown());

describe("Event fidelity test", () => {
  it("events sent → raw Parquet → counts by type, hour and client are what was sent", async () => {
    const shop = await addClient(livora, "fidelity");
    const sent = Array.from({ length: 500 }, (_, i) => ({
      event_id: randomUUID(),
      timestamp: new Date(Date.UTC(2026, 0, 1 + (i % 2), i % 5)).toISOString(),
      client_id: shop.client_id,
      session_id: `sess|${i % 40}`,
      event_type: TYPES[i % TYPES.length],
      props: { price: i / 100, product_id: `SKU-${i % 7}` },
    }));
    for (let i = 0; i < sent.length; i += 100)
      expect((await postEvents(shop, sent.slice(i, i + 100))).status).toBe(202);
    const count = "SELECT count(*)::INTEGER AS n FROM events";
    await waitUntil(async () => (await queryLake(livora.lake, count, shop.client_id))[0]?.["n"] === sent.length, {
      what: "all events in the lake",
    });
    const aggregate = `SELECT event_type, strftime(timestamp, '%Y-%m-%dT%H') AS hour, count(*)::INTEGER AS n,
      round(sum((props->>'price')::DOUBLE), 2) AS total FROM events GROUP BY ALL ORDER BY ALL`;
    expect(await queryLake(livora.lake, aggregate, shop.client_id)).toEqual(aggregateOf(sent));
    const raws = await queryLake(livora.lake, "SELECT raw FROM events", shop.client_id);
    expect(raws.map((row) => row["raw"]).toSorted()).toEqual(sent.map((event) => JSON.stringify(event)).toSorted());
  });
});

describe("End-to-end workflow test", () => {
  it("add to cart → wait → automation triggers → delivery logged", async () => {
    await publishCampaign(
      livora,
      cartCampaign("acceptance", [
        { channel: "whatsapp", delayMs: 1_000 },
        { channel: "email", delayMs: 2_000 },
      ]),
    );
    const person = createPerson(livora);
    await person.identify();
    await person.leaveCart();
    await person.waitForMessage("whatsapp");
    await person.waitForMessage("email");
    const run = await waitForRun(livora, "acceptance", `user:${person.user_id}`, (row) => row.state === "completed");
    const page = await callApi<{ deliveries: { run_id: string; channel: string; state: string }[] }>(
      livora,
      "GET",
      "/api/v1/campaigns/acceptance/deliveries",
    );
    const logged = page.deliveries.filter((delivery) => delivery.run_id === run.id);
    expect(logged.map((delivery) => delivery.channel).toSorted()).toEqual(["email", "whatsapp"]);
    for (const { state } of logged) expect(["submitted", "delivered"]).toContain(state);
  });
});

describe("Security tests", () => {
  it("auth: no token, a wrong one, a revoked one, another client's, one without the scope", async () => {
    const shop = await addClient(livora, "auth");
    const reader = await addClient(livora, "auth-reader", {}, ["read"]);
    const statusOf = async (headers: Record<string, string>) =>
      (await postEvents(shop, one(shop.client_id), headers)).status;
    expect(await statusOf({})).toBe(202);
    expect(await statusOf({ authorization: "" })).toBe(401);
    expect(await statusOf({ authorization: `Bearer ${shop.endpoints.api_key}x` })).toBe(401);
    expect(await statusOf({ authorization: `Bearer ${livora.endpoints.api_key}` })).toBe(403);
    expect(await statusOf({ "x-client-id": livora.client_id })).toBe(403);
    expect((await postEvents(reader, one(reader.client_id))).status).toBe(403);
    await expect(
      callApi(
        reader,
        "POST",
        "/api/v1/campaigns",
        cartCampaign("theirs", [
          { channel: "whatsapp", delayMs: 1 },
          { channel: "email", delayMs: 2 },
        ]),
      ),
    ).rejects.toThrow("403");
    await expect(callApi(shop, "GET", "/api/v1/campaigns/acceptance/deliveries")).rejects.toThrow("404");
  });

  it("API rate limiting: more than the client may send is answered with 429 and when to come back", async () => {
    const shop = await addClient(livora, "limited", { events_per_second: 50 });
    const batch = () => Array.from({ length: 25 }, () => one(shop.client_id));
    const answers = await Promise.all(Array.from({ length: 12 }, () => postEvents(shop, batch())));
    const limited = answers.filter((answer) => answer.status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(answers.filter((answer) => answer.status === 202).length).toBeGreaterThan(0);
    const waitS = Number(limited[0]?.headers.get("retry-after"));
    expect(waitS).toBeGreaterThan(0);
    await sleep(waitS * 1_000);
    expect((await postEvents(shop, batch())).status).toBe(202);
    expect((await postEvents(livora, one(livora.client_id))).status).toBe(202);
  });

  it("injection: ids, paths and queries are data", async () => {
    const shop = await addClient(livora, "inject");
    const hostile = "x' or '1'='1";
    await expect(callApi(shop, "GET", `/api/v1/contacts/${encodeURIComponent(hostile)}`)).rejects.toThrow(/40[04]/);
    await expect(callApi(shop, "GET", `/api/v1/campaigns/${encodeURIComponent(hostile)}/deliveries`)).rejects.toThrow(
      /40[04]/,
    );
    const person = createPerson(shop);
    const id = await person.post("page_view", {}, { user_id: hostile, session_id: "../../../../etc" });
    await waitUntil(
      async () =>
        (await queryLake(livora.lake, `SELECT 1 FROM events WHERE event_id = '${id}'`, shop.client_id)).length === 1,
      { what: "the event" },
    );
    const query = "select user_id from segments; drop table campaigns";
    const campaign = {
      ...cartCampaign("hostile", [
        { channel: "whatsapp", delayMs: 1 },
        { channel: "email", delayMs: 2 },
      ]),
      audience_query: query,
    };
    await expect(callApi(shop, "POST", "/api/v1/campaigns", campaign)).rejects.toThrow("400");
  });
});

const one = (client_id: string) => ({
  event_id: randomUUID(),
  timestamp: new Date().toISOString(),
  client_id,
  anon_id: "a",
  event_type: "page_view",
});

function aggregateOf(
  events: readonly { event_type: string | undefined; timestamp: string; props: { price: number } }[],
) {
  const groups = Map.groupBy(events, (event) => `${event.event_type} ${event.timestamp.slice(0, 13)}`);
  return [...groups]
    .map(([key, group]) => {
      const [event_type, hour] = key.split(" ");
      const total = group.reduce((sum, event) => sum + event.props.price, 0);
      return { event_type, hour, n: group.length, total: Math.round(total * 100) / 100 };
    })
    .toSorted((a, b) => (`${a.event_type} ${a.hour}` < `${b.event_type} ${b.hour}` ? -1 : 1));
}
