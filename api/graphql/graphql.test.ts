import { buildSchema as readSchema, parse, validate } from "graphql";
import { describe, expect, test } from "vitest";

import { collectReports } from "../reports.ts";
import { ROUTES } from "../routes.ts";
import { describeSchema } from "./build-schema.ts";
import { limitQuery, MOST_DEEP, MOST_FIELDS, MOST_REPORTS } from "./limit-query.ts";

const reports = collectReports(ROUTES);
const schema = readSchema(describeSchema(reports));

const judge = (query: string) => validate(schema, parse(query), [limitQuery]).map(({ message }) => message);

describe("the schema", () => {
  test("has a field for each report, with its arguments", () => {
    const fields = Object.values(schema.getQueryType()!.getFields());
    expect(fields.length).toBe(reports.size);
    const expected = [...reports.values()].map((route) => Object.keys(route.input?.shape ?? {}).toSorted());
    expect(fields.map(({ args }) => args.map(({ name }) => name).toSorted())).toEqual(expected);
    expect(fields.map(({ name }) => name)).toEqual(expect.arrayContaining(["funnel", "cohorts", "ltv", "ltvModel"]));
  });

  test("knows what must be there, what may be null, and what is a list", () => {
    const text = describeSchema(reports);
    expect(text).toMatch(/type FunnelGroups \{[^}]*key: String\n[^}]*steps: \[\w+!\]!/);
    expect(text).toMatch(/type Funnel \{[^}]*as_of: String\n/);
    expect(text).toMatch(/start: String!/);
    expect(text).toMatch(/enum FunnelUnit \{\s+session\s+user\s+\}/);
    expect(text).toMatch(/revenue_minor: Whole!/);
  });
});

describe("limits", () => {
  const args = `(start: "2026-01-01", end: "2026-02-01")`;
  const many = (count: number) =>
    Array.from({ length: count }, (_, nth) => `a${nth}: cohorts${args} { period }`).join(" ");

  test("reports in one request", () => {
    expect(judge(`{ ${many(MOST_REPORTS)} }`)).toEqual([]);
    expect(judge(`{ ${many(MOST_REPORTS + 1)} }`)).toEqual([`The query asks for more than ${MOST_REPORTS} reports.`]);
  });

  test("also by fragments", () => {
    const fragment = `fragment many on Query { ${many(6)} }`;
    expect(judge(`{ ...many other: cohorts${args} { period } } ${fragment}`)).toEqual([]);
    expect(judge(`{ ...many ...on Query { ${many(5)} } } ${fragment}`)).toHaveLength(1);
  });

  test("fields, where fragments double each other", () => {
    const fragments = Array.from(
      { length: 60 },
      (_, nth) => `fragment f${nth} on Cohorts { ...f${nth + 1} ...f${nth + 1} }`,
    );
    const query = `{ cohorts${args} { ...f0 } } ${fragments.join(" ")} fragment f60 on Cohorts { period }`;
    expect(judge(query)).toEqual([`The query picks more than ${MOST_FIELDS} fields.`]);
  });

  test("depth", () => {
    const nest = (depth: number): string => (depth === 0 ? "period" : `x { ${nest(depth - 1)} }`);
    expect(judge(`{ cohorts${args} { ${nest(MOST_DEEP - 2)} } }`)).toEqual([]);
    expect(judge(`{ cohorts${args} { ${nest(MOST_DEEP - 1)} } }`)).toEqual([
      `The query goes deeper than ${MOST_DEEP} fields.`,
    ]);
  });

  test("a fragment within itself ends", () => {
    expect(judge(`{ ...f } fragment f on Query { ...f }`)).toEqual([]);
  });
});
