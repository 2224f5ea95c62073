import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { ROOT } from "../../infra/local/paths.ts";
import { type Livora, startLivora } from "../support/livora.ts";
import { addClient } from "../support/livora-client.ts";
import { runSchemathesis } from "../support/schemathesis.ts";

/** The servers keep what `docs/api/` promises, also towards requests that nobody in their right mind would send. */
let livora: Livora;
let client: Livora;
beforeAll(async () => {
  livora = await startLivora(["--no-demo"], { LIVORA_API_REQUESTS_PER_SECOND: "100000" });
  client = await addClient(livora, "schemathesis");
});
afterAll(() => livora?.tearDown());

test.concurrent.each(["api", "ingest"] as const)(
  "%s does as it says",
  async (service) => {
    const { endpoints, client_id, dir } = client;
    const { isGood, output } = await runSchemathesis({
      schema: join(ROOT, "docs/api", `${service}.json`),
      base: endpoints[service],
      headers: { Authorization: `Bearer ${endpoints.api_key}`, "X-Client-Id": client_id },
      examples: 20,
      folder: join(dir, `schemathesis-${service}`),
    });
    expect(isGood ? "" : output).toBe("");
    expect(output).toMatch(/\d+ generated/);
  },
  900_000,
);
