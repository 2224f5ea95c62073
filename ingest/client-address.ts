import type { IncomingMessage } from "node:http";

/** Who sent it: the socket's other end, or what the outermost of our own `proxies` saw. */
export function clientAddress(request: IncomingMessage, proxies: number): string | undefined {
  const socket = request.socket.remoteAddress ?? "";
  const forwarded = proxies === 0 ? undefined : request.headers["x-forwarded-for"];
  const hops = typeof forwarded === "string" ? forwarded.split(",") : [];
  const address = hops.at(-proxies)?.trim() || hops[0]?.trim() || socket;
  // IPv4 behind an IPv6 socket; nothing longer is an address.
  return address.replace(/^::ffff:/, "").slice(0, 45) || undefined;
}
