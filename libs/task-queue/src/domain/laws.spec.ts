import {
  isOfPartition,
  type TaskEvent,
  type TaskLifeEvent,
  type TaskStatus,
} from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drive, histories } from './histories.scenario.js';
import type { Queue } from './queue.scenario.js';
import { WatchedTasks } from '../watched-tasks.js';
import { taskDecider } from './decider.js';
import { nextDueAt } from './due.js';
import { reindex } from './reindex.js';
import { evolve } from './evolve.js';
import { reasonOf } from './record.js';
import { initialState, tablesOf, type Task, type TaskState } from './state.js';

const canonical = (state: TaskState): unknown => ({
  tables: tablesOf(state).map((table) => [
    table.name,
    [...table.entries()].sort(([a], [b]) => (a < b ? -1 : 1)),
  ]),
  dependents: sets(state.dependents),
  untold: sets(state.untold),
  held: sets(state.held),
  schedulesOf: sets(state.schedulesOf),
  keys: state.keyOrder.slice(state.keysHead),
  dueAt: nextDueAt(state),
});

const sets = (index: ReadonlyMap<string, ReadonlySet<string>>): unknown =>
  [...index].map(([key, members]) => [key, [...members].sort()] as const).sort();

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The rows that a store holds after checkpoints at the given places of the log. */
function restored(queue: Queue, at: number): TaskState {
  const source = initialState(0);
  const rows = new Map<string, { table: string; key: string; json: string }>();
  queue.log.slice(0, at).forEach(({ event, ...context }, position) => {
    evolve(source, event, { ...context, epoch: 1 });
    if (position % 3 !== 0 && position !== at - 1) return;
    for (const table of tablesOf(source)) {
      const { upserts, deletes } = table.takeChanges();
      for (const row of upserts) rows.set(`${row.table}/${row.key}`, row);
      for (const row of deletes) rows.delete(`${row.table}/${row.key}`);
    }
  });
  const state = initialState(0);
  const tables = new Map(tablesOf(state).map((table) => [table.name, table]));
  for (const row of rows.values()) tables.get(row.table)?.restore(row.key, JSON.parse(row.json));
  reindex(state);
  return state;
}

interface Told {
  readonly event: TaskLifeEvent;
  readonly at: number;
  readonly before: TaskStatus | undefined;
  readonly after: TaskStatus | undefined;
  /** As it stands after the event. */
  readonly task: Task;
}

/** What the log tells of tasks, with their states around each event. */
function* told({ log }: Queue): Generator<Told> {
  const state = initialState(0);
  const find = (id: string): Task | undefined => state.tasks.get(id) ?? state.recent.get(id);
  for (const { event: logged, ...context } of log) {
    const event = logged as TaskEvent;
    const before = find(event.id)?.status;
    evolve(state, event, { ...context, epoch: 1 });
    const task = find(event.id);
    if (task && !isOfPartition(event)) {
      yield { event, at: context.at, before, after: task.status, task };
    }
  }
}

const UNFINISHED = ['pending', 'blocked', 'assigned', 'running'] as const;

/** In which states of its task an event occurs, and in which it leaves it; absent: the same. */
const MACHINE: Record<
  TaskLifeEvent['type'],
  readonly [from: readonly (TaskStatus | undefined)[], to?: TaskStatus | readonly TaskStatus[]]
> = {
  TaskCreated: [[undefined], 'pending'],
  TaskRedriven: [['failed', 'cancelled'], 'pending'],
  DependencyReopened: [['blocked'], ['blocked', 'pending']],
  DependencyCompleted: [['pending', 'blocked']],
  TaskBlocked: [['pending', 'blocked'], 'blocked'],
  TaskDue: [['pending']],
  TaskAssigned: [['pending'], 'assigned'],
  TaskStarted: [['assigned'], 'running'],
  TaskProgressed: [['running']],
  TaskCompleted: [['running'], 'completed'],
  AttemptFailed: [['running'], 'pending'],
  TaskFailed: [['running', 'assigned'], 'failed'],
  TaskExpired: [UNFINISHED, 'failed'],
  TaskReleased: [['running', 'assigned'], 'pending'],
  TaskCancelled: [UNFINISHED, 'cancelled'],
  TaskReprioritised: [UNFINISHED],
};

const REPORTS = [
  ['start', {}],
  ['heartbeat', {}],
  ['progress', { percent: 1 }],
  ['complete', { result: 'late' }],
  ['fail', { error: { message: 'late' }, shouldRetry: true }],
] as const;

/** What happens only while an attempt may be made. */
const ATTEMPTED: readonly string[] = [
  'TaskAssigned',
  'TaskStarted',
  'TaskProgressed',
  'TaskCompleted',
];

const endsOf = ({ options }: Task): { deadline: number; retryUntil: number; waitMs: number } => ({
  deadline: Date.parse(options?.deadline ?? '9999-01-01T00:00:00Z'),
  retryUntil: Date.parse(options?.retryUntil ?? '9999-01-01T00:00:00Z'),
  waitMs: options?.scheduleToStartMs ?? Infinity,
});

describe('laws of the task partition', () => {
  it('load(project(log[0..k])) + tail = fold(log), for every k', () => {
    fc.assert(
      fc.property(histories, fc.nat(), (history, cut) => {
        const queue = drive(history);
        const at = cut % (queue.log.length + 1);
        const state = restored(queue, at);
        for (const { event, ...context } of queue.log.slice(at)) {
          evolve(state, event, { ...context, epoch: 1 });
        }
        expect(json(canonical(state))).toEqual(json(canonical(queue.state)));
      }),
      { numRuns: 150 },
    );
  });

  it('the same command twice is once', () => {
    fc.assert(
      fc.property(histories, (history) => {
        drive(history, (types) => expect(types).toEqual([]));
      }),
      { numRuns: 150 },
    );
  });

  it('a task follows its states, and ends at most once', () => {
    fc.assert(
      fc.property(histories, (history) => {
        for (const { event, before, after } of told(drive(history))) {
          const [from, to] = MACHINE[event.type];
          expect(from).toContain(before);
          expect([to ?? before].flat()).toContain(after);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('a task is with one holder at a time, after its dependencies, who alone completes it', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const completed = new Set<string>();
        const holders = new Map<string, string>();
        for (const { event, task } of told(drive(history))) {
          if (event.type === 'TaskAssigned') {
            expect(holders.has(event.id)).toBe(false);
            for (const id of task.dependencies) expect(completed).toContain(id);
            holders.set(event.id, event.data.agentId);
          }
          if (event.type === 'TaskCompleted') {
            expect(holders.get(event.id)).toBe(event.data.agentId);
            completed.add(event.id);
          }
          if (event.type === 'TaskExpired') {
            expect(event.data.agentId).toBe(holders.get(event.id));
          }
          if (['TaskReleased', 'AttemptFailed', 'TaskRedriven'].includes(event.type)) {
            holders.delete(event.id);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('a lease that is not the current one changes nothing', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const queue = drive(history);
        for (const { event, rev, index } of [...queue.log]) {
          const { type, id, data } = event as TaskEvent;
          const lease = `0.${rev}.${index}`;
          if (type !== 'TaskAssigned' || queue.state.tasks.get(id)?.holder?.lease === lease) {
            continue;
          }
          for (const [verb, more] of REPORTS) {
            expect(queue.report(verb, id, lease, more, data.agentId).types).toEqual([]);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('a task keeps the times that it names', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const queue = drive(history);
        queue.advance(0);
        for (const { event, at, task } of told(queue)) {
          const { deadline, retryUntil, waitMs } = endsOf(task);
          if (ATTEMPTED.includes(event.type)) expect(at).toBeLessThan(deadline);
          if (event.type === 'TaskAssigned') expect(at).toBeLessThan(retryUntil);
          if (event.type === 'AttemptFailed') {
            const retryAt = Date.parse(event.data.retryAt);
            expect(retryAt).toBeLessThan(retryUntil);
            expect(retryAt - at).toBeLessThanOrEqual(task.options?.backoff?.maxMs ?? Infinity);
          }
          if (event.type !== 'TaskExpired') continue;
          const { reason } = event.data;
          if (reason === 'deadline') expect(at).toBeGreaterThanOrEqual(deadline);
          else if (reason === 'retry_until') expect(at).toBeGreaterThanOrEqual(retryUntil);
          else expect(at).toBeGreaterThanOrEqual(task.createdAt + waitMs);
        }
        for (const task of queue.state.tasks.values()) {
          const { deadline, retryUntil, waitMs } = endsOf(task);
          expect(queue.now).toBeLessThan(deadline);
          if (!task.holder) expect(queue.now).toBeLessThan(retryUntil);
          const offered = task.status === 'pending' && [null, 'manual'].includes(reasonOf(task));
          expect(task.assignBy !== undefined).toBe(offered && waitMs < Infinity);
          if (task.assignBy !== undefined) expect(queue.now).toBeLessThan(task.assignBy);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('what is counted of the tasks is what the partition holds', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { log, state } = drive(history);
        const entered: string[] = [];
        const watched = new WatchedTasks(taskDecider({ partition: 0 }), {
          entered: (status) => void entered.push(status),
          ran: () => undefined,
          partitions: () => undefined,
        });
        watched.open = true;
        const again = watched.decider.initial();
        for (const { event, ...context } of log) {
          watched.decider.evolve(again, event, { ...context, epoch: 1 });
        }
        const statuses = [...state.tasks.values()].map(({ status }) => status);
        for (const [status, count] of Object.entries(watched.counts)) {
          expect(count).toBe(statuses.filter((one) => one === status).length);
        }
        const failed = log.filter(({ event }) =>
          ['TaskFailed', 'TaskExpired'].includes(event.type),
        );
        expect(entered.filter((status) => status === 'failed')).toHaveLength(failed.length);
      }),
      { numRuns: 100 },
    );
  });
});
