import { limits } from '@athena/contracts';
import { AthenaError, clientError } from '../errors.js';
import type { Answer } from '../transport.js';
import type { ItemAnswer } from './answers.js';

interface Waiting {
  readonly json: string;
  readonly bytes: number;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export interface GathererLimits {
  readonly itemsMax: number;
}

/** Room for `{"items":[…]}` and headers around the items of one message. */
const ENVELOPE_BYTES = 1_024;
export const MESSAGE_BYTES_MAX = limits.REQUEST_BYTES_MAX - ENVELOPE_BYTES;

/**
 * Gathers what is asked in one turn of the event loop and sends it as few messages: by number of
 * items and by bytes. `send` gets the items' JSON and answers in order.
 */
export class Gatherer {
  readonly #send: (items: readonly string[]) => Promise<readonly ItemAnswer[]>;
  readonly #itemsMax: number;
  #waiting: Waiting[] = [];

  constructor(
    send: (items: readonly string[]) => Promise<readonly ItemAnswer[]>,
    { itemsMax }: GathererLimits,
  ) {
    this.#send = send;
    this.#itemsMax = itemsMax;
  }

  /** `json` is one item. @throws AthenaError of this item, or of the message it travelled in */
  ask(json: string): Promise<Answer> {
    const bytes = Buffer.byteLength(json) + 1;
    if (bytes > MESSAGE_BYTES_MAX) {
      const detail = `one request may hold ${MESSAGE_BYTES_MAX} bytes; this one has ${bytes}`;
      return Promise.reject(clientError('PAYLOAD_TOO_LARGE', detail));
    }
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush());
      this.#waiting.push({ json, bytes, resolve, reject });
    });
  }

  #flush(): void {
    const all = this.#waiting;
    this.#waiting = [];
    let from = 0;
    let bytes = 0;
    for (const [index, item] of all.entries()) {
      if (index - from >= this.#itemsMax || bytes + item.bytes > MESSAGE_BYTES_MAX) {
        void this.#exchange(all.slice(from, index));
        from = index;
        bytes = 0;
      }
      bytes += item.bytes;
    }
    void this.#exchange(all.slice(from));
  }

  async #exchange(items: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.#send(items.map((item) => item.json));
      for (const [index, item] of items.entries()) {
        const answer = answers[index] as ItemAnswer;
        if (answer instanceof AthenaError) item.reject(answer);
        else item.resolve(answer);
      }
    } catch (error) {
      for (const item of items) item.reject(error);
    }
  }
}
