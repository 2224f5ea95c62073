import { countEvents } from "../../analytics/stream/enrich/decode.ts";
import { readConfig } from "../../platform/config.ts";
import type { Context } from "../../platform/context.ts";
import { createLogger } from "../../platform/logger.ts";
import { createLedger, type Ledger } from "../support/oracle.ts";
import { createRandom, type Random } from "../support/oracle-random.ts";
import { type Clock, createClock, type Proc } from "./clock.ts";
import { createModelDocuments } from "./documents.ts";
import type { Answer } from "./edge.ts";
import { createPointFaults, FAULTS_UNTIL_MS, type PointFaults } from "./faults.ts";
import { createLakeModel } from "./lake.ts";
import { createNetwork } from "./network.ts";
import { createOperator } from "./operator.ts";
import type { ModelPostgres } from "./postgres.ts";
import { type Api, bootApi, bootConsumers, bootEdge, bootWorker, type ProcessParts } from "./processes.ts";
import { createModelProviders, type ModelProviders } from "./providers.ts";
import { createModelRedis } from "./redis.ts";
import type { Scenario } from "./scenario.ts";
import { type ClaimedPlace, createRecord, visit, type VisitorRecord } from "./shop.ts";
import { createModelKinesis, createModelStream, type ModelStream } from "./stream.ts";
import { createModelTemporal, type ModelTemporal } from "./temporal.ts";
import type { Workflows } from "./temporal/runtime.ts";
import { createModelUserStore } from "./user-store.ts";

/** A seed's world: everything in one realm, on virtual time. */
export interface World {
  clock: Clock;
  ledger: Ledger;
  records: VisitorRecord[];
  claims: ClaimedPlace[];
  faults: PointFaults;
  /** Clients whose campaign was held for a while. */
  paused: ReadonlySet<string>;
  /** Faults that set the clock. */
  jumps: ReadonlySet<string>;
  events: ModelStream;
  enriched: ModelStream;
  userItems: ReturnType<typeof createModelUserStore>["items"];
  lake: ReturnType<typeof createLakeModel>;
  temporal: ModelTemporal;
  providers: ModelProviders;
  postgres: ModelPostgres;
  /** Lets everything happen and come to rest; false where it does not. */
  run(): Promise<boolean>;
  /** Why it has not come to rest. */
  unrest(): string[];
}

/** What all seeds share. */
export interface WorldParts {
  postgres: ModelPostgres;
  workflows: Workflows;
}

export const STARTS_AT = "2026-01-05T10:00:00.000Z";
/** Virtual time by which everything must have come to rest. */
const LIMIT_MS = 120_000;
const LOOK_EVERY_MS = 400;
const CLIENT_TIMEOUT_MS = 3_500;
const LATENCY_MS = 1;
const NAMES = ["edge", "consumers-1", "consumers-2", "worker-1", "worker-2", "api"] as const;
type Name = (typeof NAMES)[number];

/** Never called: nobody asks before everything was started. */
const NOT_UP = () => Promise.reject(new Error("not up"));

export function createWorld(
  scenario: Scenario,
  { postgres, workflows }: WorldParts,
  tell: (line: string) => void,
): World {
  const random = createRandom(scenario.seed ^ 0x5eed);
  const [forNetwork, forStreams, forProviders, forTemporal, forProduct] = Array.from({ length: 5 }, () =>
    random.fork(),
  ) as [Random, Random, Random, Random, Random];
  const clock = createClock(Date.parse(STARTS_AT));
  const say = (line: string) =>
    tell(`${clock.elapsedMs.toFixed(1).padStart(9)} ${clock.current()?.name ?? "-"}: ${line}`);
  const faults = createPointFaults(scenario.faults, say);
  const active: PointFaults = {
    ...faults,
    at: (point) => (clock.elapsedMs < FAULTS_UNTIL_MS ? faults.at(point) : null),
  };
  const network = createNetwork(clock, forNetwork, active);
  const config = readConfig({ LIVORA_LOG_LEVEL: "silent" });
  const ofStream = { clock, network, random: forStreams };
  const { events: eventShards, enriched: enrichedShards } = scenario.shards;
  const events = createModelStream(ofStream, {
    name: config.LIVORA_STREAM_EVENTS,
    shards: eventShards,
    point: "put:events",
    countEvents,
  });
  const enriched = createModelStream(ofStream, {
    name: config.LIVORA_STREAM_ENRICHED,
    shards: enrichedShards,
    point: "put:enriched",
    countEvents: () => 1,
  });
  const userStore = createModelUserStore(network);
  const temporal = createModelTemporal({ clock, random: forTemporal, network }, workflows);
  const providers = createModelProviders({ clock, random: forProviders, faults: active }, (told) =>
    askApi(({ report }) => report(told)),
  );
  const unused = {} as unknown as Context["dynamodb"];
  const ctx: Context = {
    config,
    log: createLogger("simulation", config),
    db: postgres.connect(network),
    redis: createModelRedis().connect(network),
    kinesis: createModelKinesis(network, [events, enriched]),
    dynamodb: unused,
    close: async () => undefined,
  };
  const lake = createLakeModel(network);
  const documents = createModelDocuments(network);
  const parts: ProcessParts = {
    ctx,
    clock,
    network,
    events,
    enriched,
    store: userStore.store,
    documents,
    lake,
    temporal,
    providers,
  };
  const procs = new Map<Name, Proc>();
  let receive: ReturnType<typeof bootEdge> = NOT_UP;
  let api: Api = { report: NOT_UP, pause: NOT_UP, resume: NOT_UP };
  let requests = 0;
  let openVisits = 0;
  const ledger = createLedger();
  const records = scenario.visitors.map(createRecord);
  const claims: ClaimedPlace[] = [];

  const operator = createOperator(clock, askApi);

  function boot(name: Name): void {
    const proc = clock.spawn(name);
    procs.set(name, proc);
    clock.as(proc, () => {
      if (name === "edge") receive = bootEdge(parts);
      else if (name === "api") api = bootApi(parts);
      else if (name.startsWith("consumers")) bootConsumers(parts);
      else bootWorker(parts, proc);
    });
  }

  network.onDeath((proc) => {
    say(`${proc.name} is killed`);
    clock.after(600, () => boot(proc.name as Name), null);
  });

  function post(client: string, body: string): Promise<Answer | null> {
    const requestId = `request-${++requests}`;
    return new Promise((resolve) => {
      const timeout = clock.after(CLIENT_TIMEOUT_MS, () => resolve(null), null);
      const answer = (given: Answer) => {
        const fault = active.at("answer");
        if (fault?.kind === "lost") return;
        clock.after(
          LATENCY_MS + (fault?.kind === "slow" ? fault.ms : 0),
          () => {
            timeout.cancel();
            resolve(given);
          },
          null,
        );
      };
      clock.after(LATENCY_MS, () => receive(client, body, requestId, answer), procs.get("edge"));
    });
  }

  function askApi(work: (api: Api) => Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const timeout = clock.after(CLIENT_TIMEOUT_MS, () => reject(new Error("no answer")), null);
      const settle = (outcome: () => void) => {
        timeout.cancel();
        clock.after(LATENCY_MS, outcome, null);
      };
      clock.after(
        LATENCY_MS,
        () =>
          void work(api).then(
            () => settle(resolve),
            (error: Error) => settle(() => reject(error)),
          ),
        procs.get("api"),
      );
    });
  }

  function plan(): void {
    for (const fault of scenario.faults) {
      if ("point" in fault) continue;
      clock.after(fault.atMs, () => strike(fault), null);
    }
    clock.after(FAULTS_UNTIL_MS, () => [...procs.values()].forEach((proc) => clock.thaw(proc)), null);
  }

  function strike(fault: Exclude<Scenario["faults"][number], { point: unknown }>): void {
    const proc = procs.get(fault.target as Name);
    const stream = fault.target === "enriched" ? enriched : events;
    faults.fired.add(fault.id);
    say(`${fault.id}: ${fault.kind} ${fault.target}`);
    if (fault.kind === "split") stream.split();
    if (fault.kind === "merge") stream.merge();
    if (fault.kind === "jump") clock.jump(fault.ms);
    if (fault.kind === "pause") operator.pause(fault.target, fault.ms);
    if (fault.kind === "kill" && proc?.state !== "dead") network.kill(proc ?? null);
    if (fault.kind === "freeze" && proc) {
      clock.freeze(proc);
      clock.after(fault.ms, () => clock.thaw(proc), null);
    }
  }

  async function run(): Promise<boolean> {
    clock.install(() => forProduct.next());
    try {
      for (const name of NAMES) boot(name);
      plan();
      clock.as(null, () => {
        for (const record of records) {
          openVisits++;
          visit(
            {
              clock,
              random: createRandom(scenario.seed * 31 + record.number),
              ledger,
              post,
              claim: (places) => claims.push(...places),
            },
            record,
          ).then(
            () => openVisits--,
            (error: unknown) => say(`a visitor failed: ${String(error)}`),
          );
        }
      });
      let isAtRest = false;
      const look = () => {
        isAtRest = unrest().length === 0;
        if (!isAtRest) clock.after(LOOK_EVERY_MS, look, null);
      };
      clock.after(FAULTS_UNTIL_MS, look, null);
      return await clock.runUntil(() => isAtRest, LIMIT_MS);
    } finally {
      clock.uninstall();
    }
  }

  function unrest(): string[] {
    if (openVisits > 0) return [`${openVisits} visitors are not through`];
    if (operator.isBusy()) return ["a campaign is held"];
    if (temporal.open() > 0) return [`${temporal.open()} workflows are open`];
    const rows = postgres.query(`
      select (select count(*)::int from journey_runs where state in ('active', 'held') or ended_at is null) as runs,
        (select count(*)::int from deliveries where state in ('reserved', 'submitting', 'unknown')) as deliveries,
        (select count(*)::int from deliveries where unannounced <> '{}') as unannounced`);
    const reasons = Object.entries(rows[0] ?? {}).flatMap(([what, count]) =>
      count === 0 ? [] : [`${String(count)} ${what}`],
    );
    if (reasons.length > 0) return reasons;
    return behind();
  }

  /** Whatever lies in a stream must have been read by everybody: then so much is in the lake, dropped or dead. */
  function behind(): string[] {
    const unread = documents.positions().filter(({ stream, shard, checkpoint }) => {
      const last = (stream === events.name ? events : enriched).lastOf(shard);
      return last !== null && last !== checkpoint;
    });
    const consumers = documents.positions().length;
    if (consumers < events.shardCount() + 2 * enriched.shardCount()) return [`only ${consumers} leases`];
    return unread.map(({ stream, shard, consumer }) => `${consumer} is behind in ${stream} ${shard}`);
  }

  return {
    clock,
    ledger,
    records,
    claims,
    faults,
    paused: operator.paused,
    jumps: new Set(scenario.faults.filter(({ kind }) => kind === "jump").map(({ id }) => id)),
    events,
    enriched,
    userItems: userStore.items,
    lake,
    temporal,
    providers,
    postgres,
    run,
    unrest,
  };
}
