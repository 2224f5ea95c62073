import { decodeEnvelope } from "../../core/envelope.ts";
import { unpackRecords } from "../../platform/stream/packing.ts";
import { operationOf } from "./fault-proxy/aws-fates.ts";
import { type Exchange, pass, startHttpProxy } from "./fault-proxy/http-proxy.ts";

export interface LosingStream {
  url: string;
  /** Asked for each record that is put: whether the stream says that it has taken it, and has not. */
  lose(isLost: () => boolean): void;
  /** Ids of the events that were lost so. */
  lost: Set<string>;
  close(): Promise<void>;
}

const never = () => false;

interface Put {
  StreamName: string;
  Records: { Data: string }[];
}
interface Taken {
  FailedRecordCount: number;
  Records: unknown[];
}

/**
 * Stands before the streams at `target`, and loses what it has acknowledged. What is lost goes into the stream `decoy`, which nobody
 * reads and which has as many shards: so the answers are such as a stream gives.
 */
export async function startLosingStream(target: string, decoy: string): Promise<LosingStream> {
  const proxy = await startHttpProxy(target);
  const lost = new Set<string>();
  let isLost: () => boolean = never;
  proxy.set((exchange) => {
    if (operationOf(exchange) !== "PutRecords") return ["other", pass];
    return ["put", split];
  });

  async function split(exchange: Exchange): Promise<void> {
    const put = JSON.parse(exchange.body.toString()) as Put;
    const marks = put.Records.map(() => isLost());
    const part = (wanted: boolean) => put.Records.filter((_, i) => marks[i] === wanted);
    for (const id of part(true).flatMap(idsOf)) lost.add(id);
    const kept = await forward(exchange, { ...put, Records: part(false) });
    const gone = await forward(exchange, { StreamName: decoy, Records: part(true) });
    const Records = marks.map((mark) => (mark ? gone : kept).shift());
    const headers = { "content-type": "application/x-amz-json-1.1" };
    exchange.answer({ status: 200, headers, body: { FailedRecordCount: 0, Records } });
  }

  return {
    url: proxy.url,
    lose: (next) => void (isLost = next),
    lost,
    close: proxy.close,
  };
}

async function forward(exchange: Exchange, put: Put): Promise<unknown[]> {
  if (put.Records.length === 0) return [];
  const { status, body } = await exchange.forward(Buffer.from(JSON.stringify(put)));
  const taken = JSON.parse(body.toString()) as Taken;
  if (status !== 200 || taken.FailedRecordCount > 0)
    throw new Error(`the stream itself has refused: ${body.toString()}`);
  return taken.Records;
}

function idsOf({ Data }: { Data: string }): string[] {
  return unpackRecords(Buffer.from(Data, "base64")).flatMap(({ data }) =>
    decodeEnvelope(data).events.map((event) => (JSON.parse(event.toString()) as { event_id: string }).event_id),
  );
}
