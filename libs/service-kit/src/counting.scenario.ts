import { Table, type Decider } from '@athena/event-log';
import { defineCommand } from '@athena/operation';
import { z } from 'zod';

/* A partition that counts: `count.add` appends, `count.after` waits until the count is reached. */
export const add = defineCommand({
  name: 'count.add',
  summary: 'Add to the count.',
  to: { partition: 'access' },
  input: z.object({ by: z.number() }),
  output: z.number(),
  refusals: [],
});
export const after = defineCommand({
  name: 'count.after',
  summary: 'The count, once it has reached a number or the wait is over.',
  to: { partition: 'access' },
  input: z.object({ reached: z.number(), waitMs: z.number() }),
  output: z.number(),
  refusals: [],
});

export interface Count {
  readonly rows: Table<number>;
  readonly woken: string[];
}
const valueOf = (state: Count): number => state.rows.get('value') ?? 0;

export const counting: Decider<Count> = {
  version: 1,
  events: [{ type: 'Added', version: 1 }],
  initial: () => ({ rows: new Table<number>('count'), woken: [] }),
  decide(state, command, { now, arrivedAt }) {
    if (command.op === 'count.add') {
      const { by } = command.input as { by: number };
      const event = { type: 'Added', v: 1, project: command.project, id: 'count', data: { by } };
      return { events: [event], answer: () => valueOf(state) };
    }
    const { reached, waitMs } = command.input as { reached: number; waitMs: number };
    const until = arrivedAt + waitMs;
    if (valueOf(state) < reached && now < until) return { park: 'count', until };
    return { events: [], answer: () => valueOf(state) };
  },
  evolve(state, { type, data }) {
    if (type !== 'Added') return;
    state.rows.set('value', valueOf(state) + (data as { by: number }).by);
    state.woken.push('count');
  },
  tables: ({ rows }) => [rows],
  reindex: () => undefined,
  nextDueAt: () => undefined,
  due: () => [],
  takeWoken: ({ woken }) => woken.splice(0),
};
