import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";

import { unpackRecords } from "../../platform/stream/packing.ts";

/** One Kinesis record, its user records unpacked, whether or not they belong to the shard. */
export interface StreamRecord {
  shard: string;
  sequence: string;
  parts: { hashKey: string | null; data: Buffer }[];
}

/** Everything that lies in a stream, shard by shard, in order. */
export async function readStream(kinesis: KinesisClient, stream: string): Promise<StreamRecord[]> {
  const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName: stream }));
  const shards = await Promise.all(Shards.map(({ ShardId }) => readShard(kinesis, stream, ShardId ?? "")));
  return shards.flat();
}

async function readShard(kinesis: KinesisClient, stream: string, shard: string): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  const where = { StreamName: stream, ShardId: shard, ShardIteratorType: "TRIM_HORIZON" as const };
  let { ShardIterator: iterator } = await kinesis.send(new GetShardIteratorCommand(where));
  while (iterator) {
    const page = await kinesis.send(new GetRecordsCommand({ ShardIterator: iterator }));
    for (const { SequenceNumber = "", Data = new Uint8Array() } of page.Records ?? []) {
      records.push({ shard, sequence: SequenceNumber, parts: unpackRecords(Data) });
    }
    iterator = (page.Records ?? []).length === 0 && page.MillisBehindLatest === 0 ? undefined : page.NextShardIterator;
  }
  return records;
}
