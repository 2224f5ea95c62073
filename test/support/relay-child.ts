import { readFileSync } from "node:fs";

import { createDeal } from "../../crm/create-deal.ts";
import type { CrmContext } from "../../crm/context.ts";
import { moveDeal } from "../../crm/move-deal.ts";
import { createContext } from "../../platform/context.ts";
import { connectPostgres, type Database } from "../../platform/postgres/database.ts";
import { relayEvents } from "../../platform/relay-events.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import type { StreamProducer } from "../../platform/stream/types.ts";
import type { RelayTask } from "./relay-task.ts";

/**
 * A deal is made and won, and its events are put on the stream, in a process that kills itself at one step: `relay-child.ts
 * <task.json>`.
 */
const task = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as RelayTask;
const ctx = createContext("relay-child", task.config);
const tenant = connectPostgres(task.config.LIVORA_POSTGRES_TENANT_URL, ctx.log);

function dieAt(death: RelayTask["death"]): void {
  if (task.death === death) process.kill(process.pid, "SIGKILL");
}

/** Dies when a transaction's work is done and it is about to be committed. */
function dyingBeforeCommit(db: Database, death: RelayTask["death"]): Database {
  const transaction: Database["transaction"] = (work, options) =>
    db.transaction(async (tx) => {
      const result = await work(tx);
      dieAt(death);
      return result;
    }, options);
  return new Proxy(db, { get: (from, name) => (name === "transaction" ? transaction : Reflect.get(from, name)) });
}

function dyingAtSecond(producer: StreamProducer): StreamProducer {
  let appended = 0;
  return {
    ...producer,
    pendingBytes: 0,
    append(...args) {
      if (++appended === 2) dieAt("before the stream has the second event");
      return producer.append(...args);
    },
  };
}

const { client_id, contact_id, deal_id } = task;
const crm = {
  db: dyingBeforeCommit(tenant.db, "before the change is committed"),
  log: ctx.log,
  principal: { client_id, actor: "test", scopes: ["admin"], request_id: "r-1" },
} as unknown as CrmContext;
await createDeal(crm, { deal_id, title: "Hundred shirts", contact_id });
await moveDeal(crm, { id: deal_id, version: 1, stage: "won" });
dieAt("after the change is committed");
const producer = createStreamProducer({ kinesis: ctx.kinesis, stream: task.config.LIVORA_STREAM_EVENTS });
const db = dyingBeforeCommit(ctx.db, "before it is forgotten what was owed");
await relayEvents({ db, producer: dyingAtSecond(producer) }, { client_id });
throw new Error("it should be dead by now");
