/** Where an event was first seen. */
export interface SeenPlace {
  sequence: string;
  index: number;
}

const FIRST_SLOTS = 64;
const WORDS = 4;
/** Of a slot in the table of references; 0 marks a free one. */
const FREE = 0;

/**
 * Ids (UUIDs) and the places they were first seen at, in 48 bytes each and without an object for each: a busy minute has
 * hundreds of thousands. Open addressing; nothing is ever taken out.
 */
export class IdTable {
  #slots = FIRST_SLOTS;
  #ids = new Uint32Array(FIRST_SLOTS * WORDS);
  /** Number of the sequence, from 1. */
  #sequences = new Uint32Array(FIRST_SLOTS);
  #indexes = new Uint32Array(FIRST_SLOTS);
  #size = 0;
  readonly #sequenceList: string[] = [];
  readonly #sequenceNumbers = new Map<string, number>();

  get size(): number {
    return this.#size;
  }

  /** Ids that there is room for: what the table costs. */
  get capacity(): number {
    return this.#slots;
  }

  find(id: string): SeenPlace | undefined {
    const slot = this.#slotOf(wordsOf(id));
    return this.#sequences[slot] === FREE ? undefined : this.#placeAt(slot);
  }

  /** The place that comes first stays, whoever tells of it first. */
  add(id: string, place: SeenPlace, isBefore: (a: SeenPlace, b: SeenPlace) => boolean): void {
    const words = wordsOf(id);
    let slot = this.#slotOf(words);
    if (this.#sequences[slot] !== FREE) {
      if (isBefore(place, this.#placeAt(slot))) this.#put(slot, words, place);
      return;
    }
    if (this.#size * 2 >= this.#slots) {
      this.#grow();
      slot = this.#slotOf(words);
    }
    this.#put(slot, words, place);
    this.#size++;
  }

  #put(slot: number, words: Words, place: SeenPlace): void {
    this.#ids.set(words, slot * WORDS);
    this.#sequences[slot] = this.#numberOf(place.sequence);
    this.#indexes[slot] = place.index;
  }

  #placeAt(slot: number): SeenPlace {
    return { sequence: this.#sequenceList[(this.#sequences[slot] ?? 1) - 1] ?? "", index: this.#indexes[slot] ?? 0 };
  }

  #numberOf(sequence: string): number {
    let number = this.#sequenceNumbers.get(sequence);
    if (number === undefined) {
      number = this.#sequenceList.push(sequence);
      this.#sequenceNumbers.set(sequence, number);
    }
    return number;
  }

  /** The slot that holds the id, or the free one where it is to go. */
  #slotOf([a, b, c, d]: Words): number {
    const mask = this.#slots - 1;
    const ids = this.#ids;
    // Clients whose ids count up must not fill one run of slots.
    let slot = (Math.imul(a ^ d, 0x9e3779b1) ^ Math.imul(b ^ c, 0x85ebca6b)) >>> 0;
    for (slot = (slot ^ (slot >>> 15)) & mask; this.#sequences[slot] !== FREE; slot = (slot + 1) & mask) {
      const at = slot * WORDS;
      if (ids[at] === a && ids[at + 1] === b && ids[at + 2] === c && ids[at + 3] === d) break;
    }
    return slot;
  }

  #grow(): void {
    const [ids, sequences, indexes, slots] = [this.#ids, this.#sequences, this.#indexes, this.#slots];
    this.#slots = slots * 2;
    this.#ids = new Uint32Array(this.#slots * WORDS);
    this.#sequences = new Uint32Array(this.#slots);
    this.#indexes = new Uint32Array(this.#slots);
    for (let slot = 0; slot < slots; slot++) {
      if (sequences[slot] === FREE) continue;
      const at = slot * WORDS;
      const to = this.#slotOf([ids[at] ?? 0, ids[at + 1] ?? 0, ids[at + 2] ?? 0, ids[at + 3] ?? 0]);
      this.#ids.set(ids.subarray(at, at + WORDS), to * WORDS);
      this.#sequences[to] = sequences[slot] ?? FREE;
      this.#indexes[to] = indexes[slot] ?? 0;
    }
  }
}

type Words = [number, number, number, number];

/** The 128 bits of a UUID. */
export function wordsOf(id: string): Words {
  return [
    Number.parseInt(id.slice(0, 8), 16) >>> 0,
    Number.parseInt(id.slice(9, 13) + id.slice(14, 18), 16) >>> 0,
    Number.parseInt(id.slice(19, 23) + id.slice(24, 28), 16) >>> 0,
    Number.parseInt(id.slice(28, 36), 16) >>> 0,
  ];
}

export function idOf([a, b, c, d]: Words): string {
  const hex = [a, b, c, d].map((word) => word.toString(16).padStart(8, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
