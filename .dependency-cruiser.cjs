// The rooms of the house and who may enter which: docs/architecture.md says why.
const domains = ["analytics", "crm", "delivery", "connectors", "ml"];
const may = {
  core: [],
  platform: ["core"],
  ingest: ["core", "platform"],
  ...Object.fromEntries(domains.map((domain) => [domain, ["core", "platform"]])),
  activities: ["core", "platform", ...domains],
  workflows: ["core"],
  workers: ["activities", "core", "platform", ...domains],
  api: ["core", "platform", ...domains],
};
const rooms = [...Object.keys(may), "infra", "test", "bench", "console", "sdk"];

module.exports = {
  forbidden: [
    ...Object.entries(may).map(([room, allowed]) => ({
      name: `${room}-imports`,
      comment: `${room}/ may import ${[...allowed, "nothing else of ours"].join(", ")}`,
      severity: "error",
      from: { path: `^${room}/`, pathNot: "\\.test\\.ts$" },
      to: { path: `^(${rooms.filter((other) => other !== room && !allowed.includes(other)).join("|")})/` },
    })),
    {
      name: "core-is-pure",
      comment: "core/ knows zod, a few pure libraries and nothing of the outside (fast-check and vitest in its tests)",
      severity: "error",
      from: { path: "^core/", pathNot: "\\.test\\.ts$" },
      to: {
        dependencyTypes: ["npm", "npm-dev", "core"],
        pathNot: "node_modules/(zod|pgsql-ast-parser|libphonenumber-js|@stdlib)/|^node:crypto$|^crypto$",
      },
    },
    {
      name: "workflows-are-deterministic",
      comment: "workflows/ knows @temporalio/workflow and core",
      severity: "error",
      from: { path: "^workflows/", pathNot: "\\.test\\.ts$" },
      to: { dependencyTypes: ["npm", "npm-dev", "core"], pathNot: "node_modules/@temporalio/(workflow|common)/" },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-orphan-tests-in-production",
      severity: "error",
      from: { pathNot: "\\.test\\.ts$|^(test|bench)/" },
      to: { path: "\\.test\\.ts$|^test/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "\\.livora/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "types"] },
  },
};
