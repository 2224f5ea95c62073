import type { JourneyDefinition } from "./definition.ts";
import { kindOf } from "./nodes/index.ts";

/**
 * The message nodes through which every way from the start to an end leads: who has come to the end of the journey has been at
 * each of them.
 */
export function certainMessages(journey: Pick<JourneyDefinition, "start" | "nodes">): string[] {
  return Object.keys(journey.nodes).filter((id) => journey.nodes[id]?.type === "message" && !reachesEnd(journey, id));
}

/** Whether a way to an end leads past this node. */
function reachesEnd({ start, nodes }: Pick<JourneyDefinition, "start" | "nodes">, past: string): boolean {
  const seen = new Set([past]);
  const ahead = [start];
  for (let id = ahead.pop(); id !== undefined; id = ahead.pop()) {
    const node = nodes[id];
    if (seen.has(id) || node === undefined) continue;
    seen.add(id);
    const edges = kindOf(node).edges(node);
    if (edges.length === 0) return true;
    ahead.push(...edges.map((edge) => edge.to));
  }
  return false;
}
