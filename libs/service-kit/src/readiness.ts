/** What one part of the process says about itself. */
export interface PartState {
  readonly ready: boolean;
  /** For people: shown in the readiness answer. */
  readonly state: string;
}

/** All parts of the process that must be ready before it counts as ready. */
export class Readiness {
  readonly #parts = new Map<string, () => PartState>();

  /** Adds a part; returns what removes it. */
  add(name: string, state: () => PartState): () => void {
    if (this.#parts.has(name)) throw new Error(`readiness of ${name} is told twice`);
    this.#parts.set(name, state);
    return () => this.#parts.delete(name);
  }

  get parts(): ReadonlyMap<string, PartState> {
    return new Map([...this.#parts].map(([name, state]) => [name, state()]));
  }
}
