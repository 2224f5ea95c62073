import { answersHttp } from "./answers-http.ts";
import { logSizeOf, type Part, type PartOptions, startScript, toPart } from "./part.ts";

/** DynamoDB's protocol by dynalite, on disk. */
export async function startDynamodb(options: PartOptions): Promise<Part> {
  const logFrom = logSizeOf(options.log);
  const child = await startScript("dynamodb", options);
  const url = `http://127.0.0.1:${options.port}`;
  return toPart(child, url, options, (withinMs) => answersHttp(url, withinMs), logFrom);
}
