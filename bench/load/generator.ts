import { serveParent } from "../child.ts";
import { percentile } from "../statistics.ts";
import { type Connection, openConnection } from "./connection.ts";
import type { Target } from "./requests.ts";

export interface Load {
  target: Target;
  batch: number;
  connections: number;
  /** How long it is measured. */
  seconds: number;
  /** Open loop: so many events a second, come what may. Missing: each connection sends as soon as it is answered. */
  eventsPerSecond?: number;
}

export interface LoadResult {
  events: number;
  refused: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
}

await serveParent<null, Load>(async () => ({ ready: null, answer: run }));

async function run(load: Load): Promise<LoadResult> {
  const opening = Array.from({ length: load.connections }, () => openConnection(load.target, load.batch));
  const connections = await Promise.all(opening);
  const book = { accepted: 0, refused: 0, latencies: [] as number[] };
  const startedAt = performance.now();
  if (load.eventsPerSecond) await runOpen(connections, load, load.eventsPerSecond, book);
  else await runClosed(connections, load, book);
  const seconds = (performance.now() - startedAt) / 1000;
  for (const connection of connections) connection.close();
  const latencies = Float64Array.from(book.latencies);
  return {
    events: book.accepted * load.batch,
    refused: book.refused,
    seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

interface Book {
  accepted: number;
  refused: number;
  latencies: number[];
}

function enter(book: Book, isAccepted: boolean, sinceMs: number): void {
  if (isAccepted) book.accepted++;
  else book.refused++;
  book.latencies.push(performance.now() - sinceMs);
}

async function runClosed(connections: readonly Connection[], load: Load, book: Book): Promise<void> {
  const endsAt = performance.now() + load.seconds * 1000;
  await Promise.all(
    connections.map(
      (connection) =>
        new Promise<void>((resolve) => {
          const next = () => {
            const begun = performance.now();
            if (begun >= endsAt) return resolve();
            return connection.send((isAccepted) => {
              enter(book, isAccepted, begun);
              next();
            });
          };
          next();
        }),
    ),
  );
}

/** Latency counts from when a request was due, so that a server that stalls is not spared the requests it kept away. */
async function runOpen(connections: readonly Connection[], load: Load, rate: number, book: Book): Promise<void> {
  const everyMs = (load.batch / rate) * 1000;
  const count = Math.round((load.seconds * 1000) / everyMs);
  const startedAt = performance.now() + 5;
  const idle = [...connections];
  let sent = 0;
  await new Promise<void>((resolve) => {
    const pump = () => {
      while (sent < count && idle.length > 0) {
        const dueAt = startedAt + sent * everyMs;
        if (dueAt > performance.now()) return;
        sent++;
        // In turn: what rests for seconds is hung up on by the server.
        const connection = idle.shift() as Connection;
        connection.send((isAccepted) => {
          enter(book, isAccepted, dueAt);
          idle.push(connection);
          if (book.latencies.length === count) {
            clearInterval(timer);
            resolve();
          } else pump();
        });
      }
    };
    const timer = setInterval(pump, 1);
  });
}
