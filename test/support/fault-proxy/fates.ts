import { setTimeout as sleep } from "node:timers/promises";

import type { Fate } from "./http-proxy.ts";

/** Never reaches the server. */
export const resetBefore: Fate = (exchange) => exchange.reset();

/** Carried out; the client sees a broken connection. */
export const resetAfter: Fate = async (exchange) => {
  await exchange.forward();
  exchange.reset();
};

/** Carried out; the client hears nothing until it gives up. */
export const hangAfter: Fate = async (exchange) => void (await exchange.forward());

/** Never reaches the server, and the client hears nothing. */
export const hang: Fate = () => {};

/** Carried out twice; the client hears of the second. */
export const twice: Fate = async (exchange) => {
  await exchange.forward();
  exchange.answer(await exchange.forward());
};

/** Waits before it is carried out, so that others overtake it. */
export function overtaken(delayMs: () => number): Fate {
  return async (exchange) => {
    await sleep(delayMs());
    exchange.answer(await exchange.forward());
  };
}

export function refuse(status: number, body: unknown, headers: Record<string, string> = {}): Fate {
  return (exchange) => exchange.answer({ status, headers: { "content-type": "application/json", ...headers }, body });
}
