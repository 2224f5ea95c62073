import { CHANNELS } from "../channel.ts";
import type { Fault } from "../errors.ts";
import { type JourneyDefinition, MAX_NODES } from "./definition.ts";
import { FACT_ROOTS, isFactPath } from "./facts.ts";
import { type JourneyNode, kindOf, NODE_TYPES } from "./nodes/index.ts";
import type { Edge } from "./nodes/kind.ts";

type Graph = Pick<JourneyDefinition, "start" | "nodes">;

/** Everything that is wrong with a journey's graph; empty where it can run. Paths are JSON pointers into the graph. */
export function validateJourney(graph: Graph): Fault[] {
  const size = Object.keys(graph.nodes).length;
  if (size > MAX_NODES) return [{ path: "/nodes", reason: `has ${size} nodes; ${MAX_NODES} are the most` }];
  const broken = [...unknownTypes(graph), ...looseEdges(graph), ...unnamedMessages(graph), ...strangeFacts(graph)];
  return broken.length > 0 ? broken : [...orphans(graph), ...deadEnds(graph), ...idleCycles(graph)];
}

function unknownTypes(graph: Graph): Fault[] {
  return Object.entries(graph.nodes)
    .filter(([, node]) => !NODE_TYPES.includes(node.type))
    .map(([id, node]) => ({
      path: `/nodes/${id}/type`,
      reason: `is "${node.type}"; known are ${NODE_TYPES.join(", ")}`,
    }));
}

function looseEdges(graph: Graph): Fault[] {
  const faults = Object.hasOwn(graph.nodes, graph.start)
    ? []
    : [{ path: "/start", reason: `names no node: "${graph.start}"` }];
  for (const [id, node] of Object.entries(graph.nodes)) {
    for (const edge of edgesOf(node)) {
      if (Object.hasOwn(graph.nodes, edge.to)) continue;
      faults.push({ path: `/nodes/${id}${edge.path}`, reason: `leads to no node: "${edge.to}"` });
    }
  }
  return faults;
}

function unnamedMessages(graph: Graph): Fault[] {
  const faults: Fault[] = [];
  for (const [id, node] of Object.entries(graph.nodes)) {
    if (node.type !== "message") continue;
    if (!CHANNELS.includes(node.channel)) {
      faults.push({ path: `/nodes/${id}/channel`, reason: `is "${node.channel}"; known are ${CHANNELS.join(", ")}` });
    }
    if (!node.template) faults.push({ path: `/nodes/${id}/template`, reason: "names no template" });
  }
  return faults;
}

function strangeFacts(graph: Graph): Fault[] {
  return Object.entries(graph.nodes).flatMap(([id, node]) => {
    const asked = NODE_TYPES.includes(node.type) ? (kindOf(node).asks?.(node) ?? []) : [];
    return asked
      .filter(({ fact }) => !isFactPath(fact))
      .map(({ path, fact }) => ({
        path: `/nodes/${id}${path}`,
        reason: `"${fact}" is neither known of a person nor of the entry event; begin with ${FACT_ROOTS.join(", ")}`,
      }));
  });
}

function orphans(graph: Graph): Fault[] {
  const reached = reach([graph.start], (id) => edgesOf(graph.nodes[id]).map((edge) => edge.to));
  return Object.keys(graph.nodes)
    .filter((id) => !reached.has(id))
    .map((id) => ({ path: `/nodes/${id}`, reason: "is never reached from the start" }));
}

function deadEnds(graph: Graph): Fault[] {
  const ids = Object.keys(graph.nodes);
  const ends = ids.filter((id) => edgesOf(graph.nodes[id]).length === 0);
  const comingFrom = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const id of ids) for (const edge of edgesOf(graph.nodes[id])) comingFrom.get(edge.to)?.push(id);
  const ending = reach(ends, (id) => comingFrom.get(id) ?? []);
  return ids
    .filter((id) => !ending.has(id))
    .map((id) => ({ path: `/nodes/${id}`, reason: "never comes to an end: no exit can be reached from here" }));
}

/** A circle without a delay or a wait would run for ever in one moment, sending as it goes. */
function idleCycles(graph: Graph): Fault[] {
  const ids = Object.keys(graph.nodes).filter((id) => !takesTime(graph.nodes[id]));
  const idle = new Set(ids);
  const nextOf = (id: string) => edgesOf(graph.nodes[id]).flatMap((edge) => (idle.has(edge.to) ? [edge.to] : []));
  return ids
    .filter((id) => reach(nextOf(id), nextOf).has(id))
    .map((id) => ({
      path: `/nodes/${id}`,
      reason: "lies on a circle that no delay since here and no wait for events slows",
    }));
}

function reach(from: readonly string[], nextOf: (id: string) => string[]): Set<string> {
  const reached = new Set<string>();
  const open = [...from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    open.push(...nextOf(id));
  }
  return reached;
}

function edgesOf(node: JourneyNode | undefined): Edge[] {
  return node === undefined || !NODE_TYPES.includes(node.type) ? [] : kindOf(node).edges(node);
}

function takesTime(node: JourneyNode | undefined): boolean {
  return node !== undefined && kindOf(node).takesTime(node);
}
