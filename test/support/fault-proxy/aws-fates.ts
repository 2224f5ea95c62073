import type { Exchange, Fate } from "./http-proxy.ts";

/** What the client asked for: `PutRecords`, `UpdateItem`. */
export function operationOf({ headers }: Exchange): string {
  return String(headers["x-amz-target"] ?? "")
    .split(".")
    .at(-1) as string;
}

/** The service is busy, in its own words. */
export const throttle: Fate = (exchange) =>
  exchange.answer({
    status: 400,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: { __type: "ProvisionedThroughputExceededException", message: "busy" },
  });

/** The service has failed, in its own words. */
export const internalFailure: Fate = (exchange) =>
  exchange.answer({
    status: 500,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: { __type: "InternalFailure", message: "failed" },
  });

interface PutRecords {
  Records: unknown[];
}

interface PutRecordsAnswer {
  FailedRecordCount: number;
  Records: { ShardId?: string; SequenceNumber?: string; ErrorCode?: string; ErrorMessage?: string }[];
}

/** Some records of a PutRecords reach the stream, the others are told that it is busy; `isTaken` is asked for each. */
export function partial(isTaken: (place: number) => boolean): Fate {
  return async (exchange) => {
    const put = JSON.parse(exchange.body.toString()) as PutRecords;
    const taken = put.Records.map((_, place) => isTaken(place));
    const kept = put.Records.filter((_, place) => taken[place]);
    const answers = kept.length === 0 ? [] : await putOnly(exchange, { ...put, Records: kept });
    if (answers === null) return exchange.reset();
    const Records = taken.map((isKept) =>
      isKept
        ? (answers.shift() ?? {})
        : { ErrorCode: "ProvisionedThroughputExceededException", ErrorMessage: "Rate exceeded" },
    );
    const body: PutRecordsAnswer = { FailedRecordCount: put.Records.length - kept.length, Records };
    exchange.answer({ status: 200, headers: { "content-type": "application/x-amz-json-1.1" }, body });
  };
}

async function putOnly(exchange: Exchange, put: PutRecords): Promise<PutRecordsAnswer["Records"] | null> {
  const answer = await exchange.forward(Buffer.from(JSON.stringify(put)));
  return answer.status === 200 ? (JSON.parse(answer.body.toString()) as PutRecordsAnswer).Records : null;
}
