import type { PartName } from "../../infra/local/system.ts";
import type { Allowances } from "../support/oracle-events.ts";
import type { Random } from "../support/oracle-random.ts";
import type { Ordeal } from "../support/livora-ordeal.ts";
import type { ShopOptions } from "../support/oracle-shop.ts";
import type { Need } from "./machine.ts";
import type { ChaosStack, StackOptions } from "./stack.ts";

/** One fault, and what must hold through it. */
export interface Scenario {
  /** As `--only` takes it, and as its file is called. */
  name: string;
  fault: string;
  /** Beyond conservation, order and the rules for messages, which are judged each time. */
  invariant: string;
  /** What this machine must be able to do, else it is told that it could not be tried. */
  needs?: readonly Need[];
  stack?: StackOptions;
  /** Also in `npm test`. */
  isShort?: boolean;
  /** Delays of the campaign's two messages; the usual ones are a few seconds. */
  delaysMs?: readonly [whatsapp: number, email: number];
  /** Parts that the fault ends; any other that ends is a finding. */
  victims?: readonly PartName[];
  /** What the oracle may find without it being a fault. */
  allowances?: Allowances;
  /** Injects the fault once and lifts it. What it started is waited for and judged afterwards. */
  run(scene: Scene): Promise<void>;
}

/** What a scenario works with. */
export interface Scene {
  stack: ChaosStack;
  ordeal: Ordeal;
  random: Random;
  /** The whole ordeal instead of a taste of it: `--long`. */
  isLong: boolean;
  /** Lets people in; they are waited for before anything is judged. */
  letIn(people: number, options?: Partial<ShopOptions>): Promise<unknown>;
  /** Waits until an event that is offered now lies in the lake, and counts the time since `sinceMs` as recovery. */
  recover(sinceMs: number, withinMs?: number): Promise<number>;
  /** Counts a recovery that was measured otherwise. */
  recovered(ms: number, withinMs?: number): void;
  /** Something that must hold and does not is a finding. */
  check(holds: boolean, otherwise: string): void;
  /** For the table's last column. */
  note(text: string): void;
}

export interface Report {
  name: string;
  fault: string;
  invariant: string;
  runs: number;
  worstRecoveryMs: number | null;
  events: number;
  people: number;
  notes: string[];
  /** Everything that did not hold. */
  findings: string[];
  /** Why it could not be tried here. */
  untried: string | null;
  seed: number;
  tookMs: number;
}

/** Before anything was tried. */
export function openReport({ name, fault, invariant }: Scenario, seed: number): Report {
  return {
    name,
    fault,
    invariant,
    runs: 0,
    worstRecoveryMs: null,
    events: 0,
    people: 0,
    notes: [],
    findings: [],
    untried: null,
    seed,
    tookMs: 0,
  };
}
