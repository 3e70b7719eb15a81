import type { AgentEvent, TaskEvent, TaskLifeEvent } from '@athena/contracts';
import { isOfPartition } from '@athena/contracts';
import type { Commit } from '@athena/event-log';
import type { Asked } from '../recorder.js';
import type { Execution } from '../workers.js';

/** All that is known of a run: the log, what was asked and answered, and the agents' own book. */
export interface Recorded {
  readonly commits: readonly Commit[];
  readonly asked: readonly Asked[];
  readonly ledger: readonly Execution[];
  /** What went wrong inside the platform, against all expectation. */
  readonly faults: readonly unknown[];
}

/** What was promised, by the names of the list of invariants. */
export type Invariant =
  | `C${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 12 | 13 | 14}`
  /** The platform said of itself that something is wrong inside. */
  | 'fault';

export interface Violation {
  readonly invariant: Invariant;
  readonly detail: string;
}

export const violation = (invariant: Invariant, detail: string): Violation => ({
  invariant,
  detail,
});

interface Place {
  readonly actor?: string;
  readonly seq: number;
  /** `<partition>.<rev>.<index>`: of an assignment this is the lease. */
  readonly place: string;
}

export type TaskFact = TaskLifeEvent & Place;
export type AgentFact = AgentEvent & Place;

const OF_ANY_PARTITION: ReadonlySet<string> = new Set(['PartitionOpened', 'ClocksRestarted']);

/** What the log says of tasks, in its order. */
export const taskFacts = (commits: readonly Commit[]): TaskFact[] =>
  facts(commits, 'task.').filter((fact) => !isOfPartition(fact as TaskFact)) as TaskFact[];

export const agentFacts = (commits: readonly Commit[]): AgentFact[] =>
  facts(commits, 'agent.') as AgentFact[];

const facts = (commits: readonly Commit[], prefix: string): unknown[] =>
  commits
    .filter(({ header }) => header.partition.startsWith(prefix))
    .flatMap(({ events, header, seq }) => {
      const number = header.partition.slice(prefix.length);
      return events
        .map((event, index) => ({ ...event, seq, place: `${number}.${header.rev}.${index}` }))
        .filter(({ type }) => !OF_ANY_PARTITION.has(type));
    });

const ENDS: ReadonlySet<string> = new Set<TaskEvent['type']>([
  'TaskCompleted',
  'TaskFailed',
  'TaskCancelled',
  'TaskBlocked',
]);

/** Tasks that were created and have no end. */
export function openTasks(commits: readonly Commit[]): string[] {
  const open = new Set<string>();
  for (const { type, id } of taskFacts(commits)) {
    if (type === 'TaskCreated') open.add(id);
    if (ENDS.has(type)) open.delete(id);
  }
  return [...open];
}
