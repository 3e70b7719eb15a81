import fc from 'fast-check';
import { Queue } from './queue.scenario.js';

type Step = { readonly verb: string; readonly task: number; readonly other: number };

const verbs = [
  'create',
  'createDependent',
  'createKeyed',
  'createLater',
  'place',
  'start',
  'progress',
  'complete',
  'fail',
  'failForGood',
  'cancel',
  'releaseSession',
  'wait',
  'open',
] as const;

/** What may happen to a queue, in any order. */
export const histories = fc.array(
  fc.record({ verb: fc.constantFrom(...verbs), task: fc.nat(7), other: fc.nat(7) }),
  { minLength: 1, maxLength: 60 },
);

/** Drives a queue through the steps; `repeat` sends every command twice. */
export function drive(
  history: readonly Step[],
  onRepeat?: (types: readonly string[]) => void,
): Queue {
  const queue = new Queue();
  const ids: string[] = [];
  for (const { verb, task, other } of history) {
    const id = ids[task % Math.max(1, ids.length)];
    const run = stepOf(queue, ids, verb, id, other);
    run();
    if (onRepeat && !['wait', 'open', 'createLater'].includes(verb)) onRepeat(run());
  }
  return queue;
}

function stepOf(
  queue: Queue,
  ids: string[],
  verb: string,
  id: string | undefined,
  other: number,
): () => readonly string[] {
  const lease = id === undefined ? undefined : queue.state.tasks.get(id)?.holder?.lease;
  const agent = `agent${other % 3}`;
  const created = (fields: object): (() => readonly string[]) => {
    const newId = queue.newId();
    ids.push(newId);
    return () => queue.tryCreate({ maxAttempts: 2, ...fields }, newId).types;
  };
  if (verb === 'create' || id === undefined) return created({ autoRoute: other !== 0 });
  const report = (op: string, more: object): (() => readonly string[]) => {
    const input = { taskId: id, ...(lease === undefined ? {} : { lease }), ...more };
    return () => queue.when(`task.${op}`, input).types;
  };
  switch (verb) {
    case 'createDependent':
      return created({ dependencies: [id, ids[other % ids.length]] });
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
