/** What one part of the process says about itself. */
export interface PartState {
  readonly ready: boolean;
  /** For people: shown in the readiness answer. */
  readonly state: string;
}

export interface Part {
  readonly name: string;
  readonly readiness: PartState;
}

/** All parts of the process that must be ready before it counts as ready. */
export class Readiness {
  readonly #parts = new Map<string, () => PartState>();
  readonly #groups: (() => readonly Part[])[] = [];

  /** Adds a part; returns what removes it. */
  add(name: string, state: () => PartState): () => void {
    if (this.#parts.has(name)) throw new Error(`readiness of ${name} is told twice`);
    this.#parts.set(name, state);
    return () => this.#parts.delete(name);
  }

  /** Adds parts that may become more; they are looked up anew each time. */
  addAll(parts: () => readonly Part[]): void {
    this.#groups.push(parts);
  }

  get parts(): ReadonlyMap<string, PartState> {
    const grouped = this.#groups.flatMap((parts) => parts());
    return new Map([
      ...[...this.#parts].map(([name, state]) => [name, state()] as const),
      ...grouped.map(({ name, readiness }) => [name, readiness] as const),
    ]);
  }
}
