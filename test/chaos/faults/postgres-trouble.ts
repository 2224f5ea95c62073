import { setTimeout as sleep } from "node:timers/promises";

import { signalProcess } from "../../../infra/local/process.ts";
import { postgresAdminUrl } from "../../../infra/local/parts/postgres.ts";
import { withPostgres } from "../../support/oracle-evidence.ts";
import { endAndWaitBack } from "../come-back.ts";
import type { Scenario } from "../scenario.ts";

const STORM_MS = 8_000;

const restart: Scenario = {
  name: "postgres-restart",
  fault: "PostgreSQL restarts, twice within seconds",
  invariant: "nothing lost, nothing doubled",
  victims: ["postgres"],
  async run(scene) {
    void scene.letIn(6);
    for (let blow = 0; blow < 2; blow++) {
      await sleep(scene.random.between(300, 2_000));
      // A fast shutdown: who is connected is told so and thrown out.
      await endAndWaitBack(scene.stack, "postgres", (pid) => signalProcess(pid, "SIGINT"));
    }
    await scene.recover(Date.now());
  },
};

/** All transactions become serializable, so that PostgreSQL refuses whatever overlaps; and connections break all the time. */
const storm: Scenario = {
  name: "postgres-storm",
  fault: "every transaction is serializable, connections are terminated ten times a second",
  invariant: "nothing lost, nothing doubled; a refused transaction is made again",
  async run(scene) {
    const { stack, random } = scene;
    const admin = postgresAdminUrl(stack.ports.postgres);
    let terminated = 0;
    await withPostgres(admin, async (sql) => {
      await sql`alter database livora set default_transaction_isolation = 'serializable'`;
      void scene.letIn(6);
      try {
        for (const untilMs = Date.now() + STORM_MS; Date.now() < untilMs; await sleep(100)) {
          const [row] = await sql<{ count: number }[]>`
            select count(pg_terminate_backend(pid))::int as count from
              (select pid from pg_stat_activity where datname = 'livora' order by md5(pid::text || ${random.next()}) limit 2) as chosen`;
          terminated += row?.count ?? 0;
        }
        void scene.letIn(6);
        // Without the terminations, so that transactions live long enough to get into each other's way.
        await sleep(STORM_MS / 2);
      } finally {
        await sql`alter database livora reset default_transaction_isolation`;
        await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = 'livora'`;
      }
      await scene.recover(Date.now());
      const [conflicts] = await sql<{ rollbacks: number }[]>`
        select xact_rollback::int as rollbacks from pg_stat_database where datname = 'livora'`;
      scene.note(`${terminated} connections terminated, ${conflicts?.rollbacks ?? 0} transactions rolled back so far`);
    });
  },
};

export const postgresTrouble: Scenario[] = [restart, storm];
