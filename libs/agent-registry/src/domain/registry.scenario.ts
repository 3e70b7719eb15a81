import type { Command, Decision, LoggedEvent } from '@athena/event-log';
import type { Input, NewEvent, Operation } from '@athena/operation';
import { registry } from './registry.js';
import { tables, type RegistryState } from './registry-state.js';

export const PROJECT = 'default';
export const OWNER = 'key:k1';

/** The events of a decision, as short as they can be told: `[type, agent, data]`. */
export type Told = readonly [type: string, agentId: string, data: Record<string, unknown>];

export interface Outcome {
  readonly events: readonly Told[];
  readonly answer?: Record<string, unknown>;
  readonly refusal?: string;
  readonly detail?: string;
}

/** Decides and folds as a partition does, one command at a time, at an instant of the test's. */
export class RegistryScenario {
  state: RegistryState = registry.initial();
  now = Date.parse('2026-11-20T12:00:00Z');
  readonly log: LoggedEvent[] = [];
  #ids = 0;

  /** Issues a command; without an id it gets one of its own. */
  do<T extends Operation>(
    operation: T,
    input: Input<T>,
    { actor = OWNER, id = `c${++this.#ids}`, project = PROJECT } = {},
  ): Outcome {
    return this.submit({ op: operation.name, id, project, actor, input });
  }

  submit(command: Command): Outcome {
    const rev = this.log.length + 1;
    const decision = registry.decide(this.state, command, {
      now: this.now,
      rev,
      index: 0,
      epoch: 1,
      arrivedAt: this.now,
      fetched: new Map(),
    });
    if (!('events' in decision)) return refused(decision);
    for (const event of decision.events) this.fold(event, command);
    return {
      events: decision.events.map(({ type, id, data }) => [type, id, data as Told[2]]),
      answer: decision.answer(rev) as Record<string, unknown>,
    };
  }

  /** Folds an event into the state. */
  fold(event: NewEvent, { actor, id }: { actor: string; id: string }): void {
    const logged = { ...event, actor, command: id };
    this.log.push(logged);
    const context = { at: this.now, rev: this.log.length, index: 0, epoch: 1 };
    registry.evolve(this.state, logged, context);
  }

  /** Stores the state's rows and loads them into a new state, as a restart does. */
  restart(): void {
    const fresh = registry.initial();
    const into = new Map(tables(fresh).map((table) => [table.name, table]));
    for (const table of tables(this.state)) {
      // The store hands rows back in no particular order.
      for (const [key, value] of [...table.entries()].reverse()) {
        into.get(table.name)?.restore(key, JSON.parse(JSON.stringify(value)));
      }
    }
    registry.reindex(fresh);
    this.state = fresh;
  }
}

function refused(decision: Decision): Outcome {
  if (!('refusal' in decision)) throw new Error('neither events nor a refusal');
  return { events: [], refusal: decision.refusal.code, detail: decision.refusal.detail };
}
