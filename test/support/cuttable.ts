import { startWire } from "./fault-proxy/wire.ts";

/** A wire to a server that can be cut and mended: what an outage looks like to whoever is connected through it. */
export interface Cuttable {
  port: number;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function startCuttable(target: { host: string; port: number }): Promise<Cuttable> {
  const wire = await startWire(target);
  return {
    port: wire.port,
    cut: () => void wire.set({ kind: "reset" }),
    mend: () => void wire.set({ kind: "pass" }),
    close: () => wire.close(),
  };
}

/** The same address through the wire. */
export function throughWire(url: string, wire: Cuttable): string {
  const changed = new URL(url);
  changed.host = `127.0.0.1:${wire.port}`;
  return changed.toString();
}

/** Where a URL leads. */
export function targetOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
