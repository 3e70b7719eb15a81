import type { Ids } from '@athena/event-log';

const UINT32 = 2 ** 32;
const UUID_BYTES = 16;

/** Ids and jitter that look random and are the same for the same seed (sfc32). */
export class SeededIds implements Ids {
  #a = 0;
  #b = 0;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#c = seed | 0;
    for (let warm = 0; warm < 12; warm += 1) this.#next();
  }

  random(bytes: number): Uint8Array {
    return Uint8Array.from({ length: bytes }, () => this.#next() & 0xff);
  }

  /** At least 0, below 1. */
  readonly fraction = (): number => this.#next() / UINT32;

  /** A UUIDv4. */
  readonly uuid = (): string => {
    const bytes = Buffer.from(this.random(UUID_BYTES));
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    const hex = bytes.toString('hex');
    const cuts = [0, 8, 12, 16, 20, 32];
    return cuts
      .slice(1)
      .map((end, part) => hex.slice(cuts[part], end))
      .join('-');
  };

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }
}
