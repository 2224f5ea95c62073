import { sql } from "drizzle-orm";

import type { Difference } from "../../core/contracts/audit.ts";
import type { ListedMessage, MessageList } from "../../core/listed-message.ts";
import { HOUR_MS } from "../../core/time.ts";
import { differenceOf } from "./delivery-difference.ts";
import type { AuditDeps, Scope } from "./scope.ts";

/** A provider's list lags behind, and so may the answer on its way to the ledger. */
const LAG_MS = 90_000;
/** Twilio tells times to the second. */
const CLOCK_SLACK_MS = 2_000;
/** So many of an hour are compared, and so many that are not listed asked for one by one. */
const MOST = 100_000;
const MOST_ASKED = 100;
const IDS_AT_ONCE = 5_000;

export interface ProviderFindings {
  differences: Difference[];
  /** For everybody. */
  notes: string[];
}

type CompareDeps = { ctx: Pick<AuditDeps["ctx"], "db"> } & Pick<AuditDeps, "messageLists" | "lostTime">;

/**
 * The ledger against the lists of those who sent: each message that it calls sent is there, and each that is there is in it, once.
 * Asks each provider once for the hour. A provider that does not answer is no difference.
 */
export async function compareProviders(deps: CompareDeps, scope: Scope, lagMs = LAG_MS): Promise<ProviderFindings> {
  const findings: ProviderFindings = { differences: [], notes: [] };
  const toMs = Math.min(scope.hourMs + HOUR_MS, Date.now() - lagMs);
  if (toMs <= scope.hourMs) return findings;
  for (const list of deps.messageLists ?? []) {
    const hour = { ctx: deps.ctx, lostTime: deps.lostTime, list, ...scope, toMs };
    try {
      const listed = await list.list(scope.hourMs - CLOCK_SLACK_MS, toMs, MOST);
      if (listed.length >= MOST) {
        findings.notes.push(`${list.provider} lists ${MOST} messages and more: not compared`);
        continue;
      }
      await findAbsent(hour, listed, findings);
      await findStrangers(hour, listed, findings);
    } catch (error) {
      findings.notes.push(`${list.provider} could not be asked for its list: ${(error as Error).message}`);
    }
  }
  return findings;
}

interface ProviderHour extends Scope {
  ctx: CompareDeps["ctx"];
  lostTime: CompareDeps["lostTime"];
  list: MessageList;
  toMs: number;
}

/** In the ledger as sent, and not at the provider. */
async function findAbsent(
  { ctx, list, hourMs, toMs, clientId }: ProviderHour,
  listed: readonly ListedMessage[],
  { differences, notes }: ProviderFindings,
): Promise<void> {
  const [from, to] = [hourMs, toMs].map((ms) => new Date(ms).toISOString());
  const rows = await ctx.db.execute<{ client_id: string; id: string; message_id: string; state: string }>(sql`
    select client_id, id, provider_message_id as message_id, state from deliveries
    where provider = ${list.provider} and created_at >= ${from} and created_at < ${to}
      and provider_message_id is not null and state in ('submitted', 'delivered', 'failed')
      and (${clientId ?? null}::text is null or client_id = ${clientId ?? null})`);
  const known = new Set(listed.map((message) => message.message_id));
  // One that had to wait is on the list of a later hour, or waits at the provider.
  const doubtful = rows.filter((row) => !known.has(row.message_id));
  for (const { client_id, id, message_id, state } of doubtful.slice(0, MOST_ASKED)) {
    if (await list.has(message_id)) continue;
    const last_seen = `ledger, in state ${state}, as ${list.provider} ${message_id}, which ${list.provider} has not`;
    differences.push(differenceOf("absent_at_provider", client_id, id, last_seen));
  }
  const unasked = doubtful.length - MOST_ASKED;
  if (unasked > 0) notes.push(`${unasked} messages that ${list.provider} does not list were not asked for one by one`);
}

/**
 * At the provider, and under its id not in the ledger. What a ledger did that is gone since a restore, this one cannot know of:
 * only that it has not done the same again.
 */
async function findStrangers(
  { ctx, lostTime, list, hourMs, toMs, clientId }: ProviderHour,
  listed: readonly ListedMessage[],
  { differences, notes }: ProviderFindings,
): Promise<void> {
  const { since = "", until = "" } = lostTime ?? {};
  const isLost = ({ at }: ListedMessage) =>
    Date.parse(at) >= Date.parse(since) - CLOCK_SLACK_MS && Date.parse(at) < Date.parse(until);
  const within = listed.filter(({ at }) => Date.parse(at) >= hourMs && Date.parse(at) < toMs);
  const known = await findKnown(ctx, list, within);
  const strangers = within.filter((message) => !known.has(message.message_id));
  const likes = await findLikes(ctx, list, strangers);
  const taken = new Set<string>();
  let [foreign, lost] = [0, 0];
  for (const message of strangers) {
    const ofMessage = likes.filter((like) => like.message_id === message.message_id);
    const alike = ofMessage.filter((like) => isLost(message) || !like.is_later);
    // Handed over, and the answer is not known: it asks for this one.
    const open = alike.find((like) => (like.state === "submitting" || like.state === "unknown") && !taken.has(like.id));
    if (open) taken.add(open.id);
    else if (alike.length === 0 && !(await isSender(ctx, list, message.from))) foreign++;
    else if (isLost(message) && !alike.some((like) => like.is_later)) lost++;
    else {
      const difference = describeStranger(list, message, alike[0]);
      if (clientId === undefined || difference.client_id === clientId) differences.push(difference);
    }
  }
  if (lost > 0)
    notes.push(`restored: ${lost} messages at ${list.provider} are from the time after the backup, and not known`);
  if (foreign > 0) notes.push(`${foreign} messages at ${list.provider} are from senders that are not Livora's`);
}

async function findKnown(
  { db }: CompareDeps["ctx"],
  { provider }: MessageList,
  listed: readonly ListedMessage[],
): Promise<Set<string>> {
  const known = new Set<string>();
  for (let at = 0; at < listed.length; at += IDS_AT_ONCE) {
    const ids = JSON.stringify(listed.slice(at, at + IDS_AT_ONCE).map((message) => message.message_id));
    const rows = await db.execute<{ message_id: string }>(sql`
      select provider_message_id as message_id from deliveries where provider = ${provider}
        and provider_message_id in (select jsonb_array_elements_text(${ids}::text::jsonb))`);
    for (const row of rows) known.add(row.message_id);
  }
  return known;
}

interface Like extends Record<string, unknown> {
  message_id: string;
  client_id: string;
  id: string;
  state: string;
  sent_as: string | null;
  /** It was begun after that message, in a run from before it. */
  is_later: boolean;
}

/** Deliveries to the same person, from the same sender, with the same text, from before that moment or due by then; the latest first. */
async function findLikes(
  { db }: CompareDeps["ctx"],
  { provider }: MessageList,
  messages: readonly ListedMessage[],
): Promise<Like[]> {
  if (messages.length === 0) return [];
  const rows = await db.execute<Like>(sql`
    select m.message_id, d.client_id, d.id, d.state, d.provider_message_id as sent_as,
      d.created_at > m.at + interval '2 seconds' as is_later
    from jsonb_to_recordset(${JSON.stringify(messages)}::text::jsonb)
      as m(message_id text, "to" text, "from" text, content_sha256 text, at timestamptz)
    join deliveries d on d.handover ->> 'to' = m."to" and d.handover ->> 'from' = m."from"
      and d.handover ->> 'content_sha256' in ('', m.content_sha256)
      and d.created_at >= m.at - interval '35 days'
    join journey_runs r on r.id = d.run_id and r.entered_at <= m.at + interval '2 seconds'
    where d.provider = ${provider} order by d.created_at desc`);
  return [...rows];
}

async function isSender({ db }: CompareDeps["ctx"], { provider }: MessageList, from: string): Promise<boolean> {
  const rows = await db.execute(sql`
    select from deliveries where provider = ${provider} and handover ->> 'from' = ${from} limit 1`);
  return rows.length > 0;
}

function describeStranger({ provider }: MessageList, { message_id, at }: ListedMessage, like: Like | undefined) {
  const seen = `${provider}, as ${message_id} at ${at}`;
  if (like === undefined)
    return differenceOf("unknown_to_ledger", "", null, `${seen}; nothing in the ledger is like it`);
  if (like.sent_as === null) {
    const last_seen = `${seen}; it is like delivery ${like.id}, which is ${like.state}`;
    return differenceOf("unknown_to_ledger", like.client_id, like.id, last_seen);
  }
  return differenceOf("sent_twice", like.client_id, like.id, `${seen}; the ledger knows it as ${like.sent_as}`);
}
