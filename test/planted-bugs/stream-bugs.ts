import type { PlantedBug } from "./bug.ts";

/** From the edge to the consumers' checkpoints. */
export const STREAM_BUGS: readonly PlantedBug[] = [
  {
    name: "edge-answers-early",
    says: "A request whose events go into several lanes is answered once the stream has acknowledged one of them.",
    file: "platform/intake/append.ts",
    finds: `await Promise.all(
      portionsOf(events, slices)`,
    becomes: `await Promise.race(
      portionsOf(events, slices)`,
    caughtBy: [
      {
        file: "platform/intake/append.test.ts",
        test: "40 events: answered once the stream has acknowledged every lane, not before",
      },
    ],
  },
  {
    name: "partial-put-is-success",
    says: "A record that PutRecords refused inside of a 200 is taken for written.",
    file: "platform/stream/producer.ts",
    finds: `        options.onRetry?.(answer.error);
        return true;`,
    becomes: `        options.onRetry?.(answer.error);
        pendingBytes -= settleBundle(bundle, { shard: bundle.shard ?? "", sequence: "0" });
        return false;`,
    caughtBy: [
      {
        file: "platform/stream/producer.test.ts",
        test: "what comes after a refused record of its lane waits until the stream has that one",
      },
    ],
  },
  {
    name: "failed-lane-is-overtaken",
    says: "What stands behind a refused record of its lane goes before it.",
    file: "platform/stream/producer-lane.ts",
    finds: "if (underWay.length > 0 || waiting.length === 0) return [];",
    becomes: "if (waiting.length === 0) return [];",
    caughtBy: [
      {
        file: "platform/stream/producer.test.ts",
        test: "what comes after a refused record of its lane waits until the stream has that one",
      },
    ],
  },
  {
    name: "resharded-bundle-settles-all",
    says: "A record that came to lie in another shard than expected settles all of its lanes, not only its first.",
    file: "platform/stream/bundle.ts",
    finds: "const liesRight = i === 0 || isWhereExpected || lanesThere.includes(lane.number);",
    becomes: "const liesRight = i === 0 || isWhereExpected || lanesThere.length >= 0;",
    caughtBy: [
      {
        file: "platform/stream/producer.test.ts",
        test: "a split is found out by where a record comes to lie: what does not belong there is sent again, and answered then",
      },
    ],
  },
  {
    name: "digest-is-not-checked",
    says: "An aggregated record whose bytes were garbled is taken apart without a look at its digest.",
    file: "platform/stream/aggregation.ts",
    finds: `  if (!md5(message).equals(buffer.subarray(end))) return asItIs;
`,
    becomes: "",
    caughtBy: [
      {
        file: "platform/stream/aggregation.test.ts",
        test: "what is not aggregated is taken as it is: any bytes, a broken digest, a broken message under a right digest",
      },
    ],
  },
  {
    name: "consumer-takes-foreign-keys",
    says: "A consumer hands over what belongs to another shard, and is sent again there.",
    file: "platform/stream/shard-reader.ts",
    finds: "hashKey === null || owns(hashKey)",
    becomes: "hashKey === null || owns(hashKey) || true",
    caughtBy: [
      {
        file: "platform/stream/shard-reader.test.ts",
        test: "of a record only what belongs to the shard is handed over, under the numbers that the whole record gives",
      },
    ],
  },
  {
    name: "checkpoint-before-write",
    says: "The checkpoint is saved while the batch is still being handled.",
    file: "platform/stream/shard-worker.ts",
    finds: "const after = await options.handle({",
    becomes: `await leases.saveCheckpoint(lease, last, JSON.stringify(state ?? null));
      const after = await options.handle({`,
    caughtBy: [
      {
        file: "platform/stream/shard-worker.test.ts",
        test: "the range before the batch, the checkpoint after its effects, with the state it leaves",
      },
    ],
  },
  {
    name: "lease-write-without-epoch",
    says: "Whoever has lost a shard may still move its checkpoint.",
    file: "platform/stream/lease-store.ts",
    finds: '"epoch = :held AND #owner = :me"',
    becomes: '"epoch >= :held OR #owner = :me"',
    caughtBy: [{ file: "platform/stream/consumer.integration.test.ts", test: "a former owner can write nothing" }],
  },
  {
    name: "child-before-parent",
    says: "A shard that came out of a merge is read while one of its parents still has records.",
    file: "platform/stream/shard-list.ts",
    finds: "shard.parents.every(",
    becomes: "shard.parents.slice(0, 1).every(",
    caughtBy: [
      {
        file: "platform/stream/shard-list.test.ts",
        test: "a shard is read once all of its parents have ended, and until it has ended itself",
      },
    ],
  },
];
