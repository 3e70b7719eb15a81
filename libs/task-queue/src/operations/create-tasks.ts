import {
  DEPENDENCY_CYCLE,
  DEPENDENCY_REFUSED,
  UNKNOWN_DEPENDENCY,
  createTaskChunk,
  createTasks,
  limits,
  type BatchItemResult,
  type NewTask,
} from '@athena/contracts';
import type { Clock, Ids } from '@athena/event-log';
import {
  INVALID_INPUT,
  Refused,
  newAggregateId,
  refuse,
  type Input,
  type Refusal,
} from '@athena/operation';
import type { OperationCaller, ServiceHandler } from '@athena/service-kit';
import { fingerprintOf } from '../domain/create.js';

type BatchItem = Input<typeof createTasks>['tasks'][number];
type ChunkItem = Input<typeof createTaskChunk>['items'][number];

/** Bytes of items in one chunk: the chunk's events must fit one message of the log. */
const CHUNK_BYTES_MAX = 512 * 1024;
const ID_RANDOM_BYTES = 8;

export interface CreateTasksPorts {
  readonly operations: OperationCaller;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The partition that takes the batch. */
  readonly partition: number;
}

/**
 * task.createBatch: puts ids in the place of refs, orders the items so that dependencies come
 * first, and hands them to the partition chunk by chunk; each chunk is atomic.
 */
export const createTasksHandler = (
  ports: CreateTasksPorts,
): ServiceHandler<typeof createTasks> => ({
  operation: createTasks,
  async handle({ tasks, idempotencyKey }, caller) {
    const byRef = refsOf(tasks);
    const ids = tasks.map(() =>
      newAggregateId(ports.clock.now(), ports.partition, ports.ids.random(ID_RANDOM_BYTES)),
    );
    const results: BatchItemResult[] = new Array<BatchItemResult>(tasks.length);
    const { order, refusals } = dependenciesFirst(tasks, byRef);
    for (const [index, refusal] of refusals) results[index] = { refusal };
    const recorded = new Map<string, string>();
    let seq = 0;
    for (const chunk of chunksOf(order, tasks)) {
      const items = chunk.map((index): ChunkItem => {
        const task = withIds(tasks[index] as BatchItem, byRef, ids, recorded);
        const taskId = ids[index] as string;
        if (idempotencyKey === undefined) return { taskId, task };
        const fingerprint = fingerprintOf(tasks[index]);
        return { taskId, task, idempotency: { key: `${idempotencyKey}#${index}`, fingerprint } };
      });
      const input = { partition: ports.partition, items };
      // The batch's own id names the chunk, so that a repeat of the chunk is recognised.
      const id = items[0]?.taskId as string;
      const called = await ports.operations.call(createTaskChunk, input, { ...caller, id });
      seq = Math.max(seq, called.seq);
      called.output.results.forEach((result, position) => {
        const index = chunk[position] as number;
        results[index] = result;
        if ('taskId' in result) recorded.set(ids[index] as string, result.taskId);
      });
    }
    const taskIds = results.map((result) => ('taskId' in result ? result.taskId : null));
    return { output: { taskIds, results, seq }, seq };
  },
});

function refsOf(tasks: readonly BatchItem[]): Map<string, number> {
  const byRef = new Map<string, number>();
  tasks.forEach(({ ref }, index) => {
    if (ref === undefined) return;
    if (byRef.has(ref)) {
      throw Refused.because(INVALID_INPUT, `the ref ${ref} is used twice`, `tasks.${index}.ref`);
    }
    byRef.set(ref, index);
  });
  return byRef;
}

const refsIn = ({ dependencies }: BatchItem): string[] =>
  dependencies.flatMap((dependency) => (typeof dependency === 'string' ? [] : [dependency.ref]));

/** Kahn's algorithm (1962); what is left over lies on, or behind, a circle. */
function dependenciesFirst(
  tasks: readonly BatchItem[],
  byRef: ReadonlyMap<string, number>,
): { order: number[]; refusals: Map<number, Refusal> } {
  const refusals = new Map<number, Refusal>();
  const dependents: number[][] = tasks.map(() => []);
  const open = tasks.map((task, index) => {
    const refs = [...new Set(refsIn(task))];
    const unknown = refs.find((ref) => !byRef.has(ref));
    if (unknown !== undefined) {
      const detail = `the batch holds no ref ${unknown}`;
      refusals.set(index, refuse(UNKNOWN_DEPENDENCY, detail, `tasks.${index}.dependencies`));
    }
    const known = refs.flatMap((ref) => byRef.get(ref) ?? []);
    known.forEach((dependency) => dependents[dependency]?.push(index));
    return known.length;
  });
  const order = open.flatMap((count, index) => (count === 0 ? [index] : []));
  for (let next = 0; next < order.length; next++) {
    const done = order[next] as number;
    for (const index of dependents[done] ?? []) {
      if (refusals.has(done) && !refusals.has(index)) {
        const detail = `task ${done} of the batch was refused`;
        refusals.set(index, refuse(DEPENDENCY_REFUSED, detail, `tasks.${index}.dependencies`));
      }
      if (--(open[index] as number) === 0) order.push(index);
    }
  }
  const placed = new Set(order);
  tasks.forEach((task, index) => {
    if (placed.has(index)) return;
    const detail = `task ${index} depends on itself through ${refsIn(task).join(', ')}`;
    refusals.set(index, refuse(DEPENDENCY_CYCLE, detail, `tasks.${index}.dependencies`));
  });
  return { order: order.filter((index) => !refusals.has(index)), refusals };
}

/** Refs become the proposed ids, or, after a repeat, the recorded ones. */
function withIds(
  { ref: _, dependencies, ...task }: BatchItem,
  byRef: ReadonlyMap<string, number>,
  ids: readonly string[],
  recorded: ReadonlyMap<string, string>,
): NewTask {
  return {
    ...task,
    dependencies: dependencies.map((dependency) => {
      if (typeof dependency === 'string') return dependency;
      const id = ids[byRef.get(dependency.ref) as number] as string;
      return recorded.get(id) ?? id;
    }),
  };
}

function* chunksOf(order: readonly number[], tasks: readonly BatchItem[]): Iterable<number[]> {
  let chunk: number[] = [];
  let bytes = 0;
  for (const index of order) {
    const size = Buffer.byteLength(JSON.stringify(tasks[index]));
    if (
      chunk.length >= limits.BATCH_CHUNK_TASKS ||
      (chunk.length > 0 && bytes + size > CHUNK_BYTES_MAX)
    ) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(index);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
