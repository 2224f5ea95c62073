import { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import timersPromises from "node:timers/promises";

/**
 * A process of the simulated machine room. What it has begun belongs to it: killed, none of its timers fires and no
 * answer reaches it; frozen (SIGSTOP), they wait until it is thawed, and find the world gone on.
 */
export interface Proc {
  readonly name: string;
  state: "running" | "frozen" | "dead";
  /** What came while it was frozen. */
  backlog: Entry[];
  /** What `Date.now()` says to it, where that is not everybody's. */
  wallMs?: () => number;
}

interface Entry {
  atMs: number;
  order: number;
  run: () => void;
  proc: Proc | null;
  isCancelled: boolean;
}

/** Virtual time. While it is installed, the timers, clocks and random numbers of this JavaScript realm are its own. */
export interface Clock {
  /** Milliseconds of virtual time since the start; goes on whatever the wall clock does. */
  readonly elapsedMs: number;
  /** What `Date.now()` says. */
  wallMs(): number;
  /** Somebody has set the clock of all machines. */
  jump(ms: number): void;
  /** Runs later, as `proc` (the one that asks, unless told; null: the world outside, which never fails). */
  after(delayMs: number, run: () => void, proc?: Proc | null): { cancel(): void };
  sleep(ms: number): Promise<void>;
  /** Lets time pass until this says so, or until the limit. Answers whether it did. */
  runUntil(isDone: () => boolean, limitMs: number): Promise<boolean>;
  spawn(name: string): Proc;
  as<T>(proc: Proc | null, work: () => T): T;
  current(): Proc | null;
  kill(proc: Proc): void;
  freeze(proc: Proc): void;
  thaw(proc: Proc): void;
  install(random: () => number): void;
  uninstall(): void;
  /** How many things have happened. */
  readonly steps: number;
}

const STEPS_BETWEEN_BREATHS = 2_000;
const realImmediate = setImmediate;
const context = new AsyncLocalStorage<Proc | null>();

const current = () => context.getStore() ?? null;
const clear = (timer: unknown) => (timer as { cancel?: () => void } | undefined)?.cancel?.();

export function createClock(startMs: number): Clock {
  const queue: Entry[] = [];
  let elapsedMs = 0;
  let offsetMs = startMs;
  let order = 0;
  let steps = 0;
  let restore: (() => void) | null = null;

  function enqueue(entry: Entry): void {
    let low = 0;
    let high = queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = queue[middle] as Entry;
      if (other.atMs < entry.atMs || (other.atMs === entry.atMs && other.order < entry.order)) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, entry);
  }

  function after(delayMs: number, run: () => void, proc: Proc | null = current()): { cancel(): void } {
    const entry = { atMs: elapsedMs + Math.max(0, delayMs), order: order++, run, proc, isCancelled: false };
    if (proc?.state !== "dead") enqueue(entry);
    return {
      cancel() {
        entry.isCancelled = true;
      },
    };
  }

  function dispatch(entry: Entry): void {
    if (entry.isCancelled || entry.proc?.state === "dead") return;
    if (entry.proc?.state === "frozen") return void entry.proc.backlog.push(entry);
    context.run(entry.proc, entry.run);
  }

  async function runUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    await settle();
    for (let entry = queue.shift(); entry; entry = queue.shift()) {
      if (entry.atMs > limitMs) {
        enqueue(entry);
        return false;
      }
      elapsedMs = Math.max(elapsedMs, entry.atMs);
      dispatch(entry);
      steps++;
      if (steps % STEPS_BETWEEN_BREATHS === 0) await new Promise<void>((resolve) => realImmediate(resolve));
      await settle();
      if (isDone()) return true;
    }
    return false;
  }

  const clock: Clock = {
    get elapsedMs() {
      return elapsedMs;
    },
    get steps() {
      return steps;
    },
    wallMs: () => Math.floor(offsetMs + elapsedMs),
    jump(ms) {
      offsetMs += ms;
    },
    after,
    sleep: (ms) => new Promise((resolve) => after(ms, resolve)),
    runUntil,
    spawn: (name) => ({ name, state: "running", backlog: [] }),
    as: (proc, work) => context.run(proc, work),
    current,
    kill(proc) {
      proc.state = "dead";
      proc.backlog = [];
    },
    freeze(proc) {
      if (proc.state === "running") proc.state = "frozen";
    },
    thaw(proc) {
      if (proc.state !== "frozen") return;
      proc.state = "running";
      for (const entry of proc.backlog) enqueue({ ...entry, atMs: elapsedMs, order: order++ });
      proc.backlog = [];
    },
    install(random) {
      restore = installGlobals(clock, random);
    },
    uninstall() {
      restore?.();
      restore = null;
      queue.length = 0;
    },
  };
  return clock;
}

/** Called from a microtask, a tick comes when there is no microtask left: everything that could go on has gone on. */
function settle(): Promise<void> {
  return Promise.resolve().then(() => new Promise<void>((resolve) => process.nextTick(resolve)));
}

function installGlobals(clock: Clock, random: () => number): () => void {
  const global = globalThis as unknown as Record<string, unknown>;
  const names = [
    "Date",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "setImmediate",
    "clearImmediate",
  ];
  const kept = new Map(names.map((name) => [name, global[name]]));
  const { now } = performance;
  const { random: realRandom } = Math;
  const { setTimeout: realSleep } = timersPromises;
  Object.assign(global, {
    Date: virtualDate(clock, kept.get("Date") as DateConstructor),
    setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      timerOf(clock.after(Math.max(1, ms), () => run(...args))),
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) =>
      timerOf(clock.after(0, () => run(...args))),
    setInterval: (run: () => void, ms: number) => repeat(clock, run, ms),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  });
  performance.now = () => clock.elapsedMs;
  Math.random = random;
  const sleepers = new Set<() => void>();
  timersPromises.setTimeout = ((ms: number, value: unknown, options?: { signal?: AbortSignal }) =>
    sleepUnlessAborted(clock, sleepers, ms, value, options?.signal)) as typeof timersPromises.setTimeout;
  syncBuiltinESMExports();
  return () => {
    // Node holds a composed signal for as long as somebody listens, and with it all of this world.
    for (const forget of sleepers) forget();
    Object.assign(global, Object.fromEntries(kept));
    performance.now = now;
    Math.random = realRandom;
    timersPromises.setTimeout = realSleep;
    syncBuiltinESMExports();
  };
}

function timerOf(scheduled: { cancel(): void }) {
  const timer = { ...scheduled, unref: () => timer, ref: () => timer, hasRef: () => true };
  return timer;
}

function repeat(clock: Clock, run: () => void, ms: number) {
  let isCancelled = false;
  const turn = () => {
    if (isCancelled) return;
    clock.after(Math.max(1, ms), turn);
    run();
  };
  clock.after(Math.max(1, ms), turn);
  return timerOf({
    cancel() {
      isCancelled = true;
    },
  });
}

function sleepUnlessAborted(
  clock: Clock,
  sleepers: Set<() => void>,
  ms: number,
  value: unknown,
  signal?: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const forget = () => {
      sleepers.delete(forget);
      signal?.removeEventListener("abort", abort);
    };
    const abort = () => {
      timer.cancel();
      forget();
      reject(new DOMException("The operation was aborted", "AbortError"));
    };
    const timer = clock.after(Math.max(1, ms), () => {
      forget();
      resolve(value);
    });
    if (signal?.aborted) return abort();
    sleepers.add(forget);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Without arguments the virtual time; everything else is the real class's. */
function virtualDate(clock: Clock, Real: DateConstructor): DateConstructor {
  const now = () => current()?.wallMs?.() ?? clock.wallMs();
  return class extends Real {
    constructor(...args: [] | [number]) {
      super(...((args.length === 0 ? [now()] : args) as [number]));
    }
    static override now(): number {
      return now();
    }
  } as DateConstructor;
}
