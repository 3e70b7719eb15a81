import { hashOf } from './commit.js';
import {
  AppendUnknown,
  LogUnavailable,
  WrongLastSequence,
  type EventLog,
  type Seq,
} from './port.js';
import { sleep, type Timers } from './ports.js';

const RESEND_MS = 250;

/** One partition's end of the log: settles every append and every doubt about ownership. */
export class PartitionWriter {
  readonly #log: EventLog;
  readonly #subject: string;
  readonly #timers: Timers;
  #givenUp = false;

  constructor(log: EventLog, subject: string, timers: Timers) {
    this.#log = log;
    this.#subject = subject;
    this.#timers = timers;
  }

  /** No further tries: what is under way and not settled fails. */
  giveUp(): void {
    this.#givenUp = true;
  }

  /**
   * Appends; while the outcome is unknown the same bytes are sent again. A message that landed
   * late is then found as our own.
   * @throws WrongLastSequence (another owner's message came first), AppendRefused,
   *   AppendUnknown and LogUnavailable (given up, or the log failed while looking)
   */
  async append(payload: Uint8Array, expected: Seq): Promise<Seq> {
    for (let unknown = false; ; unknown = true) {
      try {
        return await this.#log.append(this.#subject, payload, expected);
      } catch (error) {
        if (error instanceof WrongLastSequence && unknown) {
          const mine = await this.#findOwn(payload, expected);
          if (mine !== null) return mine;
        }
        if (!(error instanceof AppendUnknown) || this.#givenUp) throw error;
      }
      await sleep(this.#timers, RESEND_MS);
    }
  }

  /**
   * Returns when the subject's last message is known to be the expected one still.
   * @throws WrongLastSequence where it is not; LogUnavailable when given up
   */
  async confirm(expected: Seq): Promise<void> {
    for (;;) {
      const last = await this.#lastSeq();
      if (last === expected) return;
      if (last !== null) {
        throw new WrongLastSequence(`${this.#subject} stands at ${last}, not at our ${expected}`);
      }
      await sleep(this.#timers, RESEND_MS);
    }
  }

  /** Null: the log can't be asked now. */
  async #lastSeq(): Promise<Seq | null> {
    try {
      return await this.#log.lastSeq(this.#subject);
    } catch (error) {
      if (!(error instanceof LogUnavailable) || this.#givenUp) throw error;
      return null;
    }
  }

  /** After an unknown outcome: is the first message behind the expected one our own? */
  async #findOwn(payload: Uint8Array, expected: Seq): Promise<Seq | null> {
    const mine = hashOf(payload);
    const options = { from: expected + 1, subjects: (s: string) => s === this.#subject };
    for await (const [first] of this.#log.read(options)) {
      if (first) return first.hash === mine ? first.seq : null;
    }
    return null;
  }
}
