import { DAY_MS } from "../../core/time.ts";
import { createRandom, type Random } from "../support/oracle-random.ts";
import { drawFaults, type Fault } from "./faults.ts";

/** What one visitor does, one after the other: the next once the last was acknowledged. */
export interface Act {
  /** `s0.2`: the third act of the first visitor. */
  id: string;
  kind: "view" | "identify" | "cart" | "buy" | "resend";
  /** Which of their devices. */
  device: 0 | 1;
  /** Whether the events name the user. */
  isKnown: boolean;
  /** Events in the request. */
  count: number;
  pauseMs: number;
  /** Not before so long after the cart was left; null: only the pause counts. */
  afterCartMs: number | null;
  /** How old the events are when they are sent. */
  lateMs: number;
}

export interface Visitor {
  id: string;
  client: string;
  user_id: string;
  acts: Act[];
}

/** All that a seed stands for. The same seed is the same scenario, on every machine. */
export interface Scenario {
  seed: number;
  shards: { events: number; enriched: number };
  visitors: Visitor[];
  faults: Fault[];
}

export const CLIENTS = ["north", "south"] as const;
export const CAMPAIGN = "carts";
/** The campaign of both clients: what goes out, and how long after the cart. */
export const SCHEDULE = [
  { channel: "whatsapp", delayMs: 4_000 },
  { channel: "email", delayMs: 9_000 },
] as const;

const BEHAVIOURS = [
  "browses",
  "abandons",
  "abandons",
  "buys",
  "buys_elsewhere",
  "logs_in_late",
  "races",
  "races",
] as const;
type Behaviour = (typeof BEHAVIOURS)[number];

/** `drop`: ids of faults, visitors and acts that are left out. */
export function drawScenario(seed: number, drop: ReadonlySet<string> = new Set()): Scenario {
  const random = createRandom(seed);
  const [forVisitors, forFaults] = [random.fork(), random.fork()];
  const shards = { events: random.between(1, 3), enriched: random.between(1, 2) };
  const count = random.between(2, 4);
  const visitors = Array.from({ length: count }, (_, i) => drawVisitor(forVisitors.fork(), i));
  return {
    seed,
    shards,
    visitors: visitors
      .filter(({ id }) => !drop.has(id))
      .map((visitor) => ({ ...visitor, acts: visitor.acts.filter(({ id }) => !drop.has(id)) })),
    faults: drawFaults(forFaults).filter(({ id }) => !drop.has(id)),
  };
}

function drawVisitor(random: Random, number: number): Visitor {
  const id = `s${number}`;
  // Both clients know people by the same names: nothing of one may reach the other.
  const client = CLIENTS[number % CLIENTS.length] ?? CLIENTS[0];
  const acts = drawActs(random, random.pick(BEHAVIOURS)).map((act, i) => ({ ...act, id: `${id}.${i}` }));
  return { id, client, user_id: `user-${number >> 1}`, acts };
}

function drawActs(random: Random, behaviour: Behaviour): Omit<Act, "id">[] {
  const act = (kind: Act["kind"], changes: Partial<Act> = {}): Omit<Act, "id"> => ({
    kind,
    device: 0,
    isKnown: behaviour !== "logs_in_late",
    count: kind === "view" ? random.between(1, 4) : 1,
    pauseMs: random.between(0, 900),
    afterCartMs: null,
    lateMs: 0,
    ...changes,
  });
  const sometimes = (probability: number, make: () => Omit<Act, "id">) => (random.chance(probability) ? [make()] : []);
  const late = () => act("view", { lateMs: random.pick([2_000, 90_000, 3 * DAY_MS, 30 * DAY_MS]) });
  const resend = () => act("resend");
  const cart = [act("cart"), ...sometimes(0.3, resend), ...sometimes(0.3, () => act("cart"))];
  const begin = [act("view"), ...sometimes(0.3, late), ...sometimes(0.3, resend)];
  const known = [...begin, act("identify")];
  switch (behaviour) {
    case "browses":
      return [...known, act("view"), ...sometimes(0.5, resend)];
    case "abandons":
      return [...known, ...cart, ...sometimes(0.5, () => act("view")), ...sometimes(0.3, late)];
    case "buys":
      return [...known, ...cart, act("buy", { pauseMs: random.between(0, 3_000) }), ...sometimes(0.5, resend)];
    case "buys_elsewhere":
      return [...known, ...cart, act("buy", { device: 1, pauseMs: random.between(0, 3_000) })];
    case "logs_in_late": {
      const login = act("identify", { isKnown: true, pauseMs: random.between(0, 2_500) });
      const buy = () => act("buy", { isKnown: true, device: 1, pauseMs: random.between(0, 6_000) });
      return [...begin, ...cart, login, ...sometimes(0.6, buy)];
    }
    default: {
      // About when one of the messages is due, and what is under way with it.
      const due = (random.chance(0.5) ? SCHEDULE[0] : SCHEDULE[1]).delayMs + random.between(-150, 250);
      return [...known, ...cart, act("buy", { device: random.pick([0, 1]), pauseMs: 0, afterCartMs: due })];
    }
  }
}
