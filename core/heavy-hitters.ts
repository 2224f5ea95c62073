/** A key that may be heavy: its true weight lies between `weight - error` and `weight`. */
export interface HeavyHitter {
  key: string;
  weight: number;
  /** At most this much of the weight was others' before the key took their place. */
  error: number;
}

/** Which of endlessly many keys weigh most, in the memory of `capacity` of them. */
export interface HeavyHitters {
  add(key: string, weight: number): void;
  /** Null where it is not among the heavy. */
  find(key: string): HeavyHitter | null;
  /** The heaviest, heaviest first. */
  top(count: number): HeavyHitter[];
  /** The weight of everything that was added. */
  readonly total: number;
  readonly size: number;
}

/**
 * Space-Saving (Metwally, Agrawal and El Abbadi, 2005): a new key takes the place of the lightest and its weight along. Whatever
 * weighs more than `total / capacity` is in it, and no error is larger than that. A heap keeps the lightest at hand.
 */
export function createHeavyHitters(capacity: number): HeavyHitters {
  if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError("capacity is a whole number above 0");
  const heap: HeavyHitter[] = [];
  const places = new Map<string, number>();
  let total = 0;

  function put(hitter: HeavyHitter, at: number): void {
    heap[at] = hitter;
    places.set(hitter.key, at);
  }

  /** Whatever has become heavier goes down. */
  function sink(at: number): void {
    const hitter = heap[at] as HeavyHitter;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const child = weightAt(right) < weightAt(left) ? right : left;
      if (weightAt(child) >= hitter.weight) break;
      put(heap[child] as HeavyHitter, at);
      at = child;
    }
    put(hitter, at);
  }

  /** Whatever is new may be lighter than those above it. */
  function rise(at: number): void {
    const hitter = heap[at] as HeavyHitter;
    for (let parent = (at - 1) >> 1; at > 0 && weightAt(parent) > hitter.weight; parent = (at - 1) >> 1) {
      put(heap[parent] as HeavyHitter, at);
      at = parent;
    }
    put(hitter, at);
  }

  function weightAt(at: number): number {
    return heap[at]?.weight ?? Infinity;
  }

  return {
    add(key, weight) {
      if (!(weight > 0)) return;
      total += weight;
      const at = places.get(key);
      if (at !== undefined) {
        const known = heap[at] as HeavyHitter;
        heap[at] = { ...known, weight: known.weight + weight };
        return sink(at);
      }
      if (heap.length < capacity) {
        heap.push({ key, weight, error: 0 });
        return rise(heap.length - 1);
      }
      const lightest = heap[0] as HeavyHitter;
      places.delete(lightest.key);
      heap[0] = { key, weight: lightest.weight + weight, error: lightest.weight };
      sink(0);
    },
    find(key) {
      const at = places.get(key);
      return at === undefined ? null : (heap[at] ?? null);
    },
    top: (count) => heap.toSorted((a, b) => b.weight - a.weight).slice(0, count),
    get total() {
      return total;
    },
    get size() {
      return heap.length;
    },
  };
}
