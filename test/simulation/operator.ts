import type { Clock } from "./clock.ts";
import type { Api } from "./processes.ts";

/** Somebody who holds a client's campaign for a while. Whatever gets no answer is asked again until it has one. */
export interface Operator {
  pause(client: string, forMs: number): void;
  /** Clients whose campaign was ever held. */
  readonly paused: ReadonlySet<string>;
  /** Whether something is still to be done. */
  isBusy(): boolean;
}

const ASK_AGAIN_MS = 700;

export function createOperator(
  clock: Clock,
  askApi: (work: (api: Api) => Promise<unknown>) => Promise<void>,
): Operator {
  const paused = new Set<string>();
  let busy = 0;

  async function insist(work: (api: Api) => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        return await askApi(work);
      } catch {
        await clock.sleep(ASK_AGAIN_MS);
      }
    }
  }

  async function hold(client: string, forMs: number): Promise<void> {
    await insist((api) => api.pause(client));
    await clock.sleep(forMs);
    await insist((api) => api.resume(client));
    busy--;
  }

  return {
    paused,
    isBusy: () => busy > 0,
    pause(client, forMs) {
      busy++;
      paused.add(client);
      clock.as(null, () => void hold(client, forMs));
    },
  };
}
