import {
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  ProvisionedThroughputExceededException,
} from "@aws-sdk/client-kinesis";

import { isWithin } from "../../platform/stream/shard-list.ts";
import { unpackRecords } from "../../platform/stream/packing.ts";
import type { PutAnswer, PutRecord, PutRecords } from "../../platform/stream/put-records.ts";
import type { Random } from "../support/oracle-random.ts";
import type { Clock } from "./clock.ts";
import type { CallFault, Point } from "./faults.ts";
import type { Network } from "./network.ts";

interface ModelShard {
  id: string;
  parents: string[];
  first: bigint;
  last: bigint;
  isOpen: boolean;
  records: { sequence: string; data: Buffer; arrivedAtMs: number }[];
}

/** A user record as its reader finds it: of the shard that it belongs to. */
export interface StreamedEntry {
  shard: string;
  sequence: string;
  /** How many events come before it in the same record. */
  index: number;
  data: Buffer;
}

/** Kinesis in memory: shards with hash-key ranges, sequence numbers that grow over all of them, splits and merges. */
export interface ModelStream {
  readonly name: string;
  putRecords: PutRecords;
  /** Splits the widest open shard, or merges two neighbours; does nothing where there is none to be had. */
  split(): void;
  merge(): void;
  /** Everything that readers will find, in the order in which it came. */
  entries(): StreamedEntry[];
  /** Of the shard's last record. */
  lastOf(shard: string): string | null;
  shardCount(): number;
}

const SPACE = 1n << 128n;

const failure = (kind: CallFault) =>
  kind === "expired"
    ? new ExpiredIteratorException({ message: "expired", $metadata: {} })
    : new ProvisionedThroughputExceededException({ message: kind, $metadata: {} });

export function createModelStream(
  parts: { clock: Clock; network: Network; random: Random },
  options: { name: string; shards: number; point: Point; countEvents(data: Buffer): number },
): ModelStream & { shards: ModelShard[] } {
  const { clock, network, random } = parts;
  const shards: ModelShard[] = [];
  let sequence = 0;

  function open(first: bigint, last: bigint, parents: string[]): void {
    const id = `shardId-${String(shards.length).padStart(12, "0")}`;
    shards.push({ id, parents, first, last, isOpen: true, records: [] });
  }
  const width = SPACE / BigInt(options.shards);
  for (let i = 0n; i < options.shards; i++) {
    open(width * i, i === BigInt(options.shards) - 1n ? SPACE - 1n : width * (i + 1n) - 1n, []);
  }

  function take(record: PutRecord): PutAnswer {
    const key = BigInt(record.hashKey);
    const shard = shards.find((candidate) => candidate.isOpen && key >= candidate.first && key <= candidate.last);
    if (!shard) return { error: "ResourceInUseException" };
    const number = String(49_000_000_000 + ++sequence);
    shard.records.push({ sequence: number, data: Buffer.from(record.data), arrivedAtMs: clock.wallMs() });
    return { shard: shard.id, sequence: number };
  }

  function put(records: readonly PutRecord[], kind: CallFault | null): PutAnswer[] {
    // Kinesis takes the records of one call in any order.
    const shuffled = records.map((record) => ({ record, place: random.next() })).toSorted((a, b) => a.place - b.place);
    const answers = new Map<PutRecord, PutAnswer>();
    for (const { record } of shuffled) {
      const isLeftOut = kind === "partial" && random.chance(0.5);
      answers.set(record, isLeftOut ? { error: "ProvisionedThroughputExceededException" } : take(record));
    }
    return records.map((record) => answers.get(record) as PutAnswer);
  }

  return {
    name: options.name,
    shards,
    putRecords: (records) =>
      network
        .ask(
          options.point,
          (kind) => put(records, kind),
          (kind) => new Error(kind === "refused" ? "Status500" : "TimeoutError"),
        )
        .catch((error: Error) => records.map(() => ({ error: error.message }))),
    split() {
      const open = shards.filter((shard) => shard.isOpen && shard.last - shard.first >= SPACE / 8n);
      const widest = open.toSorted((a, b) => Number((b.last - b.first - (a.last - a.first)) >> 100n))[0];
      if (widest) splitShard(widest);
    },
    merge() {
      const open = shards.filter((shard) => shard.isOpen).toSorted((a, b) => (a.first < b.first ? -1 : 1));
      const [left, right] = open;
      if (!left || !right) return;
      left.isOpen = right.isOpen = false;
      openAgain(left.first, right.last, [left.id, right.id]);
    },
    lastOf: (id) => shards.find((shard) => shard.id === id)?.records.at(-1)?.sequence ?? null,
    shardCount: () => shards.length,
    entries() {
      const found = shards.flatMap((shard) =>
        shard.records.flatMap(({ sequence, data }) => {
          let index = 0;
          const places = unpackRecords(data).map((entry) => {
            const place = { ...entry, index };
            index += options.countEvents(entry.data);
            return place;
          });
          return places
            .filter(({ hashKey }) => hashKey === null || isWithin({ hashKeys: [shard.first, shard.last] }, hashKey))
            .map((place) => ({ shard: shard.id, sequence, index: place.index, data: place.data }));
        }),
      );
      return found.toSorted((a, b) => (a.sequence < b.sequence ? -1 : a.sequence > b.sequence ? 1 : 0));
    },
  };

  function splitShard(shard: ModelShard): void {
    shard.isOpen = false;
    const middle = shard.first + (shard.last - shard.first + 1n) / 2n;
    openAgain(shard.first, middle - 1n, [shard.id]);
    openAgain(middle, shard.last, [shard.id]);
  }

  function openAgain(first: bigint, last: bigint, parents: string[]): void {
    open(first, last, parents);
  }
}

/** What of Kinesis' client the consumers and the shard map use, on these streams. */
export function createModelKinesis(network: Network, streams: ReturnType<typeof createModelStream>[]): KinesisClient {
  const streamOf = (name: string | undefined) => {
    const stream = streams.find((candidate) => candidate.name === name);
    if (!stream) throw new Error(`There is no stream ${name}`);
    return stream;
  };

  function listShards(name: string | undefined) {
    const Shards = streamOf(name).shards.map((shard) => ({
      ShardId: shard.id,
      ParentShardId: shard.parents[0],
      AdjacentParentShardId: shard.parents[1],
      HashKeyRange: { StartingHashKey: shard.first.toString(), EndingHashKey: shard.last.toString() },
      SequenceNumberRange: { StartingSequenceNumber: "0", ...(!shard.isOpen && { EndingSequenceNumber: "9" }) },
    }));
    return { Shards };
  }

  /** An iterator names its place: stream, shard, and how many records come before. */
  function openIterator(input: GetShardIteratorCommand["input"]) {
    const shard = streamOf(input.StreamName).shards.find(({ id }) => id === input.ShardId);
    const after = input.StartingSequenceNumber;
    const index = after === undefined ? 0 : (shard?.records.findIndex(({ sequence }) => sequence > after) ?? 0);
    return { ShardIterator: `${input.StreamName}|${input.ShardId}|${index < 0 ? shard?.records.length : index}` };
  }

  function getRecords({ ShardIterator = "", Limit = 1_000 }: GetRecordsCommand["input"], kind: CallFault | null) {
    if (kind === "expired") throw failure(kind);
    const [name, id, from] = ShardIterator.split("|");
    const shard = streamOf(name).shards.find((candidate) => candidate.id === id);
    if (!shard) throw new Error(`There is no shard ${id}`);
    const records = shard.records.slice(Number(from), Number(from) + Limit);
    const next = Number(from) + records.length;
    const isAtEnd = next === shard.records.length;
    return {
      Records: records.map(({ sequence, data, arrivedAtMs }) => ({
        SequenceNumber: sequence,
        Data: data,
        ApproximateArrivalTimestamp: new Date(arrivedAtMs),
      })),
      MillisBehindLatest: isAtEnd ? 0 : 1,
      NextShardIterator: isAtEnd && !shard.isOpen ? undefined : `${name}|${id}|${next}`,
    };
  }

  const send = (command: unknown): Promise<unknown> => {
    if (command instanceof ListShardsCommand)
      return network.ask(null, () => listShards(command.input.StreamName), failure);
    if (command instanceof GetShardIteratorCommand)
      return network.ask(null, () => openIterator(command.input), failure);
    if (command instanceof GetRecordsCommand)
      return network.ask("stream:get", (kind) => getRecords(command.input, kind), failure);
    return Promise.reject(new Error("not modelled"));
  };
  return { send } as unknown as KinesisClient;
}
