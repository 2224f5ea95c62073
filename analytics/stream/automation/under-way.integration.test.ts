import { describe, expect, it } from "vitest";

import { useAutomationScene } from "../../../test/support/automation-scene.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";

const scene = useAutomationScene();
const { me, runsOf, runOf, sentTo, reaches, fill, cart } = scene;
const asking = () => ({
  campaign_id: me.campaign,
  trigger: `event:${me.filled}`,
  journey: {
    start: "wait",
    nodes: {
      wait: {
        type: "wait-until",
        events: [{ event_type: "reply", where: [{ path: "answer", value: "yes" }] }],
        timeout_ms: 60_000,
        next: "thanks",
        on_timeout: "end",
      },
      thanks: { type: "message", channel: "sms", template: "thanks", next: "end" },
      end: { type: "exit" },
    },
  },
});
const reply = () => ({ type: "reply", user: me.user, props: { answer: "yes" } });

describe("waiting", () => {
  it.each([
    ["in one batch", () => [[fill(), reply()]]],
    ["in two", () => [[fill()], [reply()]]],
  ])("tells a run of the event it waits for: %s", async (_, batches) => {
    await scene.shop.publish(asking());
    for (const batch of batches()) await scene.shop.feed(batch);
    await reaches(`user:${me.user}`, "completed");
    expect(await sentTo(`user:${me.user}`)).toEqual(["thanks"]);
  });

  it("goes different ways for different carts", async () => {
    const when = [{ path: "entry.cart.total", op: "gte", value: 1000 }];
    const nodes = {
      which: { type: "branch", branches: [{ when, next: "large" }], otherwise: "end" },
      large: { type: "message", channel: "sms", template: "large", next: "end" },
      end: { type: "exit" },
    };
    await scene.shop.publish({ ...asking(), journey: { start: "which", nodes } });
    const totals = [[me.user, 1000] as const, [`${me.user}-b`, 999] as const];
    await scene.shop.feed(totals.map(([user, total]) => ({ ...fill(), user, props: { cart: { total } } })));
    for (const [user] of totals) await reaches(`user:${user}`, "completed");
    expect([await sentTo(`user:${me.user}`), await sentTo(`user:${me.user}-b`)]).toEqual([["large"], []]);
  });

  it("closes a run whose workflow somebody has terminated, and lets its person in again", async () => {
    await scene.shop.publish(asking());
    await scene.shop.feed([fill()]);
    await waitUntil(async () => (await runOf(`user:${me.user}`))?.started_at !== null);
    await scene.shop.terminate((await runOf(`user:${me.user}`))!.workflow_id);
    await scene.shop.feed([reply()]);
    expect(await runOf(`user:${me.user}`)).toMatchObject({ state: "failed", reason: "workflow_gone" });
    await scene.shop.feed([fill(), reply()]);
    await reaches(`user:${me.user}`, "completed");
  });

  it("keeps everyone's place while the campaign is paused", async () => {
    const id = await scene.shop.publish(cart(0.02));
    await scene.shop.feed([fill()]);
    await scene.shop.setState(id, "paused");
    await reaches(`user:${me.user}`, "held");
    await scene.shop.setState(id, "active");
    expect(await scene.shop.resume(id)).toBe(1);
    await reaches(`user:${me.user}`, "completed");
    expect(await sentTo(`user:${me.user}`)).toEqual(["reminder"]);
  });

  it("lets nobody into a paused campaign", async () => {
    await scene.shop.publish(cart(0), "paused");
    await scene.shop.feed([fill()]);
    expect(await runsOf(`user:${me.user}`)).toEqual([]);
  });
});

describe("when Temporal is away", () => {
  it("starts later what came meanwhile, and nothing of what was stopped", async () => {
    await scene.shop.publish(cart(0.01));
    await scene.shop.killTemporal();
    await scene.shop.feed([fill(), { type: me.filled, anon: me.anon }]);
    await scene.shop.feed([{ type: "purchase", anon: me.anon }]);
    expect(await runOf(`user:${me.user}`)).toMatchObject({ state: "active", started_at: null });
    await scene.shop.startTemporal();
    await reaches(`user:${me.user}`, "completed");
    expect(await sentTo(`user:${me.user}`)).toEqual(["reminder"]);
    expect(await runOf(`anon:${me.anon}`)).toMatchObject({ state: "stopped" });
    expect(await sentTo(`anon:${me.anon}`)).toEqual([]);
  });

  it("goes on after a restart where it stood", async () => {
    await scene.shop.publish(cart(0.1));
    await scene.shop.feed([fill()]);
    await waitUntil(async () => (await runOf(`user:${me.user}`))?.started_at !== null);
    await scene.shop.killTemporal();
    await scene.shop.startTemporal();
    await reaches(`user:${me.user}`, "completed");
    expect(await sentTo(`user:${me.user}`)).toEqual(["reminder"]);
  });
});
