/** Puts no more on the stream than its consumers have soon dealt with: what comes in meanwhile waits behind it. */
export interface FlowGate {
  /** Whether so many more may go now. */
  mayGo(events: number): Promise<boolean>;
  /** The stream has acknowledged them. */
  went(events: number): void;
}

/** So many may lie in the stream that nobody has handled. */
const WINDOW_EVENTS = 4_000;
/** Where consumers are behind for other reasons, nothing is added. */
const MAX_LAG_MS = 3_000;

/** Epoch milliseconds by one clock, whose it is does not matter. */
export interface Handled {
  nowMs: number;
  /** What the stream acknowledged before this moment has been handled; 0 where nobody knows, which holds up nobody. */
  handledMs: number;
}

export function createFlowGate(readHandled: () => Promise<Handled>, windowEvents = WINDOW_EVENTS): FlowGate {
  let underWay: { events: number; atMs?: number }[] = [];
  return {
    async mayGo(events) {
      const { nowMs, handledMs } = await readHandled().catch(() => NOBODY_KNOWS);
      if (handledMs === 0) underWay = [];
      // Acknowledged before now, and that is all that this clock can say of it.
      underWay = underWay.map((page) => ({ atMs: nowMs, ...page })).filter(({ atMs }) => atMs >= handledMs);
      const waiting = underWay.reduce((sum, page) => sum + page.events, 0);
      const isBehind = handledMs > 0 && nowMs - handledMs > MAX_LAG_MS;
      // One page goes where nothing else does, however large it is.
      return !isBehind && (waiting === 0 || waiting + events <= windowEvents);
    },
    went(events) {
      underWay.push({ events });
    },
  };
}

const NOBODY_KNOWS: Handled = { nowMs: 0, handledMs: 0 };
