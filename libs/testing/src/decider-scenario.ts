import type { Command, Decider, Decision, LoggedEvent } from '@athena/event-log';
import type { NewEvent, Refusal } from '@athena/operation';

export interface Outcome {
  readonly events: readonly NewEvent[];
  readonly types: readonly string[];
  readonly answer: unknown;
  readonly refusal?: Refusal;
  readonly decision: Decision;
}

export interface WhenOptions {
  readonly id?: string;
  readonly actor?: string;
  readonly project?: string;
  readonly fetched?: ReadonlyMap<string, unknown>;
}

/**
 * Runs commands against a decider as a partition would, one commit a command, without a log:
 * given (commands or events) / when (a command) / then (read the outcome).
 */
export class DeciderScenario<S> {
  readonly decider: Decider<S>;
  readonly state: S;
  readonly log: { event: LoggedEvent; at: number; rev: number; index: number }[] = [];
  now: number;
  #rev = 0;
  #commands = 0;

  constructor(decider: Decider<S>, now = Date.parse('2026-01-01T00:00:00Z')) {
    this.decider = decider;
    this.state = decider.initial();
    this.now = now;
  }

  /** Folds events as one commit. */
  given(...events: readonly (NewEvent | LoggedEvent)[]): this {
    if (events.length > 0) this.#rev++;
    events.forEach((event, index) => {
      const context = { at: this.now, rev: this.#rev, index, epoch: 1 };
      const stored = JSON.parse(JSON.stringify(event)) as LoggedEvent;
      this.decider.evolve(this.state, stored, context);
      this.log.push({ event: stored, at: this.now, rev: this.#rev, index });
    });
    return this;
  }

  when(op: string, input: unknown, options: WhenOptions = {}): Outcome {
    const { actor = 'key:test', project = 'default', fetched = new Map() } = options;
    const id = options.id ?? `command-${++this.#commands}`;
    return this.#decide({ op, id, project, actor, input }, fetched);
  }

  /** Time passes; what becomes due on the way happens at its time. */
  advance(ms: number): readonly string[] {
    const until = this.now + ms;
    const types: string[] = [];
    for (;;) {
      const dueAt = this.decider.nextDueAt(this.state);
      if (dueAt === undefined || dueAt > until) break;
      this.now = Math.max(this.now, dueAt);
      for (const command of this.decider.due(this.state, this.now)) {
        types.push(...this.#decide(command, new Map()).types);
      }
    }
    this.now = until;
    return types;
  }

  #decide(command: Command, fetched: ReadonlyMap<string, unknown>): Outcome {
    const decision = this.decider.decide(this.state, command, {
      now: this.now,
      rev: this.#rev + 1,
      index: 0,
      epoch: 1,
      arrivedAt: this.now,
      fetched,
    });
    if (!('events' in decision)) {
      const refusal = 'refusal' in decision ? { refusal: decision.refusal } : {};
      return { events: [], types: [], answer: undefined, decision, ...refusal };
    }
    const { actor, id } = command;
    this.given(...decision.events.map((event) => ({ ...event, actor, command: id })));
    const types = decision.events.map((event) => event.type);
    return { events: decision.events, types, answer: decision.answer(this.#rev), decision };
  }
}
