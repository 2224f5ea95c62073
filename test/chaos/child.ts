import { writeFileSync } from "node:fs";

import { switchLoopbackOn } from "./machine.ts";
import { play } from "./play.ts";
import { findScenario } from "./scenarios.ts";

/** One scenario in a process of its own: `child.ts <name> <options as JSON> <file for the report>`. */
const [name = "", options = "{}", file = ""] = process.argv.slice(2);
await switchLoopbackOn();
const report = await play(findScenario(name), JSON.parse(options));
writeFileSync(file, JSON.stringify(report));
process.exit(0);
