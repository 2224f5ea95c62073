import { setTimeout as sleep } from "node:timers/promises";

import { withPostgres } from "../../support/oracle-evidence.ts";
import { overtaken, twice } from "../../support/fault-proxy/fates.ts";
import { type Exchange, pass } from "../../support/fault-proxy/http-proxy.ts";
import type { Scenario, Scene } from "../scenario.ts";

/** Providers tell what became of a message more than once and in any order; and much later once more. */
export const webhooks: Scenario = {
  name: "webhooks",
  fault: "webhooks doubled, reordered, and all of them replayed",
  invariant: "one state for each delivery, which only goes forward; each report is one activity",
  stack: { proxies: ["api"] },
  async run(scene) {
    const { stack, random } = scene;
    const proxy = stack.proxy("api");
    const seen: Exchange[] = [];
    proxy.set((exchange) => {
      seen.push(exchange);
      if (random.chance(0.4)) return ["twice", twice];
      return random.chance(0.6) ? ["overtaken", overtaken(() => random.between(100, 3_000))] : ["pass", pass];
    });
    await scene.letIn(12);
    await sleep(8_000);
    const before = await readStates(scene);
    for (const exchange of seen.toReversed()) await exchange.forward();
    const after = await readStates(scene);
    proxy.set(() => ["pass", pass]);
    judge(scene, before, after);
    scene.note(`${seen.length} webhooks, ${proxy.met.get("twice") ?? 0} of them doubled, all replayed backwards`);
    scene.check(seen.length > 0, "there was no webhook");
    await scene.recover(Date.now());
  },
};

interface States {
  deliveries: Map<string, string>;
  activities: number;
  doubled: string[];
}

function judge(scene: Scene, before: States, after: States): void {
  for (const [id, state] of before.deliveries) {
    if (state !== "delivered") continue;
    scene.check(after.deliveries.get(id) === "delivered", `delivery ${id} went back to ${after.deliveries.get(id)}`);
  }
  scene.check(after.doubled.length === 0, `activities told twice: ${after.doubled.join(", ")}`);
}

/** Only one activity may say the same of the same message. */
async function readStates({ stack }: Scene): Promise<States> {
  return withPostgres(stack.postgres, async (sql) => {
    const deliveries = await sql<{ id: string; state: string }[]>`select id, state from deliveries`;
    const activities = await sql<{ told: string; count: number }[]>`
      select type || ' ' || (metadata ->> 'delivery_id') as told, count(*)::int as count
      from activities where metadata ? 'delivery_id' group by 1`;
    return {
      deliveries: new Map(deliveries.map(({ id, state }) => [id, state])),
      activities: activities.length,
      doubled: activities.filter(({ count }) => count > 1).map(({ told, count }) => `${told}: ${count}`),
    };
  });
}
