import { compileCampaign } from "../../core/campaign.ts";
import type { Fault } from "./faults.ts";
import { judge, type Violation } from "./invariants.ts";
import { type ModelPostgres, startPostgres } from "./postgres.ts";
import { CAMPAIGN, CLIENTS, drawScenario, SCHEDULE } from "./scenario.ts";
import { loadWorkflows } from "./temporal/workflows.ts";
import { createWorld, STARTS_AT } from "./world.ts";

export interface SeedResult {
  seed: number;
  /** The line that runs it again. */
  repeat: string;
  violations: Violation[];
  /** The faults that have really happened. */
  fired: Fault[];
  steps: number;
  virtualMs: number;
  /** Of this machine. */
  tookMs: number;
  /** What came of it, as one number: two runs of a seed have the same. */
  fingerprint: number;
}

export interface SeedOptions {
  drop?: ReadonlySet<string>;
  /** Told what happens, line by line. */
  tell?: (line: string) => void;
}

/** One seed from its beginning until everything has come to rest, judged. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const postgres = await startPostgres();
  const workflows = await loadWorkflows();
  const beganMs = performance.now();
  const scenario = drawScenario(seed, options.drop);
  await postgres.empty();
  publish(postgres);
  const world = createWorld(scenario, { postgres, workflows }, options.tell ?? (() => undefined));
  const isAtRest = await world.run();
  const violations: Violation[] = isAtRest
    ? await judge(world)
    : [{ invariant: "rest", detail: world.unrest().join(", ") }];
  const fired = scenario.faults.filter(({ id }) => world.faults.fired.has(id));
  return {
    seed,
    repeat: repeatOf(seed, options.drop),
    violations,
    fired,
    steps: world.clock.steps,
    virtualMs: Math.round(world.clock.elapsedMs),
    tookMs: performance.now() - beganMs,
    fingerprint: fingerprintOf(world),
  };
}

function repeatOf(seed: number, drop: ReadonlySet<string> = new Set()): string {
  return `npm run sim -- --seed ${seed}${drop.size > 0 ? ` --drop ${[...drop].toSorted().join(",")}` : ""}`;
}

/** Both clients and the campaign that both run. */
function publish(postgres: ModelPostgres): void {
  const compiled = compileCampaign({
    campaign_id: CAMPAIGN,
    trigger: "cart_abandonment",
    schedule: SCHEDULE.map(({ channel, delayMs }) => ({
      delay_minutes: delayMs / 60_000,
      action: `${channel}:reminder`,
    })),
  });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  const { definition, hash } = compiled;
  for (const client of CLIENTS) {
    postgres.query("insert into clients (id, name) values ($1, $1)", [client]);
    postgres.query(
      `insert into campaigns (client_id, id, name, state, draft, current_version) values ($1, $2, 'Carts', 'active', '{}', 1)`,
      [client, CAMPAIGN],
    );
    postgres.query(
      `insert into campaign_versions (client_id, campaign_id, version, hash, source, journey, published_at)
       values ($1, $5, 1, $2, '{}', $3::jsonb, $4)`,
      [client, hash, JSON.stringify(definition), STARTS_AT, CAMPAIGN],
    );
  }
}

/** FNV-1a over what lies in the streams, what went out, and what Temporal has kept. */
function fingerprintOf(world: ReturnType<typeof createWorld>): number {
  let hash = 0x811c9dc5;
  const add = (text: string) => {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  };
  for (const stream of [world.events, world.enriched]) {
    for (const { shard, sequence, index, data } of stream.entries())
      add(`${shard} ${sequence}:${index} ${data.length}`);
  }
  for (const effect of world.providers.effects) add(JSON.stringify(effect));
  for (const { history } of world.temporal.records) add(JSON.stringify(history));
  add(String(world.clock.steps));
  return hash >>> 0;
}
