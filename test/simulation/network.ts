import type { Random } from "../support/oracle-random.ts";
import type { Clock, Proc } from "./clock.ts";
import type { CallFault, Point, PointFaults } from "./faults.ts";

/** Between the processes and the servers. What is asked of a server is carried out also when the asker is gone. */
export interface Network {
  /**
   * A round trip: the request travels, `serve` runs at the server, its answer travels back. The faults at the point may
   * refuse it before, or lose the answer after it was carried out. Faults that are not about the way are `serve`'s.
   */
  ask<T>(point: Point | null, serve: (fault: CallFault | null) => T, error: (kind: CallFault) => Error): Promise<T>;
  /** A process dies this very moment, and somebody starts it again. */
  onDeath(tell: (proc: Proc) => void): void;
  kill(proc: Proc | null): void;
}

/** An answer that is lost is only noticed when somebody has stopped waiting. `late`: carried out after that. */
const TIMEOUT_MS = 1_000;

export function createNetwork(clock: Clock, random: Random, faults: PointFaults): Network {
  let tellDeath: ((proc: Proc) => void) | null = null;
  const latencyMs = () => 0.2 + random.next() * (random.chance(0.05) ? 40 : 3);

  function die(proc: Proc | null): boolean {
    if (proc === null || proc.state === "dead") return false;
    clock.kill(proc);
    tellDeath?.(proc);
    return true;
  }

  return {
    onDeath(tell) {
      tellDeath = tell;
    },
    kill: (proc) => void die(proc),
    ask<T>(point: Point | null, serve: (fault: CallFault | null) => T, error: (kind: CallFault) => Error): Promise<T> {
      const proc = clock.current();
      const fault = point === null ? null : faults.at(point);
      const kind = fault?.kind ?? null;
      const slowMs = kind === "slow" ? (fault?.ms ?? 0) : 0;
      if (kind === "dies_before") die(proc);
      return new Promise<T>((resolve, reject) => {
        const answer = (delayMs: number, give: () => void) => void clock.after(delayMs, give, proc);
        clock.after(
          latencyMs() + slowMs / 2,
          () => {
            if (kind === "dies_before") return;
            if (kind === "late") {
              clock.after(fault?.ms ?? 0, () => serve(kind), null);
              return answer(TIMEOUT_MS, () => reject(error(kind)));
            }
            if (kind === "refused") return answer(latencyMs(), () => reject(error(kind)));
            let served: { value: T } | { failure: Error };
            try {
              served = { value: serve(kind) };
            } catch (failure) {
              served = { failure: failure as Error };
            }
            if (kind === "dies_after") return void die(proc);
            if (kind === "lost") return answer(TIMEOUT_MS, () => reject(error(kind)));
            answer(latencyMs() + slowMs / 2, () =>
              "value" in served ? resolve(served.value) : reject(served.failure),
            );
          },
          null,
        );
      });
    },
  };
}
