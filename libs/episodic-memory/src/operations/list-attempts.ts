import { listAttempts, type TaskAttempt, type TaskEvent } from '@athena/contracts';
import type { ServiceHandler } from '@athena/service-kit';
import { taskHistory, type TaskHistory, type TaskHistoryOptions } from './task-history.js';

const OF_ATTEMPTS: readonly TaskEvent['type'][] = [
  'TaskCreated',
  'TaskAssigned',
  'TaskStarted',
  'TaskCompleted',
  'AttemptFailed',
  'TaskFailed',
  'TaskReleased',
  'TaskCancelled',
];

/** task.attempts: what came of each attempt, from the task's events. */
export const handleListAttempts = (
  options: TaskHistoryOptions,
): ServiceHandler<typeof listAttempts> => ({
  operation: listAttempts,
  async handle(input, { project }) {
    const wanted = { ...input, project, types: OF_ATTEMPTS };
    const { events, seq } = await taskHistory(options, wanted);
    return { output: { attempts: attemptsOf(events) }, seq };
  },
});

type Ending = Pick<TaskAttempt, 'outcome'> & Partial<Pick<TaskAttempt, 'error' | 'durationMs'>>;

/** The last of the attempts is under way until something ends it. */
export function attemptsOf(history: TaskHistory): TaskAttempt[] {
  const attempts: TaskAttempt[] = [];
  for (const { at, ...logged } of history) {
    const event = logged as unknown as TaskEvent;
    if (event.type === 'TaskAssigned') attempts.push(begun(event.data, at));
    const last = attempts.at(-1);
    if (!last || last.endedAt !== null) continue;
    if (event.type === 'TaskStarted') last.startedAt = at;
    const ending = endingIn(event);
    if (!ending) continue;
    const durationMs = Date.parse(at) - Date.parse(last.startedAt ?? last.assignedAt);
    Object.assign(last, { durationMs, ...ending, endedAt: at });
  }
  return attempts;
}

const begun = (
  { attempt, agentId, kind }: Extract<TaskEvent, { type: 'TaskAssigned' }>['data'],
  assignedAt: string,
): TaskAttempt => ({
  attempt,
  agentId,
  kind,
  assignedAt,
  startedAt: null,
  endedAt: null,
  outcome: null,
  error: null,
  durationMs: null,
});

function endingIn({ type, data }: TaskEvent): Ending | null {
  switch (type) {
    case 'TaskCompleted':
      return { outcome: 'completed', durationMs: data.durationMs };
    case 'AttemptFailed':
      return { outcome: 'failed', error: data.error, durationMs: data.durationMs };
    case 'TaskFailed': {
      const outcome = data.lost ? 'lost' : 'failed';
      return { outcome, error: data.error, durationMs: data.durationMs };
    }
    case 'TaskReleased':
      return { outcome: data.reason === 'not_started' ? data.reason : 'lost' };
    case 'TaskCancelled':
      return { outcome: 'cancelled' };
    default:
      return null;
  }
}
