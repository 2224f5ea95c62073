import { DAY_MS } from "../../../core/time.ts";
import { offerUntilAnswered, connectEdge } from "../../support/oracle-post.ts";
import type { OfferedEvent } from "../../support/oracle.ts";
import { inventEvent } from "../invent-event.ts";
import type { Scenario, Scene } from "../scenario.ts";

const SESSIONS = 40;
const EVENTS_EACH = 15;
const MONTH_MS = 30 * DAY_MS;

/** What a phone sends that was off the net for a month, and sends again because it does not remember that it did. */
export const repeatedEvents: Scenario = {
  name: "repeated-events",
  fault: "20 % of the events twice, shuffled, up to a month late",
  invariant: "each event once, every copy accounted for",
  async run(scene) {
    const { stack, ordeal, random } = scene;
    void scene.letIn(6);
    const edge = connectEdge(stack.endpoints);
    const signal = AbortSignal.timeout(90_000);
    const sessions = Array.from({ length: SESSIONS }, () => inventSession(scene));
    // One after the other within a session, so that the order in which it was offered is known.
    await inTurns(8, sessions, async (events) => {
      for (let at = 0; at < events.length;) {
        const size = random.between(1, 10);
        const batch = distinct(events.slice(at, at + size));
        await offerUntilAnswered(edge, ordeal.ledger, batch, { signal });
        at += batch.length;
      }
    });
    await scene.recover(Date.now());
    scene.note(`${sessions.flat().length} offers of ${new Set(sessions.flat()).size} events`);
  },
};

function inventSession(scene: Scene): OfferedEvent[] {
  const { random } = scene;
  const session_id = `late|${random.uuid()}`;
  const events = Array.from({ length: EVENTS_EACH }, (_, page) =>
    inventEvent(scene, { session_id, page: `/p/${page}`, at: Date.now() - random.between(0, MONTH_MS) }),
  );
  const doubled = events.filter(() => random.chance(0.2));
  return [...events, ...doubled]
    .map((event) => ({ event, place: random.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ event }) => event);
}

/** Up to the first repetition: a request names an event once. */
function distinct(events: readonly OfferedEvent[]): OfferedEvent[] {
  const repeatedAt = events.findIndex((event, i) => events.indexOf(event) < i);
  return events.slice(0, repeatedAt === -1 ? events.length : repeatedAt);
}

async function inTurns<T>(width: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const take = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, take));
}
