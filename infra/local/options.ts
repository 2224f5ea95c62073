import { parseArgs } from "node:util";

import { PORT_NAMES, PORTS } from "./settings.ts";

export interface StartOptions {
  demo: boolean;
  portBase: number | undefined;
  help: boolean;
}

export const HELP = `npm start [-- options]

Brings up all of Livora on this machine, on loopback only: PostgreSQL, Redis, Kinesis, DynamoDB and Temporal in their
embedded forms, and Livora's own services. Then plays a small shop against it.

  --no-demo        without the shop
  --port-base N    takes the ${PORT_NAMES.length} ports from N on
  --help           this

Variables
  LIVORA_DATA_DIR                where everything is kept (.livora)
  LIVORA_CACHE                   where programs that were found or built are kept (~/.cache/livora)
  TEMPORAL_CLI_PATH              a Temporal CLI to use
${PORT_NAMES.map((name) => `  ${PORTS[name].variable.padEnd(30)} ${PORTS[name].what} (${PORTS[name].standard})`).join("\n")}

Ctrl-C stops everything; the next start goes on with the same data. Delete .livora to begin afresh.
docs/runbooks/local-stack.md says more.`;

/** Throws, with a message for the person who typed it. */
export function parseOptions(args: readonly string[]): StartOptions {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      "no-demo": { type: "boolean", default: false },
      "port-base": { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return { demo: !values["no-demo"], portBase: parsePortBase(values["port-base"]), help: values.help };
}

function parsePortBase(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const base = Number(text);
  const highest = 65_536 - PORT_NAMES.length;
  if (Number.isInteger(base) && base >= 1024 && base <= highest) return base;
  throw new Error(`--port-base takes a number from 1024 to ${highest}, not "${text}"`);
}
