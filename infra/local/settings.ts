import { join } from "node:path";

import { backingEnvironment, type BackingPorts } from "./backing.ts";

/** Every port that `npm start` takes: the variable that sets it, and what it is otherwise. In this order from `--port-base` on. */
export const PORTS = {
  ingest: { variable: "LIVORA_INGEST_PORT", standard: 7070, what: "ingest" },
  api: { variable: "LIVORA_API_PORT", standard: 7071, what: "the API" },
  outbox: { variable: "LIVORA_OUTBOX_PORT", standard: 7072, what: "the outbox" },
  consumers: { variable: "LIVORA_CONSUMERS_METRICS_PORT", standard: 7073, what: "the consumers' metrics" },
  workers: { variable: "LIVORA_WORKERS_METRICS_PORT", standard: 7074, what: "the workers' metrics" },
  postgres: { variable: "LIVORA_POSTGRES_PORT", standard: 7432, what: "PostgreSQL" },
  redis: { variable: "LIVORA_REDIS_PORT", standard: 7379, what: "Redis" },
  kinesis: { variable: "LIVORA_KINESIS_PORT", standard: 7567, what: "Kinesis" },
  dynamodb: { variable: "LIVORA_DYNAMODB_PORT", standard: 7800, what: "DynamoDB" },
  temporal: { variable: "LIVORA_TEMPORAL_PORT", standard: 7233, what: "Temporal" },
  temporalWeb: { variable: "LIVORA_TEMPORAL_WEB_PORT", standard: 8233, what: "Temporal Web" },
} as const;

export type PortName = keyof typeof PORTS;
export type Ports = Record<PortName, number>;
export const PORT_NAMES = Object.keys(PORTS) as PortName[];

/** A variable that is set wins over `portBase`, and that over the standard. Throws, naming the variable, where it is no port. */
export function choosePorts(env: NodeJS.ProcessEnv, portBase?: number): Ports {
  const choose = (name: PortName, place: number): number => {
    const { variable, standard } = PORTS[name];
    const text = env[variable];
    if (!text) return portBase === undefined ? standard : portBase + place;
    const port = Number(text);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Error(`${variable} is "${text}", which is not a port`);
    return port;
  };
  return Object.fromEntries(PORT_NAMES.map((name, place) => [name, choose(name, place)])) as Ports;
}

/** The message for ports that others hold; null where all are free. */
export function describeTakenPorts(taken: readonly PortName[], ports: Ports): string | null {
  if (taken.length === 0) return null;
  const lines = taken.map((name) => `  ${ports[name]} (${PORTS[name].what}): set ${PORTS[name].variable} to another`);
  const subject = taken.length === 1 ? "A port that Livora needs is" : "Ports that Livora needs are";
  return `${subject} in use:\n${lines.join("\n")}\nor move all of them: npm start -- --port-base 17000`;
}

/** What Livora's services are told by their environment. What the caller has set stays, but for where the parts are. */
export function serviceEnvironment(
  dir: string,
  ports: Ports,
  env: NodeJS.ProcessEnv,
  storesHost?: string,
): NodeJS.ProcessEnv {
  const outbox = `http://127.0.0.1:${ports.outbox}`;
  const portVariables = PORT_NAMES.map((name) => [PORTS[name].variable, String(ports[name])]);
  return {
    LIVORA_LAKE: join(dir, "lake"),
    LIVORA_SANDBOX_DIR: join(dir, "sandbox"),
    LIVORA_IMPORT_DIR: join(dir, "import"),
    // Providers may reach us by another way than we ourselves: through a tunnel, or a test's proxy.
    LIVORA_PUBLIC_API_URL: `http://127.0.0.1:${ports.api}`,
    ...env,
    ...backingEnvironment(ports satisfies BackingPorts, storesHost),
    ...Object.fromEntries(portVariables),
    LIVORA_HOST: "127.0.0.1",
    LIVORA_TWILIO_URL: outbox,
    LIVORA_SENDGRID_URL: outbox,
    LIVORA_FCM_URL: outbox,
  };
}
