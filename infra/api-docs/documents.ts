import { describeSchema } from "../../api/graphql/build-schema.ts";
import { describeApi } from "../../api/openapi.ts";
import { collectReports } from "../../api/reports.ts";
import { ROUTES } from "../../api/routes.ts";
import { createOpenApiDocument } from "../../ingest/openapi.ts";

/** What the services say of themselves, by the file under `docs/api/` that keeps it. */
export function describeServices(): Record<string, string> {
  return {
    "api.json": toText(describeApi()),
    "ingest.json": toText(createOpenApiDocument()),
    "schema.graphql": describeSchema(collectReports(ROUTES)),
  };
}

function toText(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
