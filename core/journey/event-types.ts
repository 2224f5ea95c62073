import type { Condition } from "../condition.ts";
import type { JourneyDefinition } from "./definition.ts";
import { kindOf } from "./nodes/index.ts";

const SINCE_PURCHASE = "purchase";

/** The types of events that can make any difference to a journey; null: all of them. */
export function eventTypesOf({ trigger, audience, exit_on, nodes }: JourneyDefinition): Set<string> | null {
  if (trigger.type === "inactivity") return null;
  const listened = Object.values(nodes).flatMap((node) => kindOf(node).listensTo(node));
  const asked = Object.values(nodes).flatMap((node) => kindOf(node).asks?.(node) ?? []);
  const facts = [...audience.map(({ path }: Condition) => path), ...asked.map(({ fact }) => fact)];
  // `*` is all of a person's; so is when they were last seen, or where, or on what.
  if (listened.some(({ event_type }) => event_type === "*")) return null;
  if (facts.some((path) => /^(last_seen_at|done|last_event_at|attributes|attributes\.(country|device))$/.test(path))) {
    return null;
  }
  return new Set([
    trigger.event_type,
    ...exit_on.map(({ event_type }) => event_type),
    ...listened.map(({ event_type }) => event_type),
    ...facts.flatMap(typesAskedBy),
  ]);
}

/** What was done counts since the last purchase. */
function typesAskedBy(path: string): string[] {
  const [, root, type = ""] = /^(done|last_event_at|attributes)\.(.*)$/s.exec(path) ?? [];
  if (root === "attributes") return ["identify"];
  if (root === "done") return [type, SINCE_PURCHASE];
  return root === "last_event_at" ? [type] : [];
}
