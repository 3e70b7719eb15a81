import { priority } from '@athena/contracts';
import fc from 'fast-check';
import { Queue } from './queue.scenario.js';

/** What most of a task's life consists of: it happens more often than the rest. */
const USUAL = ['place', 'start', 'complete', 'fail', 'wait'] as const;

/** Milliseconds from the creation on, but for the backoff. */
interface Times {
  readonly deadline?: number;
  readonly retryUntil?: number;
  readonly scheduleToStartMs?: number;
  readonly startToCloseMs?: number;
  readonly backoff?: object;
}

interface Step {
  readonly verb: string;
  readonly task: number;
  readonly other: number;
  readonly times: Times;
}

const verbs = [
  'create',
  'createDependent',
  'createCancelled',
  'createKeyed',
  'createLater',
  'place',
  'start',
  'progress',
  'complete',
  'fail',
  'failForGood',
  'cancel',
  'reprioritise',
  'pause',
  'resume',
  'redrive',
  'redrive',
  'releaseSession',
  'wait',
  'open',
  'schedule',
  'scheduleSkipping',
  'pauseSchedule',
  'resumeSchedule',
  'deleteSchedule',
  'triggerSchedule',
] as const;

const soon = fc.integer({ min: 1, max: 8_000 });
const backoff = fc.record({
  kind: fc.constantFrom('exponential', 'fixed'),
  firstMs: fc.integer({ min: 1, max: 2_000 }),
  maxMs: fc.integer({ min: 2_000, max: 5_000 }),
  jitter: fc.constantFrom('full', 'none'),
});
const times: fc.Arbitrary<Times> = fc.record(
  { deadline: soon, retryUntil: soon, scheduleToStartMs: soon, startToCloseMs: soon, backoff },
  { requiredKeys: [] },
);

/** What may happen to a queue, in any order. Every other task names no times. */
export const histories = fc.array(
  fc.record({
    verb: fc.oneof(fc.constantFrom(...verbs), fc.constantFrom(...USUAL)),
    task: fc.oneof(fc.nat(2), fc.nat(7)),
    other: fc.nat(7),
    times: fc.oneof(fc.constant({}), times),
  }),
  { minLength: 1, maxLength: 60, size: '+1' },
);

/** Drives a queue through the steps; `repeat` sends every command twice. */
export function drive(
  history: readonly Step[],
  onRepeat?: (types: readonly string[]) => void,
): Queue {
  const queue = new Queue();
  const ids: string[] = [];
  for (const step of history) {
    const run = stepOf(queue, ids, step);
    run();
    if (onRepeat && !['wait', 'open'].includes(step.verb)) onRepeat(run());
  }
  return queue;
}

const absolute = ({ deadline, retryUntil, ...spans }: Times, now: number): object => ({
  ...spans,
  ...(deadline ? { deadline: new Date(now + deadline).toISOString() } : {}),
  ...(retryUntil ? { retryUntil: new Date(now + retryUntil).toISOString() } : {}),
});

function stepOf(
  queue: Queue,
  ids: string[],
  { verb, task, other, times }: Step,
): () => readonly string[] {
  // The newest first: of the old ones most have ended.
  const id = ids.at(-1 - (task % Math.max(1, ids.length)));
  const lease = id === undefined ? undefined : queue.state.tasks.get(id)?.holder?.lease;
  const agent = `agent${other % 3}`;
  const created = (fields: object): (() => readonly string[]) => {
    const newId = queue.newId();
    ids.push(newId);
    const all = { maxAttempts: 2, ...absolute(times, queue.now), ...fields };
    return () => queue.tryCreate(all, newId).types;
  };
  if (verb.toLowerCase().includes('schedule')) return scheduling(queue, verb, other);
  if (verb === 'create' || id === undefined) return created({ autoRoute: other !== 0 });
  const report = (op: string, more: object): (() => readonly string[]) => {
    const input = { taskId: id, ...(lease === undefined ? {} : { lease }), ...more };
    return () => queue.when(`task.${op}`, input).types;
  };
  switch (verb) {
    case 'createDependent':
      return created({ dependencies: [id, ids[other % ids.length]] });
    case 'createCancelled':
      return created({ dependencies: [id], onDependencyFailure: 'cancel' });
    case 'createKeyed':
      return created({ idempotencyKey: `k${other}` });
    case 'createLater':
      return created({ delayMs: 1_000 * (other + 1) });
    case 'place':
      return () => {
        const { log } = queue;
        const before = log.length;
        queue.place(id, agent, other, { manual: other === 1 });
        return log.slice(before).map(({ event }) => event.type);
      };
    case 'progress':
      return report('progress', { percent: other });
    case 'fail':
      return report('fail', { error: { message: 'boom' }, shouldRetry: true });
    case 'failForGood':
      return report('fail', { error: { message: 'boom' }, shouldRetry: false });
    case 'releaseSession': {
      const input = { partition: 0, agentId: agent, session: other, exclude: true };
      return () => queue.when('task.releaseSession', input).types;
    }
    case 'reprioritise':
      return report(verb, { priority: priority.options[other % 3] });
    case 'pause':
    case 'resume': {
      const input = other % 2 ? { taskType: `type${other}` } : {};
      return () => queue.when(`queue.${verb}`, input).types;
    }
    case 'wait':
      return () => queue.advance(700 * (other + 1));
    case 'open':
      return () => {
        queue.given({ type: 'PartitionOpened', v: 1, project: '', id: 'task.0', data: {} });
        return [];
      };
    default:
      return report(verb, { result: other });
  }
}

/** Two schedules, of which one is missed again and again and waits for its last run. */
function scheduling(queue: Queue, verb: string, other: number): () => readonly string[] {
  const scheduleId = `s${other % 2}`;
  const id = queue.newId();
  const op = `schedule.${verb.replace(/Schedule$/, '')}`;
  if (!['schedule', 'scheduleSkipping'].includes(verb)) {
    return () => queue.when(op, { scheduleId }, { id }).types;
  }
  const skipping = verb === 'schedule' ? {} : { overlap: 'skip', missedRuns: 'all' };
  return () => queue.schedule({ scheduleId, every: `${other + 1}s`, ...skipping }).types;
}
