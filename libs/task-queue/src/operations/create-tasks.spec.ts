import { createTasks, limits } from '@athena/contracts';
import type { Operation } from '@athena/operation';
import { ONE_PARTITION, createTasksHandler } from '@athena/service-kit/wire';
import type { Called, Caller, OperationCaller } from '@athena/service-kit/wire';
import { describe, expect, it } from '@jest/globals';
import { Queue } from '../domain/queue.scenario.js';

/** A batch create in front of a queue: what the handler sends is decided by the real partition. */
class Batches implements OperationCaller {
  readonly queue = new Queue();
  readonly chunks: number[] = [];
  #random = 0;

  async call(operation: Operation, input: unknown, caller: Caller): Promise<Called<never>> {
    this.chunks.push((input as { items: unknown[] }).items.length);
    const { project } = caller;
    const outcome = this.queue.when(operation.name, input, { project, id: caller.id as string });
    return { output: outcome.answer as never, seq: this.queue.log.length };
  }

  async create(tasks: object[], idempotencyKey?: string) {
    const handler = createTasksHandler({
      operations: this,
      clock: { now: () => this.queue.now },
      ids: { random: () => Buffer.from(`b${++this.#random}`.padEnd(8)) },
      partitions: ONE_PARTITION,
    });
    const items = tasks.map((fields) => ({ content: 'work', taskType: 'demo', ...fields }));
    const input = createTasks.input.parse({ tasks: items, idempotencyKey });
    const caller = { project: 'default', actor: 'key:test', id: 'batch' };
    return (await handler.handle(input, caller)).output;
  }
}

const codes = (results: readonly object[]): (string | null)[] =>
  results.map((result) => ('refusal' in result ? (result.refusal as { code: string }).code : null));

describe('creating a batch', () => {
  it('turns refs into dependencies, whatever the order', async () => {
    const batches = new Batches();
    const { taskIds } = await batches.create([
      { dependencies: [{ ref: 'b' }] },
      { ref: 'b', dependencies: [{ ref: 'c' }] },
      { ref: 'c' },
    ]);
    const [a, b, c] = taskIds as [string, string, string];
    expect(batches.queue.record(a).dependencies).toEqual([b]);
    expect(batches.queue.record(b).dependencies).toEqual([c]);
    expect(batches.queue.record(c).reason).toBeNull();
  });

  it('refuses circles, unknown refs and what rests on them, and accepts the others', async () => {
    const { taskIds, results } = await new Batches().create([
      { ref: 'a', dependencies: [{ ref: 'b' }] },
      { ref: 'b', dependencies: [{ ref: 'a' }] },
      { ref: 'c', dependencies: [{ ref: 'nowhere' }] },
      { dependencies: [{ ref: 'c' }] },
      {},
    ]);
    expect(codes(results)).toEqual([
      'DEPENDENCY_CYCLE',
      'DEPENDENCY_CYCLE',
      'UNKNOWN_DEPENDENCY',
      'DEPENDENCY_REFUSED',
      null,
    ]);
    expect(taskIds.slice(0, 4)).toEqual([null, null, null, null]);
  });

  it('refuses a ref that is used twice', async () => {
    const twice = new Batches().create([{ ref: 'a' }, { ref: 'a' }]);
    await expect(twice).rejects.toMatchObject({ refusal: { code: 'INVALID_INPUT' } });
  });

  it('is cut into atomic chunks', async () => {
    const batches = new Batches();
    const tasks = Array.from({ length: limits.BATCH_CHUNK_TASKS + 1 }, () => ({}));
    const { taskIds } = await batches.create(tasks);
    expect(batches.chunks).toEqual([limits.BATCH_CHUNK_TASKS, 1]);
    expect(new Set(taskIds).size).toBe(tasks.length);
  });

  it('twice with one key is once, dependencies included', async () => {
    const batches = new Batches();
    const tasks = [{ ref: 'a' }, { dependencies: [{ ref: 'a' }] }];
    const first = await batches.create(tasks, 'nightly');
    const size = batches.queue.log.length;
    const second = await batches.create(tasks, 'nightly');
    expect(second.taskIds).toEqual(first.taskIds);
    expect(batches.queue.log.length).toBe(size);
  });

  it('refuses what can’t be done in time, and what depends on it, for itself', async () => {
    const batches = new Batches();
    const deadline = new Date(batches.queue.now).toISOString();
    const { results } = await batches.create([
      { ref: 'a', deadline },
      { dependencies: [{ ref: 'a' }] },
      {},
    ]);
    expect(codes(results)).toEqual(['CONTRADICTORY_TIMES', 'DEPENDENCY_REFUSED', null]);
  });

  it('with a used key and another input is refused', async () => {
    const batches = new Batches();
    await batches.create([{}], 'nightly');
    const { results } = await batches.create([{ priority: 'high' }], 'nightly');
    expect(codes(results)).toEqual(['IDEMPOTENCY_MISMATCH']);
  });

  it('blocks what depends on a failed task, through its siblings', async () => {
    const batches = new Batches();
    const failed = batches.queue.create();
    batches.queue.when('task.cancel', { taskId: failed });
    const { taskIds } = await batches.create([
      { ref: 'a', dependencies: [failed] },
      { dependencies: [{ ref: 'a' }] },
    ]);
    const reasons = taskIds.map((id) => batches.queue.record(id as string).reason);
    expect(reasons).toEqual([failed, failed]);
  });

  it('of 10,000 in a deep and wide graph runs to its end', async () => {
    const batches = new Batches();
    const { queue } = batches;
    const joins = limits.DEPENDENCIES_MAX;
    const refs = (name: string): string[] => Array.from({ length: joins }, (_, n) => `${name}${n}`);
    const after = (...names: string[]): object => ({ dependencies: names.map((ref) => ({ ref })) });
    const diamonds = refs('').flatMap((n) => [
      { ref: `b${n}`, ...after('root') },
      { ref: `c${n}`, ...after('root') },
      { ref: `d${n}`, ...after(`b${n}`, `c${n}`) },
    ]);
    const length = limits.BATCH_TASKS_MAX - diamonds.length - 2;
    const chain = Array.from({ length }, (_, n) => ({
      ref: `t${n}`,
      ...after(n === 0 ? 'end' : `t${n - 1}`),
    }));
    const end = { ref: 'end', ...after(...refs('d')) };
    const all = [...chain.reverse(), end, ...diamonds.reverse(), { ref: 'root' }];
    const { taskIds } = await batches.create(all);
    const left = new Set(taskIds as string[]);
    expect(left.size).toBe(limits.BATCH_TASKS_MAX);
    for (const id of [...left].reverse()) {
      queue.report('complete', id, queue.assign(id), { result: 1 });
      queue.advance(0);
      left.delete(id);
    }
    expect(left.size + queue.state.tasks.size).toBe(0);
  }, 60_000);
});
