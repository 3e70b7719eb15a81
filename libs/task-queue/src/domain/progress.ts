import {
  PROGRESS_TOO_MUCH,
  PROGRESS_TOO_OFTEN,
  limits,
  type ProgressReport,
  type TaskEvent,
} from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import { holding, illegal, startEvents, toHolder } from './attempt.js';
import { decided, refused, taskEvent, unchanged } from './decisions.js';
import type { Task, TaskState } from './state.js';

type Progressed = Extract<TaskEvent, { type: 'TaskProgressed' }>['data'];
type Told = Omit<Progressed, 'attempt'>;

/** What an attempt has recorded of its progress. */
export interface ProgressUse {
  /** Of `outputs` and `log`. */
  bytes: number;
  /** The second that is counted began then; and the reports in it. */
  since: number;
  reports: number;
}

const SECOND_MS = 1_000;
const NO_USE: Readonly<ProgressUse> = { bytes: 0, since: -Infinity, reports: 0 };

export function progressTask(state: TaskState, command: Command, context: DecideContext): Decision {
  const found = holding(state, command, context);
  if ('decision' in found) return found.decision;
  if ('finished' in found) return illegal(command, found.finished.record.status);
  const { task } = found;
  const told = toldBy(command.input as Told);
  if (isKnown(task, told)) return unchanged(toHolder(state, found, task.status, context.now));
  const excess = excessOf(task, told, context.now);
  if (excess) return excess;
  const progressed = taskEvent('TaskProgressed', task.project, task.id, {
    attempt: task.attempt,
    ...told,
  });
  const answer = toHolder(state, found, 'running', context.now);
  return decided([...startEvents(found), progressed], answer);
}

/** Folds a report: what it leaves out stays as it was. */
export function progressed(task: Task, data: Progressed, at: number): void {
  const { log: _lines, ...report } = toldBy(data);
  task.progress = { ...task.progress, ...report };
  const use = task.progressUse ?? NO_USE;
  const again = at - use.since < SECOND_MS;
  task.progressUse = {
    bytes: use.bytes + bytesOf(data),
    since: again ? use.since : at,
    reports: again ? use.reports + 1 : 1,
  };
}

function toldBy({ percent, message, output, log }: Told): ProgressReport & { log?: string[] } {
  return {
    ...(percent === undefined ? {} : { percent }),
    ...(message === undefined ? {} : { message }),
    ...(output === undefined ? {} : { output }),
    ...(log === undefined || log.length === 0 ? {} : { log }),
  };
}

/** Lines are news, even the same ones. */
const isKnown = ({ progress }: Task, { log, ...report }: ReturnType<typeof toldBy>): boolean =>
  log === undefined &&
  JSON.stringify({ ...progress, ...report }) === JSON.stringify(progress ?? {});

function excessOf({ progressUse = NO_USE }: Task, told: Told, now: number): Decision | null {
  const { PROGRESS_PER_SECOND_MAX, PROGRESS_BYTES_MAX } = limits;
  const { since, reports, bytes } = progressUse;
  if (now - since < SECOND_MS && reports >= PROGRESS_PER_SECOND_MAX) {
    return refused(PROGRESS_TOO_OFTEN, `${reports} reports were recorded within a second`);
  }
  const more = bytesOf(told);
  if (more === 0 || bytes + more <= PROGRESS_BYTES_MAX) return null;
  return refused(PROGRESS_TOO_MUCH, `${bytes} bytes are recorded, these are ${more} more`);
}

const bytesOf = ({ output, log = [] }: Told): number =>
  (output === undefined ? 0 : Buffer.byteLength(JSON.stringify(output))) +
  log.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
