import {
  INTERNAL,
  PAYLOAD_TOO_LARGE,
  refuse,
  type NewEvent,
  type Refusal,
} from '@athena/operation';
import { COMMIT_BYTES_MAX, encodeCommit, hashOf, type CommitHeader } from './commit.js';
import type { LoggedEvent } from './commit.js';
import type { Command, Decision } from './decider.js';
import type { Fold } from './fold.js';
import type { Answer, Respond } from './partition.js';
import type { Seq } from './port.js';

export const COMMANDS_PER_COMMIT_MAX = 2_000;
const HEADER_BYTES = 512;

/** A command that waits for its turn. */
export interface Queued {
  readonly command: Command;
  readonly respond: Respond;
  readonly arrivedAt: number;
  readonly fetched?: ReadonlyMap<string, unknown>;
}

export interface Settled {
  readonly queued: Queued;
  readonly answer: (seq: Seq) => Answer;
}

export interface Batch {
  readonly header: CommitHeader;
  /** The commit's bytes; null where no decision yielded an event. */
  readonly payload: Uint8Array | null;
  readonly events: number;
  readonly answers: readonly Settled[];
  readonly fetches: readonly { queued: Queued; ids: readonly string[] }[];
  readonly parks: readonly { queued: Queued; key: string; until: number }[];
}

export interface BatchOptions {
  /** This process, the actor of what no command caused. */
  readonly owner: string;
  /** A decision that threw: a fault of the program, answered INTERNAL. */
  readonly onFault: (error: unknown) => void;
}

const NOTHING: ReadonlyMap<string, unknown> = new Map();
const ignore: Respond = () => undefined;
const fault: Refusal = refuse(INTERNAL, 'the decision failed; nothing was changed');

/** The queue of one partition and the deciding of its batches; synchronous throughout. */
export class BatchDecider<S> {
  readonly #fold: Fold<S>;
  readonly #options: BatchOptions;
  #queue: Queued[] = [];
  #head = 0;
  /** Decided in a batch that is not settled yet: none of them may be forgotten. */
  #inHand: Queued[] = [];
  #kernelEvents: { type: string; data: unknown }[] = [];

  constructor(fold: Fold<S>, options: BatchOptions) {
    this.#fold = fold;
    this.#options = options;
  }

  get waiting(): number {
    return this.#queue.length - this.#head + this.#kernelEvents.length;
  }

  add(queued: Queued): void {
    this.#queue.push(queued);
  }

  /** The partition's own commands go first: what is due precedes what has just arrived. */
  addDue(commands: readonly Command[]): void {
    const own = commands.map((command) => ({ command, respond: ignore, arrivedAt: 0 }));
    this.#queue = [...own, ...this.#queue.slice(this.#head)];
    this.#head = 0;
  }

  /** An event that no decider decides; it leads the next batch. Once per type is enough. */
  addKernel(type: string, data: unknown): void {
    if (this.#kernelEvents.some((event) => event.type === type)) return;
    this.#kernelEvents.push({ type, data });
  }

  /** Everything that still wants an answer. */
  takeAll(): Queued[] {
    const left = [...this.#inHand, ...this.#queue.slice(this.#head)];
    this.#inHand = [];
    this.#queue = [];
    this.#head = 0;
    this.#kernelEvents = [];
    return left;
  }

  /** The bytes of a commit of one event that no decider decides; nothing is folded. */
  kernelCommit(type: string, data: unknown, now: number, epoch: number): Uint8Array {
    const line = JSON.stringify(this.#kernelEvent(type, data));
    return encodeCommit(headerOf(this.#fold, now, epoch, 1), [line]);
  }

  /**
   * Decides what waits, up to the limits; events are folded as they are decided. Ends with
   * `settled`, or with the fold discarded.
   */
  decide(now: number, epoch: number): Batch {
    const writer = new CommitWriter(this.#fold, now, epoch);
    const draft = new Draft();
    for (const { type, data } of this.#kernelEvents) {
      writer.write([this.#kernelEvent(type, data)], null);
    }
    this.#kernelEvents = [];
    for (let n = 0; n < COMMANDS_PER_COMMIT_MAX && this.#head < this.#queue.length; n++) {
      const queued = this.#queue[this.#head] as Queued;
      const decision = this.#decideOne(queued, writer);
      if ('events' in decision && decision.events.length > 0) {
        const fit = writer.write(decision.events, queued.command);
        if (fit === 'later') break;
        if (fit === 'never') draft.refuse(queued, tooLarge);
        else draft.answer(queued, decision.answer);
      } else draft.add(queued, decision);
      this.#head++;
      this.#inHand.push(queued);
    }
    this.#compact();
    return { ...writer.finish(), ...draft };
  }

  /** The batch is in the log (or confirmed): whoever is in it is the caller's from here on. */
  settled({ header, payload }: Batch, seq: Seq): void {
    this.#inHand = [];
    if (!payload) return;
    this.#fold.position = {
      seq,
      rev: header.rev,
      hash: hashOf(payload),
      epoch: header.epoch,
      at: Date.parse(header.at),
    };
  }

  #decideOne(queued: Queued, writer: CommitWriter<S>): Decision {
    const { decider, state } = this.#fold;
    try {
      return decider.decide(state, queued.command, {
        ...writer.place,
        arrivedAt: queued.arrivedAt,
        fetched: queued.fetched ?? NOTHING,
      });
    } catch (error) {
      // Deciding changes nothing, so the others of the batch need not suffer.
      this.#options.onFault(error);
      return { refusal: fault };
    }
  }

  #kernelEvent(type: string, data: unknown): LoggedEvent {
    const actor = `system:${this.#options.owner}`;
    return { type, v: 1, project: '', id: this.#fold.partition, actor, data };
  }

  #compact(): void {
    if (this.#head === this.#queue.length) this.#queue = [];
    else if (this.#head > COMMANDS_PER_COMMIT_MAX) this.#queue = this.#queue.slice(this.#head);
    else return;
    this.#head = 0;
  }
}

const tooLarge: Refusal = refuse(
  PAYLOAD_TOO_LARGE,
  `one decision may hold ${COMMIT_BYTES_MAX} bytes of events`,
);

/** What becomes of the commands of one batch. */
class Draft {
  readonly answers: Settled[] = [];
  readonly fetches: { queued: Queued; ids: readonly string[] }[] = [];
  readonly parks: { queued: Queued; key: string; until: number }[] = [];

  add(queued: Queued, decision: Decision): void {
    if ('refusal' in decision) this.refuse(queued, decision.refusal);
    else if ('needs' in decision) this.fetches.push({ queued, ids: decision.needs });
    else if ('park' in decision) {
      this.parks.push({ queued, key: decision.park, until: decision.until });
    } else this.answer(queued, decision.answer);
  }

  refuse(queued: Queued, refusal: Refusal): void {
    this.answers.push({ queued, answer: () => ({ refusal }) });
  }

  answer(queued: Queued, answer: (seq: Seq) => unknown): void {
    this.answers.push({ queued, answer: (seq) => ({ ok: answer(seq), seq }) });
  }
}

const headerOf = <S>(
  { partition, position }: Fold<S>,
  now: number,
  epoch: number,
  count: number,
): CommitHeader => ({
  athena: 1,
  partition,
  epoch,
  rev: position.rev + 1,
  at: new Date(now).toISOString(),
  prev: position.hash,
  count,
});

/** Gathers the events of one commit and folds them as they come. */
class CommitWriter<S> {
  readonly #fold: Fold<S>;
  readonly #lines: string[] = [];
  readonly #now: number;
  readonly #epoch: number;
  #bytes = HEADER_BYTES;

  constructor(fold: Fold<S>, now: number, epoch: number) {
    this.#fold = fold;
    this.#now = now;
    this.#epoch = epoch;
  }

  /** Where the next event will stand. */
  get place(): { now: number; rev: number; index: number; epoch: number } {
    const rev = this.#fold.position.rev + 1;
    return { now: this.#now, rev, index: this.#lines.length, epoch: this.#epoch };
  }

  write(events: readonly NewEvent[], command: Command | null): 'written' | 'later' | 'never' {
    const logged = command ? events.map((event) => stamped(event, command)) : events;
    const lines = logged.map((event) => JSON.stringify(event));
    const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    if (this.#bytes + bytes > COMMIT_BYTES_MAX) {
      return this.#lines.length === 0 ? 'never' : 'later';
    }
    const { rev, index, epoch } = this.place;
    logged.forEach((event, offset) => {
      const context = { at: this.#now, rev, index: index + offset, epoch };
      this.#fold.decider.evolve(this.#fold.state, event, context);
    });
    this.#lines.push(...lines);
    this.#bytes += bytes;
    return 'written';
  }

  finish(): { header: CommitHeader; payload: Uint8Array | null; events: number } {
    const events = this.#lines.length;
    const header = headerOf(this.#fold, this.#now, this.#epoch, events);
    const payload = events > 0 ? encodeCommit(header, this.#lines) : null;
    return { header, payload, events };
  }
}

/** Written out field by field: this is done for every event there is. */
const stamped = (
  { type, v, project, id, data }: NewEvent,
  { actor, id: command, correlation }: Command,
): LoggedEvent =>
  correlation === undefined
    ? { type, v, project, id, data, actor, command }
    : { type, v, project, id, data, actor, command, correlation };
