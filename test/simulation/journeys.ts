import { compileCampaign } from "../../core/campaign.ts";
import type { JourneyActivities, JourneyInput, SendOutcome, SendRequest } from "../../core/contracts/journey.ts";
import { AppError } from "../../core/errors.ts";
import type { JourneyDefinition } from "../../core/journey/definition.ts";
import { hashDefinition } from "../../core/journey/hash.ts";
import type { Journeys } from "../../platform/temporal.ts";
import { createRandom, type Random } from "../support/oracle-random.ts";
import { type Clock, createClock, type Proc } from "./clock.ts";
import { type CallFault, createPointFaults, type Fault } from "./faults.ts";
import { judgeHistories } from "./histories.ts";
import { createNetwork, type Network } from "./network.ts";
import { createModelTemporal, type ModelTemporal } from "./temporal.ts";
import type { Workflows } from "./temporal/runtime.ts";
import type { WorkflowRecord } from "./temporal/server.ts";

export interface JourneysResult {
  seed: number;
  violations: string[];
  records: readonly WorkflowRecord[];
}

const STARTS_AT = Date.parse("2026-01-05T10:00:00.000Z");
const LIMIT_MS = 300_000;
const FAULTS_UNTIL_MS = 15_000;
const CAMPAIGN = "asks";
const WORKERS = ["worker-1", "worker-2"] as const;

/**
 * Journeys alone, so that much can happen to each in little time: three runs, two of them one after the other under the
 * same workflow id, whose workers die and freeze, whose activities say anything that they may say, and who are told of
 * everything at any moment, also of what is another's.
 */
export async function runJourneys(seed: number, workflows: Workflows): Promise<JourneysResult> {
  const random = createRandom(seed);
  const [forNetwork, forTemporal, forActivities, forPlan] = [
    random.fork(),
    random.fork(),
    random.fork(),
    random.fork(),
  ];
  const clock = createClock(STARTS_AT);
  const faults = createPointFaults(drawFaults(forPlan), () => undefined);
  const network = createNetwork(clock, forNetwork, faults);
  const temporal = createModelTemporal({ clock, random: forTemporal, network }, workflows);
  const world: Parts = { clock, network, temporal, journeys: temporal.connect(network), random: forActivities };
  const wasOther = forPlan.chance(0.2);
  const activities = createActivities(world, wasOther);
  const procs = new Map<string, Proc>();

  const boot = (name: string) => {
    const proc = clock.spawn(name);
    procs.set(name, proc);
    temporal.register(proc, activities);
  };
  network.onDeath(({ name }) => void clock.after(600, () => boot(name), null));

  clock.install(() => random.next());
  try {
    for (const name of WORKERS) boot(name);
    planAccidents(world, forPlan, procs);
    let toStart = RUNS.length;
    clock.as(null, () => {
      for (const run of RUNS) void startRun(world, run).then(() => toStart--);
      for (let i = forPlan.between(4, 14); i > 0; i--) {
        const what = drawWord(forPlan, i);
        clock.after(forPlan.between(0, FAULTS_UNTIL_MS), () => void what(world), null);
      }
    });
    const isAtRest = await clock.runUntil(() => toStart === 0 && temporal.open() === 0, LIMIT_MS);
    const { records, failures } = temporal;
    return {
      seed,
      records,
      violations: [
        ...(isAtRest ? [] : [`${temporal.open()} workflows are open`]),
        ...failures.map(({ workflowId, reason }) => `${workflowId}: ${reason}`),
        ...judgeHistories(records),
      ],
    };
  } finally {
    clock.uninstall();
  }
}

interface Parts {
  clock: Clock;
  network: Network;
  temporal: ModelTemporal;
  journeys: Journeys;
  random: Random;
}

interface Entrant {
  workflowId: string;
  run_id: string;
}

const RUNS: readonly [Entrant, ...Entrant[]] = [
  { workflowId: "one", run_id: "first" },
  { workflowId: "one", run_id: "second" },
  { workflowId: "two", run_id: "other" },
];

const DEFINITION = compile("thanks");
/** Somebody has changed the version under way. */
const OTHER = compile("something_else");

function compile(template: string): JourneyDefinition {
  const compiled = compileCampaign({
    campaign_id: CAMPAIGN,
    trigger: "event:signup",
    journey: {
      start: "later",
      nodes: {
        later: { type: "delay", ms: 1_000, next: "ask" },
        ask: { type: "message", channel: "push", template: "question", next: "answer" },
        answer: {
          type: "wait-until",
          events: [{ event_type: "reply", where: [] }],
          timeout_ms: 3_000,
          next: "which",
          on_timeout: "remind",
        },
        remind: { type: "message", channel: "sms", template: "reminder", next: "which" },
        which: { type: "branch", branches: [{ when: [{ path: "attributes.vip" }], next: "thanks" }], otherwise: "end" },
        thanks: { type: "message", channel: "email", template, next: "end" },
        end: { type: "exit" },
      },
    },
  });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.definition;
}

/** The second of a workflow id waits until the first has ended. */
async function startRun({ clock, journeys }: Parts, { workflowId, run_id }: Entrant): Promise<void> {
  const at = new Date(clock.wallMs()).toISOString();
  const input: JourneyInput = {
    client_id: "north",
    campaign_id: CAMPAIGN,
    version: 1,
    definition_hash: hashDefinition(DEFINITION),
    run_id,
    entry: { event_id: `entry-${run_id}`, event_type: "signup", at, key: "" },
    request_id: "request",
  };
  if (run_id === "second") await clock.sleep(500);
  for (;;) {
    const answer = await journeys.start(workflowId, input).catch(() => "busy");
    if (answer === "started") return;
    await clock.sleep(300);
  }
}

/** Somebody says something to a workflow; often it is meant for another run than the one that hears it. */
function drawWord(random: Random, number: number): (world: Parts) => Promise<unknown> {
  const { workflowId, run_id } = random.pick(RUNS);
  const event = { event_id: `e${number}`, event_type: random.pick(["reply", "click"]), at: "", props: {} };
  const kind = random.pick(["tell", "tell", "tell", "resume", "stop"] as const);
  return ({ journeys, clock }) => {
    const said =
      kind === "tell"
        ? journeys.tell(workflowId, { run_id, events: [{ ...event, at: new Date(clock.wallMs()).toISOString() }] })
        : kind === "resume"
          ? journeys.resume(workflowId, { run_id })
          : journeys.stop(workflowId, { run_id, reason: `purchase-${run_id}`, event_id: event.event_id });
    return said.catch(() => false);
  };
}

function createActivities(world: Parts, wasOther: boolean): JourneyActivities {
  const { clock, random, journeys } = world;
  const take = async () => {
    await clock.sleep(random.between(0, random.chance(0.1) ? 3_000 : 300));
    if (random.chance(0.1)) throw new AppError("unavailable", "not now");
  };
  let loads = 0;
  return {
    async loadDefinition() {
      await take();
      // From some moment on: those who have begun go on, those who begin must not.
      const definition = wasOther && ++loads > 2 ? OTHER : DEFINITION;
      return { definition, hash: hashDefinition(definition) };
    },
    async sendMessage(request) {
      await take();
      return drawOutcome(random, request, (run) => {
        const { workflowId, run_id } = run;
        // Whoever resumes a campaign asks until everybody has been told.
        const wake = (): void => void journeys.resume(workflowId, { run_id }).catch(() => clock.after(500, wake, null));
        clock.after(random.between(0, 2_500), wake, null);
      });
    },
    async readPerson() {
      await take();
      return { attributes: random.chance(0.6) ? { vip: true } : {}, last_seen_at: null, last_event_at: {} };
    },
    endRun: take,
  };
}

function drawOutcome(random: Random, request: SendRequest, hold: (run: Entrant) => void): SendOutcome {
  const delivery_id = `${request.run_id}-${request.node_id}`;
  const kind = random.pick(["submitted", "submitted", "submitted", "limited", "held", "skipped", "failed", "stopped"]);
  switch (kind) {
    case "submitted":
      return { outcome: "submitted", delivery_id };
    case "limited":
      return {
        outcome: "limited",
        reason: "quota",
        retry_at: new Date(Date.now() + random.between(0, 2_000)).toISOString(),
      };
    case "held":
      hold(RUNS.find(({ run_id }) => run_id === request.run_id)!);
      return { outcome: "held", reason: "campaign_paused" };
    case "stopped":
      return { outcome: "stopped", reason: "ledger" };
    default:
      return { outcome: kind as "skipped" | "failed", delivery_id, reason: "drawn" };
  }
}

function drawFaults(random: Random): Fault[] {
  return Array.from({ length: random.between(0, 5) }, (_, i) => {
    const point = random.pick(["workflow_task", "workflow_task", "activity", "temporal"] as const);
    const ofWorkers = ["dies_before", "dies_after"] as const;
    // Whoever starts and tells is no process of ours.
    const kinds = [...(point === "temporal" ? (["late"] as const) : ofWorkers), "lost", "slow"] as const;
    const kind: CallFault = random.pick(["refused", ...kinds]);
    return { id: `f${i}`, point, nth: random.between(1, 25), kind, ms: random.between(50, 4_000) };
  });
}

/** Workers are killed and frozen, whatever they are at. */
function planAccidents({ clock, network }: Parts, random: Random, procs: Map<string, Proc>): void {
  for (let i = random.between(0, 3); i > 0; i--) {
    const name = random.pick(WORKERS);
    const strike = random.chance(0.5)
      ? () => network.kill(procs.get(name) ?? null)
      : () => {
          const proc = procs.get(name)!;
          clock.freeze(proc);
          clock.after(random.between(300, 6_000), () => clock.thaw(proc), null);
        };
    clock.after(random.between(100, FAULTS_UNTIL_MS), strike, null);
  }
}
