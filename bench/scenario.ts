import type { BackingStack } from "../infra/local/backing-stack.ts";

/** What every scenario gets: the embedded stack, and how thorough to be. */
export interface Bench {
  stack: BackingStack;
  isQuick: boolean;
  /** How often each row is measured, in turn with the others. */
  rounds: number;
  /** How long one measurement lasts. */
  seconds: number;
  /** Of the lake that analytics are measured on. */
  events: number | undefined;
  report(text: string): void;
}

/** One row of the table; what was not measured stays empty. Each measure is a list: one value for each round. */
export interface Row {
  /** Of issue 3, "How well": `a` to `e`, and `f`, analytics. */
  part: string;
  what: string;
  load: string;
  perSecond?: number[];
  p50Ms?: number[];
  p99Ms?: number[];
  /** CPU time of the process that is measured, user and system. */
  cpuMicros?: number[];
  /** The same of the stand-in that it works against: what it costs that a laptop has no Kinesis. */
  standInMicros?: number[];
  memoryMb?: number[];
  note?: string;
}

/** One file each in `scenarios/`, listed in `main.ts`. */
export interface Scenario {
  name: string;
  run(bench: Bench): Promise<Row[]>;
}
