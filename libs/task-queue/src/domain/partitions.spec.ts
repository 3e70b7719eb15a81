import { describe, expect, it } from '@jest/globals';
import { limits, type PartitionMap } from '@athena/contracts';
import { newAggregateId, partitionOfKey } from '@athena/operation';
import fc from 'fast-check';
import { Partitions } from './partitions.scenario.js';
import { Queue } from './queue.scenario.js';

const mapOf = (queue: Queue): PartitionMap => queue.when('partitions.get', {}).answer as never;

describe('adding partitions', () => {
  it('is recorded, adopted by everyone, and only then in force', () => {
    const home = new Queue();
    expect(home.when('partitions.grow', { partitions: 3 }).types).toEqual(['PartitionsGrown']);
    expect(mapOf(home)).toMatchObject({ partitions: 1, growingTo: 3 });
    home.when('partitions.adopt', { partition: 0, partitions: 3, since: 1 });
    home.when('partitions.activate', {});
    const { earlier, ...map } = mapOf(home);
    expect(map).toEqual({ partitions: 3, growingTo: null });
    const until = new Date(home.now + limits.IDEMPOTENCY_WINDOW_MS).toISOString();
    expect(earlier).toEqual([{ partitions: 1, until }]);
  });

  it('twice is once; never fewer; one growth after the other', () => {
    const home = new Queue();
    home.when('partitions.grow', { partitions: 3 });
    expect(home.when('partitions.grow', { partitions: 3 }).types).toEqual([]);
    const more = home.when('partitions.grow', { partitions: 4 });
    expect(more.refusal?.code).toBe('GROWTH_UNDER_WAY');
    home.when('partitions.activate', {});
    expect(home.when('partitions.activate', {}).types).toEqual([]);
    const fewer = home.when('partitions.grow', { partitions: 2 });
    expect(fewer.refusal?.code).toBe('PARTITIONS_ONLY_GROW');
  });

  it('forgets an earlier number when the keys of its time are forgotten', () => {
    const home = new Queue();
    home.when('partitions.grow', { partitions: 2 });
    home.when('partitions.activate', {});
    home.now += limits.IDEMPOTENCY_WINDOW_MS + 1;
    home.when('partitions.grow', { partitions: 3 });
    home.when('partitions.activate', {});
    expect(mapOf(home).earlier.map(({ partitions }) => partitions)).toEqual([2]);
  });
});

describe('an idempotency key', () => {
  const moved = 'k'.concat(
    String([...Array(99).keys()].find((n) => partitionOfKey('default', `k${n}`, 2) === 1)),
  );

  it('stays known where it was used, and is new only where it belongs now', () => {
    const home = new Queue();
    const first = home.create({ idempotencyKey: moved });
    home.when('partitions.adopt', { partition: 0, partitions: 2, since: 1 });
    const repeat = home.tryCreate({ idempotencyKey: moved });
    expect(repeat.answer).toMatchObject({ taskId: first, created: false });
    const mismatch = home.tryCreate({ idempotencyKey: moved, priority: 'high' });
    expect(mismatch.refusal?.code).toBe('IDEMPOTENCY_MISMATCH');
    const other = [...Array(99).keys()].map((n) => `o${n}`);
    const foreign = other.find((key) => partitionOfKey('default', key, 2) === 1);
    expect(home.tryCreate({ idempotencyKey: foreign }).refusal?.code).toBe('KEY_ELSEWHERE');
    const second = new Queue(1);
    second.when('partitions.adopt', { partition: 1, partitions: 2, since: 1 });
    expect(second.tryCreate({ idempotencyKey: foreign }).types).toEqual(['TaskCreated']);
  });

  it('moves only to added partitions, and spreads evenly', () => {
    const keys = Array.from({ length: 3_000 }, (_, n) => `key-${n}`);
    const counts = [0, 0, 0];
    for (const key of keys) {
      const after = partitionOfKey('p', key, 3);
      expect([partitionOfKey('p', key, 2), 2]).toContain(after);
      counts[after] = (counts[after] ?? 0) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(900);
  });
});

describe('a dependency in another partition', () => {
  it('is waited for, and settled when it completes', () => {
    const partitions = new Partitions(2);
    const first = partitions.create(0);
    const second = partitions.create(1, { dependencies: [first] });
    expect(partitions.reasonOf(second)).toBe('dependencies');
    partitions.finish(first, 'complete');
    expect(partitions.hear(1)).toEqual([
      'DependencySettled',
      'OthersFollowed',
      'DependencyCompleted',
    ]);
    expect(partitions.reasonOf(second)).toBeNull();
  });

  it('that completed just before is said again by its owner', () => {
    const partitions = new Partitions(2);
    const other = partitions.queues[1] as Queue;
    const first = partitions.create(0);
    const fetched = new Map([
      [first, { taskId: first, project: 'default', status: 'pending', cause: null }],
    ]);
    partitions.finish(first, 'complete');
    // The answer about the first was on its way while it completed, and was heard of.
    partitions.hear(1);
    const input = { content: 1, taskType: 'demo', dependencies: [first] };
    const id = other.newId();
    other.when('task.create', parse(input), { id, fetched });
    partitions.hearAll();
    expect(partitions.reasonOf(id)).toBeNull();
  });

  it('that failed blocks, also through a third partition', () => {
    const partitions = new Partitions(3);
    const first = partitions.create(0);
    const second = partitions.create(1, { dependencies: [first] });
    const third = partitions.create(2, { dependencies: [second] });
    partitions.finish(first, 'fail');
    partitions.hearAll();
    expect([second, third].map((id) => partitions.reasonOf(id))).toEqual([first, first]);
  });

  it('that is unknown, or of another project, is refused', () => {
    const partitions = new Partitions(2);
    const nobody = newAggregateId(Date.now(), 0, Buffer.from('nobody!!'));
    const id = partitions.queues[1]!.newId();
    const { refusal } = partitions.tryCreate(id, { dependencies: [nobody] });
    expect(refusal?.code).toBe('UNKNOWN_DEPENDENCY');
  });
});

const parse = (input: object): object => ({
  priority: 'medium',
  requirements: [],
  maxAttempts: 3,
  autoRoute: true,
  ...input,
});

type Step = {
  readonly verb: 'create' | 'complete' | 'fail' | 'cancel' | 'redrive' | 'hear';
  readonly partition: number;
  readonly some: readonly number[];
};

const steps = fc.array(
  fc.record({
    verb: fc.constantFrom<Step['verb']>(
      ...([
        'create',
        'create',
        'complete',
        'fail',
        'cancel',
        'redrive',
        'redrive',
        'hear',
      ] as const),
    ),
    partition: fc.nat(2),
    some: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
  }),
  { minLength: 5, maxLength: 80 },
);

/** What a task waits for, by the outcomes of all tasks: the same as in one partition. */
function expectedReason(
  id: string,
  dependencies: ReadonlyMap<string, readonly string[]>,
  ended: ReadonlyMap<string, 'completed' | 'failed'>,
): 'blocked' | 'dependencies' | null {
  const reasons = (dependencies.get(id) ?? []).map((dependency) => {
    const outcome = ended.get(dependency);
    if (outcome === 'completed') return null;
    if (outcome === 'failed') return 'blocked';
    return expectedReason(dependency, dependencies, ended) === 'blocked'
      ? 'blocked'
      : 'dependencies';
  });
  if (reasons.includes('blocked')) return 'blocked';
  return reasons.includes('dependencies') ? 'dependencies' : null;
}

describe('laws of several partitions', () => {
  it('whoever hears what when: in the end every task waits for what it would in one', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const partitions = new Partitions(3);
        const dependencies = new Map<string, readonly string[]>();
        const ended = new Map<string, 'completed' | 'failed'>();
        for (const { verb, partition, some } of history) {
          const ids = [...dependencies.keys()];
          const chosen = [...new Set(some.flatMap((n) => ids[ids.length - 1 - n] ?? []))];
          if (verb === 'hear') partitions.hear(partition, 1 + (some[0] as number));
          else if (verb === 'create') {
            dependencies.set(partitions.create(partition, { dependencies: chosen }), chosen);
          } else if (verb === 'redrive') {
            const [id] = chosen.filter((one) => ended.get(one) === 'failed');
            if (id === undefined) continue;
            expect(partitions.redrive(id).refusal).toBeUndefined();
            ended.delete(id);
          } else {
            const [id] = chosen;
            if (id === undefined || ended.has(id) || !partitions.finish(id, verb)) continue;
            ended.set(id, verb === 'complete' ? 'completed' : 'failed');
          }
        }
        partitions.hearAll();
        for (const id of dependencies.keys()) {
          if (ended.has(id)) continue;
          const { status, reason } = partitions.of(id).record(id);
          const seen = status === 'blocked' ? 'blocked' : reason;
          expect(seen).toBe(expectedReason(id, dependencies, ended));
          if (status === 'blocked') expect(ended.get(reason as string)).toBe('failed');
        }
      }),
      { numRuns: 300 },
    );
  });
});
