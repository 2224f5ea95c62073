import { answersHttp } from "./answers-http.ts";
import { logSizeOf, type Part, type PartOptions, startScript, toPart } from "./part.ts";

/** Kinesis' protocol by kinesalite, on disk. */
export async function startKinesis(options: PartOptions): Promise<Part> {
  const logFrom = logSizeOf(options.log);
  const child = await startScript("kinesis", options);
  const url = `http://127.0.0.1:${options.port}`;
  return toPart(child, url, options, (withinMs) => answersHttp(url, withinMs), logFrom);
}
