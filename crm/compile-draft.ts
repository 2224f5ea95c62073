import { and, eq, inArray } from "drizzle-orm";

import { compileCampaign, type Compiled, templatesOf } from "../core/campaign.ts";
import { AppError } from "../core/errors.ts";
import { isStarterTemplate } from "../core/starter-template.ts";
import { templates } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";
import type { Warning } from "./campaign.ts";

export type CompiledCampaign = Extract<Compiled, { ok: true }>;

/** Throws `invalid` with every fault of the campaign's JSON. */
export function compileDraft(source: unknown): CompiledCampaign {
  const compiled = compileCampaign(source);
  if (!compiled.ok) throw new AppError("invalid", "The campaign is not valid.", { faults: compiled.faults });
  return compiled;
}

/** Templates may be written after the campaign that names them, so one that nobody has written is a warning. */
export async function findWarnings(tx: Transaction, clientId: string, compiled: CompiledCampaign): Promise<Warning[]> {
  const wanted = templatesOf(compiled.definition).filter(({ template }) => !isStarterTemplate(template));
  const names = [...new Set(wanted.map(({ template }) => template))];
  if (names.length === 0) return [...compiled.warnings];
  const where = and(eq(templates.client_id, clientId), inArray(templates.name, names));
  const known = await tx.select({ channel: templates.channel, name: templates.name }).from(templates).where(where);
  const isMissing = (at: { channel: string; template: string }) =>
    !known.some(({ channel, name }) => channel === at.channel && name === at.template);
  const missing = wanted.filter(isMissing).map(({ node_id, channel, template }) => ({
    path: `/journey/nodes/${node_id}/template`,
    reason: `there is no ${channel} template "${template}" yet; until there is, plain words are sent`,
  }));
  return [...compiled.warnings, ...missing];
}
