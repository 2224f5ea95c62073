import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { compileCampaign } from "../../core/campaign.ts";
import type { SendOutcome } from "../../core/contracts/journey.ts";
import type { JourneyDefinition } from "../../core/journey/definition.ts";
import { recordHistory } from "../../test/support/history.ts";
import { waitUntil } from "../../test/support/wait-until.ts";
import { createJourneyEnvironment, nobody } from "../../test/support/journey-environment.ts";

let journeys: Awaited<ReturnType<typeof createJourneyEnvironment>>;
/** The clock is everyone's, so minutes are counted from the start of each test. */
let zero = 0;

beforeAll(async () => {
  journeys = await createJourneyEnvironment();
  zero = await journeys.nowMs();
});
afterAll(() => journeys.close());

let begun = 0;
beforeEach(async () => {
  journeys.reset();
  begun = Math.round(((await journeys.nowMs()) - zero) / 60_000);
});

/** `[minute, channel, template]` of everything handed to a provider, in order. */
const sent = () => journeys.world.sends.map(({ minute, channel, template }) => [minute - begun, channel, template]);
const ended = () => journeys.world.ends.map(({ state, reason }) => `${state}: ${reason}`);

function compile(source: object): JourneyDefinition {
  const compiled = compileCampaign({ campaign_id: "c", trigger: "cart_abandonment", ...source });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.definition;
}

const cart = compile({
  schedule: [
    { delay_minutes: 30, action: "whatsapp_template:reminder" },
    { delay_minutes: 1440, action: "email:coupon" },
  ],
});
const held: SendOutcome = { outcome: "held", reason: "campaign_paused" };

describe("an abandoned cart", () => {
  it("brings a WhatsApp after thirty minutes and an e-mail after a day", async () => {
    const run = await journeys.start(cart);
    await run.finish();
    expect(sent()).toEqual([
      [30, "whatsapp", "reminder"],
      [1440, "email", "coupon"],
    ]);
    expect(ended()).toEqual(["completed: completed"]);
    await recordHistory("journey-cart", run.handle);
  });

  it("costs at most 40 events of history and 5 activities", async () => {
    const run = await journeys.start(cart);
    await run.finish();
    const { events } = await run.handle.fetchHistory();
    const activities = events!.filter(
      (event) => event.activityTaskScheduledEventAttributes ?? event.markerRecordedEventAttributes,
    );
    expect(events!.length).toBeLessThanOrEqual(40);
    expect(activities.length).toBeLessThanOrEqual(5);
  });

  it("is silent when the purchase comes first", async () => {
    const run = await journeys.start(cart);
    await journeys.sleepMinutes(10);
    await run.stop();
    await run.finish();
    expect(sent()).toEqual([]);
    expect(ended()).toEqual(["stopped: purchase"]);
  });

  it("brings no coupon when the purchase follows the reminder", async () => {
    const run = await journeys.start(cart);
    await journeys.sleepMinutes(31);
    await run.stop();
    await run.finish();
    expect(sent()).toEqual([[30, "whatsapp", "reminder"]]);
    await recordHistory("journey-purchase", run.handle);
  });

  it("ends where the ledger knows of the purchase before the signal has come", async () => {
    journeys.world.outcomes = [{ outcome: "stopped", reason: "purchase" }];
    const run = await journeys.start(cart);
    await run.finish();
    expect(sent()).toHaveLength(1);
    expect(ended()).toEqual(["stopped: purchase"]);
  });

  it("does not end by a signal that was for an earlier run", async () => {
    const run = await journeys.start(cart);
    await run.handle.signal("stop", { run_id: "an earlier one", reason: "purchase", event_id: null });
    await run.finish();
    expect(sent()).toHaveLength(2);
  });

  it("is found on its way by everyone who asks", async () => {
    const run = await journeys.start(cart);
    await journeys.sleepMinutes(31);
    const where = await run.where();
    expect(where).toMatchObject({ node_id: "delay-2", node_type: "delay" });
    expect(where!.why).toMatch(/^waits until .+, 1 day after the entry$/);
    const metadata = await run.handle.query<{ currentDetails?: string }>("__temporal_workflow_metadata");
    expect(metadata.currentDetails).toContain("**delay-2** waits until");
    await run.stop();
    await run.finish();
  });
});

describe("a paused campaign", () => {
  it("keeps everyone's place, and goes on when it is resumed", async () => {
    journeys.world.outcomes = [held];
    const run = await journeys.start(cart);
    await journeys.sleepMinutes(300);
    expect((await run.where())!.why).toContain("waits until the campaign is resumed");
    expect(sent()).toHaveLength(1);
    await run.resume();
    await run.finish();
    expect(sent()).toEqual([
      [30, "whatsapp", "reminder"],
      [300, "whatsapp", "reminder"],
      [1440, "email", "coupon"],
    ]);
    await recordHistory("journey-held", run.handle);
  });

  it("still hears the purchase", async () => {
    journeys.world.outcomes = [held];
    const run = await journeys.start(cart);
    await journeys.sleepMinutes(60);
    await run.stop();
    await run.finish();
    expect(sent()).toHaveLength(1);
    expect(ended()).toEqual(["stopped: purchase"]);
  });

  it("wakes those who were held, page by page", async () => {
    journeys.world.held = ["a", "b", "c", "d", "e"].map((run_id) => ({ run_id, workflow_id: `w-${run_id}` }));
    const handle = await journeys.env.client.workflow.start("resumeCampaign", {
      taskQueue: "journeys",
      workflowId: "resume:demo:c",
      args: [{ client_id: "demo", campaign_id: "c" }],
    });
    expect(await handle.result()).toBe(5);
    expect(journeys.world.woken).toEqual(["a", "b", "c", "d", "e"]);
    await recordHistory("resume-campaign", handle);
  });
});

it("waits for its quota and then sends", async () => {
  const retryAt = new Date((await journeys.nowMs()) + 90 * 60_000).toISOString();
  journeys.world.outcomes = [{ outcome: "limited", reason: "messages_per_day", retry_at: retryAt }];
  const run = await journeys.start(cart);
  await run.finish();
  expect(sent().map(([minute, channel]) => [minute, channel])).toEqual([
    [30, "whatsapp"],
    [90, "whatsapp"],
    [1440, "email"],
  ]);
  await recordHistory("journey-limited", run.handle);
});

describe("wait-until", () => {
  const asking = compile({
    journey: {
      start: "ask",
      nodes: {
        ask: { type: "message", channel: "push", template: "question", next: "answer" },
        answer: {
          type: "wait-until",
          events: [{ event_type: "reply", where: [{ path: "answer", value: "yes" }] }],
          timeout_ms: 3_600_000,
          next: "thanks",
          on_timeout: "end",
        },
        thanks: { type: "message", channel: "push", template: "thanks", next: "end" },
        end: { type: "exit" },
      },
    },
  });

  it("goes on as soon as the event comes", async () => {
    const run = await journeys.start(asking);
    await journeys.sleepMinutes(5);
    await run.tell({ event_type: "reply", props: { answer: "no" } });
    await run.tell({ event_id: "e3", event_type: "reply", props: { answer: "yes" } });
    await run.finish();
    expect(sent()).toEqual([
      [0, "push", "question"],
      [5, "push", "thanks"],
    ]);
    await recordHistory("journey-wait-event", run.handle);
  });

  it("takes the other way when nothing comes", async () => {
    const run = await journeys.start(asking);
    await run.finish();
    expect(sent()).toEqual([[0, "push", "question"]]);
    await recordHistory("journey-wait-timeout", run.handle);
  });
});

it("branches by what is known of the person at that moment", async () => {
  const branching = compile({
    journey: {
      start: "later",
      nodes: {
        later: { type: "delay", ms: 60_000, next: "which" },
        which: { type: "branch", branches: [{ when: [{ path: "attributes.vip" }], next: "vip" }], otherwise: "end" },
        vip: { type: "message", channel: "sms", template: "vip", next: "end" },
        end: { type: "exit" },
      },
    },
  });
  const run = await journeys.start(branching);
  journeys.world.person = { ...nobody(), attributes: { vip: true } };
  await run.finish();
  expect(sent()).toEqual([[1, "sms", "vip"]]);
  await recordHistory("journey-branch", run.handle);
});

it("writes to those who stay away, and to nobody who comes back", async () => {
  const away = compile({
    trigger: { type: "inactivity", after_minutes: 1440 },
    schedule: [{ delay_minutes: 10, action: "email:miss_you" }],
  });
  const run = await journeys.start(away);
  await journeys.sleepMinutes(1000);
  journeys.world.person = { ...nobody(), last_seen_at: new Date(await journeys.nowMs()).toISOString() };
  await run.finish();
  expect(sent()).toEqual([[2450, "email", "miss_you"]]);
  await recordHistory("journey-inactivity", run.handle);
});

it("goes on in a new execution before its history grows long", async () => {
  const circling = compile({
    journey: {
      start: "pause",
      nodes: {
        pause: { type: "delay", ms: 60_000, next: "which" },
        which: {
          type: "branch",
          branches: [{ when: [{ path: "attributes.done" }], next: "last" }],
          otherwise: "pause",
        },
        last: { type: "message", channel: "email", template: "last", next: "end" },
        end: { type: "exit" },
      },
    },
  });
  const run = await journeys.start(circling);
  const first = (await run.handle.describe()).runId;
  await journeys.sleepMinutes(150);
  const second = (await run.handle.describe()).runId;
  journeys.world.person = { ...nobody(), attributes: { done: true } };
  await run.finish();
  expect(second).not.toBe(first);
  expect(sent()).toHaveLength(1);
  await recordHistory("journey-continued", run.handle);
});

it("does not run a definition other than the one it began with", async () => {
  const run = await journeys.start(cart, { definition_hash: "another" });
  await expect(run.finish()).rejects.toThrow("Workflow execution failed");
  expect(sent()).toEqual([]);
  expect(ended()).toEqual(["failed: definition_changed"]);
  await recordHistory("journey-mismatch", run.handle);
});

it("says in the projection that it was cancelled", async () => {
  const run = await journeys.start(cart);
  await journeys.sleepMinutes(1);
  await run.handle.cancel();
  await expect(run.finish()).rejects.toThrow("Workflow execution cancelled");
  expect(ended()).toEqual(["stopped: cancelled"]);
  await recordHistory("journey-cancelled", run.handle);
});

it("waits for a worker that knows its nodes, rather than passing one over or giving up", async () => {
  const strange = { ...cart, start: "odd", nodes: { ...cart.nodes, odd: { type: "teleport", next: "exit" } } };
  const run = await journeys.start(strange as unknown as JourneyDefinition);
  const hasFailedTask = async () =>
    (await run.handle.fetchHistory()).events!.some((event) => event.workflowTaskFailedEventAttributes);
  await waitUntil(hasFailedTask, { what: "a failed task" });
  await run.handle.terminate();
  expect(sent()).toEqual([]);
  expect(ended()).toEqual([]);
});
