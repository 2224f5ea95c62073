import type { Gauge } from "prom-client";

/** A gauge's reading. Without a database there is no number, rather than an old one, and all other metrics as ever. */
export function quietly(read: (gauge: Gauge) => Promise<void>) {
  return async function collect(this: Gauge): Promise<void> {
    await read(this).catch(() => this.reset());
  };
}
