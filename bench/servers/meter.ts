/** What a server has used since it was last asked. */
export interface Usage {
  cpuMicros: number;
  residentMb: number;
}

/** Of this process alone: user and system time, threads included. */
export function createMeter(): () => Usage {
  let before = process.cpuUsage();
  return () => {
    const now = process.cpuUsage();
    const cpuMicros = now.user - before.user + now.system - before.system;
    before = now;
    return { cpuMicros, residentMb: process.memoryUsage.rss() / 1e6 };
  };
}
