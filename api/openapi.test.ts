import { describe, expect, test } from "vitest";

import { describeApi } from "./openapi.ts";
import { ROUTES } from "./routes.ts";

const document = describeApi();

const REFUSALS = { json: [400, 401, 403, 429, 503], raw: [400, 403, 413, 415, 503], open: [400, 401, 410, 429, 503] };

describe("each route is described", () => {
  test.each(ROUTES.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const))(
    "%s",
    (_, route) => {
      const operation = document.paths?.[route.path]?.[route.method];
      expect(operation?.operationId).toBe(route.operationId);
      const inPath = operation?.parameters?.filter((parameter) => "in" in parameter && parameter.in === "path") ?? [];
      expect(inPath).toHaveLength([...route.path.matchAll(/\{/g)].length);
      const isDocumented = (status: number) => operation?.responses?.[String(status) as "200"] !== undefined;
      expect(Object.keys(route.responses).map(Number).every(isDocumented)).toBe(true);
      expect(REFUSALS[route.kind].every(isDocumented)).toBe(true);
    },
  );

  test("no two share an operation id", () => {
    const ids = ROUTES.map((route) => route.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
