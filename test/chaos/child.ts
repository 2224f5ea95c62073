import { writeFileSync } from "node:fs";

import { switchLoopbackOn } from "./machine.ts";
import { play } from "./play.ts";
import { findScenario } from "./scenarios.ts";

/** One scenario in a process of its own: `child.ts <name> <options as JSON> <file for the report>`. */
const [name = "", options = "{}", file = ""] = process.argv.slice(2);
await switchLoopbackOn();
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopping.abort());
// Whoever is cut short has visitors left whom nobody waits for any more.
process.on("unhandledRejection", (error) => console.error(error));
const report = await play(findScenario(name), { ...JSON.parse(options), signal: stopping.signal });
writeFileSync(file, JSON.stringify(report));
process.exit(0);
