/** What stands in a heap knows where, so that it can be moved and removed without a search. */
export interface Slotted {
  /** Its place in the heap; -1 while it is in none. */
  slot: number;
}

/**
 * A binary heap whose items can leave from anywhere. Adding what comes last, which is what mostly
 * happens here, takes constant time; everything else takes O(log n).
 */
export class Heap<T extends Slotted> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }
  get first(): T | undefined {
    return this.#items[0];
  }
  items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    this.#put(this.#items.length, item);
    this.#rise(item.slot);
  }

  remove(item: T): void {
    const { slot } = item;
    if (slot < 0) return;
    item.slot = -1;
    const last = this.#items.pop() as T;
    if (last === item) return;
    this.#put(slot, last);
    this.moved(last);
  }

  /** The item's order has changed: it goes to where it belongs now. */
  moved(item: T): void {
    this.#rise(item.slot);
    this.#sink(item.slot);
  }

  #put(slot: number, item: T): void {
    this.#items[slot] = item;
    item.slot = slot;
  }

  #rise(from: number): void {
    const item = this.#items[from] as T;
    let slot = from;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const above = this.#items[parent] as T;
      if (!this.#before(item, above)) break;
      this.#put(slot, above);
      slot = parent;
    }
    this.#put(slot, item);
  }

  #sink(from: number): void {
    const item = this.#items[from] as T;
    const { length } = this.#items;
    let slot = from;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= length) break;
      const right = child + 1;
      if (right < length && this.#before(this.#items[right] as T, this.#items[child] as T)) {
        child = right;
      }
      const below = this.#items[child] as T;
      if (!this.#before(below, item)) break;
      this.#put(slot, below);
      slot = child;
    }
    this.#put(slot, item);
  }
}
