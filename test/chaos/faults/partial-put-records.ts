import { operationOf, partial } from "../../support/fault-proxy/aws-fates.ts";
import { pass } from "../../support/fault-proxy/http-proxy.ts";
import type { Scenario } from "../scenario.ts";

/** Three PutRecords in four leave out some of their records, at the edge, behind the enricher and behind the worker. */
export const partialPutRecords: Scenario = {
  name: "partial-put-records",
  fault: "PutRecords takes some of its records and refuses the others",
  invariant: "each event once, a session's order kept",
  stack: { proxies: ["kinesis"] },
  async run(scene) {
    const { stack, random } = scene;
    const kinesis = stack.proxy("kinesis");
    kinesis.set((exchange) => {
      if (operationOf(exchange) !== "PutRecords" || random.chance(0.25)) return ["pass", pass];
      return ["partial", partial(() => random.chance(0.5))];
    });
    await scene.letIn(12);
    const liftedAtMs = Date.now();
    kinesis.set(() => ["pass", pass]);
    await scene.recover(liftedAtMs);
    scene.note(`${kinesis.met.get("partial") ?? 0} partial puts`);
    scene.check((kinesis.met.get("partial") ?? 0) > 0, "no put was ever partial");
  },
};
