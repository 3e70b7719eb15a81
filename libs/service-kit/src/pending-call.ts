import {
  OUTCOME_UNKNOWN,
  Refused,
  UNAVAILABLE,
  type WireAnswer,
  type WireCommand,
} from '@athena/operation';

export interface Settlement {
  resolve(answer: { output: unknown; seq: number }): void;
  reject(refused: Refused): void;
}

/** A call on its way, over all its tries. */
export class PendingCall {
  readonly expiresAt: number;
  readonly waits: boolean;
  readonly query: boolean;
  readonly bytes: number;
  /** A try was delivered, or may have been, so that "nothing was changed" can't be promised. */
  maybeDone = false;
  settled = false;
  readonly #command: WireCommand;
  readonly #settlement: Settlement;
  readonly #waitUntil: number;
  #text: string;

  constructor(
    command: WireCommand,
    options: { query: boolean; now: number; budgetMs: number },
    settlement: Settlement,
  ) {
    const waitMs = waitOf(command.input);
    this.#command = command;
    this.#settlement = settlement;
    this.#text = JSON.stringify(command);
    this.bytes = Buffer.byteLength(this.#text);
    this.#waitUntil = options.now + waitMs;
    this.query = options.query;
    this.waits = waitMs > 0;
    this.expiresAt = this.#waitUntil + options.budgetMs;
  }

  /** How long the addressee may leave it unanswered on purpose, milliseconds. */
  waitMs(now: number): number {
    return Math.max(0, this.#waitUntil - now);
  }

  get text(): string {
    return this.#text;
  }

  /** A repeat of a long poll asks for what is left of its wait. */
  shortenWait(now: number): void {
    if (!this.waits) return;
    const input = this.#command.input as Record<string, unknown>;
    const left = Object.fromEntries(
      WAIT_FIELDS.filter((field) => field in input).map((field) => [field, this.waitMs(now)]),
    );
    this.#text = JSON.stringify({ ...this.#command, input: { ...input, ...left } });
  }

  settle(answer: WireAnswer): void {
    if (this.settled) return;
    this.settled = true;
    if ('refusal' in answer) this.#settlement.reject(new Refused(answer.refusal));
    else this.#settlement.resolve({ output: answer.ok, seq: answer.seq });
  }

  /** No owner answered within the budget. */
  giveUp(subject: string): void {
    if (this.settled) return;
    this.settled = true;
    const definition = this.maybeDone && !this.query ? OUTCOME_UNKNOWN : UNAVAILABLE;
    const told = this.maybeDone ? 'did not answer in time' : 'was not there';
    const detail = `${this.#command.op}: the service behind ${subject} ${told}; is it running?`;
    this.#settlement.reject(Refused.because(definition, detail));
  }
}

/** Input fields that say how long an answer may be held back, milliseconds. */
const WAIT_FIELDS = ['wait', 'waitMs'] as const;

function waitOf(input: unknown): number {
  if (typeof input !== 'object' || input === null) return 0;
  const fields = input as Record<string, unknown>;
  const waits = WAIT_FIELDS.map((field) => fields[field]).filter(
    (value): value is number => typeof value === 'number',
  );
  return Math.max(0, ...waits);
}
