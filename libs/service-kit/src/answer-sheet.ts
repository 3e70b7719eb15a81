import { PAYLOAD_TOO_LARGE, refuse, type WireAnswer } from '@athena/operation';
import { ITEM_BYTES_MAX, REPLY_BYTES_MAX, encodeReplyPart, type ReplyHead } from './wire-codec.js';

const tooLarge: WireAnswer = {
  refusal: refuse(PAYLOAD_TOO_LARGE, `an answer may hold ${ITEM_BYTES_MAX} bytes; ask for less`),
};

/** Gathers the answers to one message and sends them: at once when all are there, or in parts. */
export class AnswerSheet {
  readonly #answers: (string | null)[];
  readonly #send: (part: Uint8Array) => void;
  readonly #head: () => ReplyHead;
  #left: number;
  #sent = 0;

  constructor(items: number, send: (part: Uint8Array) => void, head: () => ReplyHead) {
    this.#answers = new Array<string | null>(items).fill(null);
    this.#left = items;
    this.#send = send;
    this.#head = head;
  }

  get complete(): boolean {
    return this.#left === 0;
  }

  /** Enters the answer to one item; each is entered once. */
  enter(index: number, answer: WireAnswer): void {
    this.#answers[index] = answerText(answer);
    this.#left--;
    if (this.#left === 0) this.flush();
  }

  /** Sends what has been entered and not sent yet, cut into messages by size. */
  flush(): void {
    let at: number[] = [];
    let texts: string[] = [];
    let bytes = 0;
    this.#answers.forEach((answer, index) => {
      if (answer === null) return;
      const size = Buffer.byteLength(answer);
      if (bytes > 0 && bytes + size > REPLY_BYTES_MAX) {
        this.#sendPart(at, texts);
        [at, texts, bytes] = [[], [], 0];
      }
      at.push(index);
      texts.push(answer);
      bytes += size;
    });
    if (at.length > 0) this.#sendPart(at, texts);
  }

  #sendPart(at: readonly number[], texts: readonly string[]): void {
    const whole = this.#sent === 0 && at.length === this.#answers.length;
    this.#sent += at.length;
    for (const index of at) this.#answers[index] = null;
    this.#send(encodeReplyPart(this.#head(), whole ? null : at, texts));
  }
}

function answerText(answer: WireAnswer): string {
  const text = JSON.stringify(answer);
  // Three bytes a character is the most that UTF-8 takes of a JavaScript string.
  const small = text.length * 3 <= ITEM_BYTES_MAX;
  return small || Buffer.byteLength(text) <= ITEM_BYTES_MAX ? text : JSON.stringify(tooLarge);
}
