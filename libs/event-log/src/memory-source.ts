import { BrokenSequence, type RawMessage, type Seq } from './port.js';
import type { MessageSource } from './message-source.js';

/** What a reader sees of a MemoryLog. */
export interface MemoryLogView {
  messages(): readonly RawMessage[];
  paused(): boolean;
  /** Resolves at the next change of either. */
  changed(): Promise<void>;
}

const BATCH_MESSAGES_MAX = 256;

export class MemorySource implements MessageSource {
  readonly #log: MemoryLogView;
  #next: Seq;
  #last: RawMessage | undefined;
  #closed: () => void = () => undefined;
  readonly #closing: Promise<void>;
  #open = true;

  constructor(log: MemoryLogView, from: Seq) {
    this.#log = log;
    this.#next = Math.max(1, from);
    this.#closing = new Promise((resolve) => (this.#closed = resolve));
  }

  async next(): Promise<readonly RawMessage[] | null> {
    while (this.#open) {
      this.#verify();
      const batch = this.#available();
      const last = batch.at(-1);
      if (last) {
        this.#last = last;
        this.#next = last.seq + 1;
        return batch;
      }
      await Promise.race([this.#log.changed(), this.#closing]);
    }
    return null;
  }

  close(): void {
    this.#open = false;
    this.#closed();
  }

  #available(): readonly RawMessage[] {
    if (this.#log.paused()) return [];
    return this.#log.messages().slice(this.#next - 1, this.#next - 1 + BATCH_MESSAGES_MAX);
  }

  /** The last message handed over must still be where it was. */
  #verify(): void {
    const messages = this.#log.messages();
    if (this.#next > messages.length + 1) {
      throw new BrokenSequence(
        `position ${this.#next} was asked for, but the log ends at ${messages.length}`,
      );
    }
    if (this.#last && messages[this.#next - 2] !== this.#last) {
      throw new BrokenSequence(`position ${this.#next - 1} has another message than before`);
    }
  }
}
