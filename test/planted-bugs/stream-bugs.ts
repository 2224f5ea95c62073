import type { PlantedBug } from "./bug.ts";

const PRODUCER = "platform/stream/producer.test.ts";
const ALL_FAILURES =
  "whatever fails and how often, and whatever becomes of the shards: nothing is lost, and a lane keeps its order";

/** From the edge to the consumers' checkpoints. */
export const STREAM_BUGS: readonly PlantedBug[] = [
  {
    name: "partial-put-is-success",
    says: "A record that PutRecords refused inside of a 200 is taken for written.",
    file: "platform/stream/producer.ts",
    finds: `        options.onRetry?.(answer.error);
        return true;`,
    becomes: `        options.onRetry?.(answer.error);
        pendingBytes -= settleBundle(bundle, { shard: bundle.shard ?? "", sequence: "0" });
        return false;`,
    caughtBy: [{ file: PRODUCER, test: ALL_FAILURES }],
  },
  {
    name: "failed-lane-is-overtaken",
    says: "What stands behind a refused record of its lane goes before it.",
    file: "platform/stream/producer-lane.ts",
    finds: "if (underWay.length > 0 || waiting.length === 0) return [];",
    becomes: "if (waiting.length === 0) return [];",
    caughtBy: [
      { file: PRODUCER, test: "what comes after a refused record of its lane waits until the stream has that one" },
    ],
  },
  {
    name: "resharded-bundle-settles-all",
    says: "A record that came to lie in another shard than expected settles all of its lanes, not only its first.",
    file: "platform/stream/bundle.ts",
    finds: "const liesRight = i === 0 || isWhereExpected;",
    becomes: "const liesRight = i === 0 || isWhereExpected || true;",
    caughtBy: [
      {
        file: PRODUCER,
        test: "a split is found out by where a record comes to lie: what does not belong there is sent again, and answered then",
      },
    ],
  },
];
