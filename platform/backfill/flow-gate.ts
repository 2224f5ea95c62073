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

/**
 * `readHandled`: what the stream acknowledged before this moment (epoch milliseconds) has been handled; 0 where nobody knows, which holds
 * up nobody.
 */
export function createFlowGate(
  readHandled: () => Promise<number>,
  { now = Date.now, windowEvents = WINDOW_EVENTS }: { now?: () => number; windowEvents?: number } = {},
): FlowGate {
  let underWay: { events: number; atMs: number }[] = [];
  return {
    async mayGo(events) {
      const handledMs = await readHandled().catch(() => 0);
      if (handledMs === 0) underWay = [];
      underWay = underWay.filter(({ atMs }) => atMs >= handledMs);
      const waiting = underWay.reduce((sum, page) => sum + page.events, 0);
      const isBehind = handledMs > 0 && now() - handledMs > MAX_LAG_MS;
      // One page goes where nothing else does, however large it is.
      return !isBehind && (waiting === 0 || waiting + events <= windowEvents);
    },
    went(events) {
      underWay.push({ events, atMs: now() });
    },
  };
}
