import { describeApi } from "../../api/openapi.ts";
import { createOpenApiDocument } from "../../ingest/openapi.ts";

/** What the services say of themselves, by the file under `docs/api/` that keeps it. */
export function describeServices(): Record<string, string> {
  return { "api.json": toText(describeApi()), "ingest.json": toText(createOpenApiDocument()) };
}

function toText(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
