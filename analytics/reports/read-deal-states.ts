import { sql } from "drizzle-orm";

import type { DealState } from "../../core/pipeline/count-stages.ts";
import { dealChanges } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";

export interface DealStateRow extends DealState {
  owner: string | null;
  source: string | null;
}
type Row = DealStateRow & { deal_id: string; version: number };

const PAGE = 20_000;

/** All deals of a pipeline, one after the other: what each change before `endMs` has made of it, in order. A page at a time is in memory. */
export async function* readDealStates(
  tx: Transaction,
  clientId: string,
  { pipelineId, endMs }: { pipelineId: string; endMs: number },
): AsyncGenerator<DealStateRow[]> {
  let deal: Row[] = [];
  for (let last: Row | undefined, length = PAGE; length === PAGE;) {
    const page = await readPage(tx, clientId, { pipelineId, endMs, last });
    for (const row of page) {
      if (deal.length > 0 && deal[0]!.deal_id !== row.deal_id) {
        yield deal;
        deal = [];
      }
      deal.push(row);
    }
    last = page.at(-1);
    length = page.length;
  }
  if (deal.length > 0) yield deal;
}

async function readPage(
  tx: Transaction,
  clientId: string,
  { pipelineId, endMs, last }: { pipelineId: string; endMs: number; last: Row | undefined },
): Promise<Row[]> {
  const after = last && sql`and (deal_id, version) > (${last.deal_id}::uuid, ${last.version}::int)`;
  return tx.execute<Row & Record<string, unknown>>(sql`
    select deal_id, version, floor(extract(epoch from at) * 1000)::float8 as "atMs", stage, owner, source,
      amount_minor::float8 as amount_minor, currency, reason
    from ${dealChanges}
    where client_id = ${clientId} and pipeline_id = ${pipelineId}
      and at < ${new Date(endMs).toISOString()}::timestamptz ${after}
    order by deal_id, version limit ${PAGE}`);
}
