import { and, asc, eq } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { deadLetters } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, logAccess, requireScope } from "./context.ts";
import { deadLetterSchema, viewDeadLetter } from "./dead-letter.ts";

export const getDeadLetterInput = z.object({ id: z.guid() });

export const wholeDeadLetterSchema = z
  .object({
    ...deadLetterSchema.shape,
    bytes: z.string().meta({ description: "The payload, base64, whatever it is." }),
    provenance: z
      .object({ received_at: z.string(), request_id: z.string() })
      .nullable()
      .meta({ description: "When and under which request id the edge took it." }),
    replayed_as: z.guid().nullable().meta({ description: "The letter that it became when its replay failed." }),
  })
  .meta({ id: "WholeDeadLetter" });

export async function getDeadLetter(
  ctx: CrmContext,
  input: z.input<typeof getDeadLetterInput>,
): Promise<z.infer<typeof wholeDeadLetterSchema>> {
  requireScope(ctx, "admin");
  const { id } = parse(getDeadLetterInput, input, "request");
  const own = eq(deadLetters.client_id, ctx.principal.client_id);
  const { row, next } = await inTransaction(ctx, async (tx) => ({
    row: await tx.query.deadLetters.findFirst({ where: and(own, eq(deadLetters.id, id)) }),
    next: await tx.query.deadLetters.findFirst({
      columns: { id: true },
      where: and(own, eq(deadLetters.replay_of, id)),
      orderBy: asc(deadLetters.created_at),
    }),
  }));
  if (row === undefined) throw new AppError("not_found", "There is no such dead letter.");
  logAccess(ctx, "dead-letter.get", `dead-letter:${id}`);
  const { provenance } = row;
  return {
    ...viewDeadLetter(row),
    bytes: row.payload.toString("base64"),
    provenance: provenance && { received_at: provenance.received_at, request_id: provenance.request_id },
    replayed_as: next?.id ?? null,
  };
}
