import { newAggregateId, partitionOfId, timeOfId } from '@athena/operation';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  createTask,
  createTasks,
  json,
  limits,
  operations,
  successRate,
  waitTime,
  withFailure,
  withSuccess,
  NO_RECORD,
} from './index.js';

describe('the operation registry', () => {
  it('names every operation once, and gives every outside one a scope or a verb', () => {
    const names = operations.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const operation of operations) {
      if (operation.http) expect(operation.scope).toBeDefined();
      if (!operation.scope) expect(operation.http).toBeUndefined();
    }
  });

  it('binds no two operations to one HTTP route, and every path field to an input', () => {
    const routes = operations.flatMap(({ http }) => (http ? [`${http.method} ${http.path}`] : []));
    expect(new Set(routes).size).toBe(routes.length);
  });
});

describe('ids', () => {
  it('carry their time and partition, and sort by time', () => {
    const times = fc.integer({ min: 0, max: 2 ** 46 });
    const random = fc.uint8Array({ minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(times, times, fc.nat(4_095), random, (t1, t2, partition, bytes) => {
        const [a, b] = [t1, t2].map((time) => newAggregateId(time, partition, bytes)) as [
          string,
          string,
        ];
        expect(timeOfId(a)).toBe(t1);
        expect(partitionOfId(a)).toBe(partition);
        expect(a < b).toBe(t1 < t2);
        expect(a).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
    );
  });
});

describe('limits of inputs', () => {
  const task = { content: 'x', taskType: 'demo' };
  const fits = (fields: object): boolean =>
    createTask.input.safeParse({ ...task, ...fields }).success;

  it('take content up to its size and no more', () => {
    const overhead = 2;
    expect(fits({ content: 'x'.repeat(limits.CONTENT_BYTES_MAX - overhead) })).toBe(true);
    expect(fits({ content: 'x'.repeat(limits.CONTENT_BYTES_MAX - overhead + 1) })).toBe(false);
  });

  it('take nesting up to its depth and no more', () => {
    const nested = (depth: number): unknown =>
      Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1);
    const schema = json(limits.CONTENT_BYTES_MAX);
    expect(schema.safeParse(nested(limits.JSON_DEPTH_MAX)).success).toBe(true);
    expect(schema.safeParse(nested(limits.JSON_DEPTH_MAX + 1)).success).toBe(false);
    expect(schema.safeParse(nested(20_000)).success).toBe(false);
  });

  it('refuse unknown fields, missing content and hostile names', () => {
    expect(fits({ status: 'completed' })).toBe(false);
    expect(createTask.input.safeParse({ taskType: 'demo' }).success).toBe(false);
    expect(fits({ taskType: 'a\nb' })).toBe(false);
    expect(fits({ requirements: ['\u0000'] })).toBe(false);
    expect(fits({ batchId: 'a.b' })).toBe(false);
  });

  it('take null as content', () => {
    expect(fits({ content: null })).toBe(true);
  });

  it('take times up to their limits and no more', () => {
    const { BACKOFF_MS_LIMIT, BACKOFF_FACTOR_MAX, SCHEDULE_TO_START_MS_MAX } = limits;
    const maxMs = BACKOFF_MS_LIMIT;
    for (const [most, fields] of [
      [BACKOFF_MS_LIMIT, (firstMs: number) => ({ backoff: { firstMs, maxMs } })],
      [BACKOFF_MS_LIMIT, (maxMs: number) => ({ backoff: { maxMs } })],
      [BACKOFF_FACTOR_MAX, (factor: number) => ({ backoff: { factor } })],
      [SCHEDULE_TO_START_MS_MAX, (scheduleToStartMs: number) => ({ scheduleToStartMs })],
    ] as const) {
      expect([most, most + 1].map((value) => fits(fields(value)))).toEqual([true, false]);
      expect(fits(fields(0))).toBe(false);
    }
  });

  it('refuse times that contradict each other, in batches too, and name the field', () => {
    const runAt = '2026-01-02T00:00:00Z';
    const contradictions: [object, string][] = [
      [{ runAt, delayMs: 1 }, 'runAt'],
      [{ runAt, deadline: '2026-01-01T19:00:00-05:00' }, 'runAt'],
      [{ runAt, retryUntil: '2026-01-01T00:00:00Z' }, 'runAt'],
      [{ backoff: { firstMs: 2, maxMs: 1 } }, 'backoff.firstMs'],
      [{ backoff: { firstMs: limits.BACKOFF_MS_MAX + 1 } }, 'backoff.firstMs'],
    ];
    for (const [fields, field] of contradictions) {
      const one = createTask.input.safeParse({ ...task, ...fields });
      expect(one.error?.issues.map(({ path }) => path.join('.'))).toEqual([field]);
      const many = createTasks.input.safeParse({ tasks: [task, { ...task, ...fields }] });
      expect(many.error?.issues.map(({ path }) => path.join('.'))).toEqual([`tasks.1.${field}`]);
    }
    expect(fits({ runAt, deadline: '2026-01-02T00:00:01Z', backoff: {} })).toBe(true);
  });

  it('read waits with units', () => {
    expect(['30s', '500ms', '250', 7].map((value) => waitTime.parse(value))).toEqual([
      30_000, 500, 250, 7,
    ]);
    expect(waitTime.safeParse('2h').success).toBe(false);
    expect(waitTime.safeParse('31s').success).toBe(false);
  });
});

describe('an agent’s record', () => {
  it('starts at 1 and counts as the definition says', () => {
    expect(successRate(NO_RECORD)).toBe(1);
    const record = withFailure(withSuccess(withSuccess(NO_RECORD, 100), 300));
    expect(record).toEqual({ completed: 2, failed: 1, avgCompletionMs: 200 });
    expect(successRate(record)).toBeCloseTo(2 / 3);
  });
});
