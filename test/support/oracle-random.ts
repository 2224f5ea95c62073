/** Numbers that look random and are the same for the same seed: a failing run can be run again. */
export interface Random {
  seed: number;
  /** From 0 up to but without 1. */
  next(): number;
  /** Whole, both ends included. */
  between(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  /** RFC 9562 version 4 in form. */
  uuid(): string;
  /** Another sequence, independent of how much is taken from this one afterwards. */
  fork(): Random;
}

/** mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    seed,
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (from) => from[between(0, from.length - 1)] ?? from[0],
    uuid: () => formatUuid(Array.from({ length: 16 }, () => between(0, 255))),
    fork: () => createRandom(between(0, 0xffff_ffff)),
  };
}

/** The seed that `LIVORA_TEST_SEED` asks for, else a new one; printed, so that whatever fails can be repeated. */
export function announceSeed(name: string): number {
  const seed = Number(process.env.LIVORA_TEST_SEED ?? Date.now() % 1_000_000_007);
  console.log(`${name}: LIVORA_TEST_SEED=${seed}`);
  return seed;
}

function formatUuid(bytes: number[]): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return Buffer.from(bytes)
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
