import { describe, expect, it } from '@jest/globals';
import { limits } from '@athena/contracts';
import { MESSAGE_BYTES_MAX } from '../nats/gatherer.js';
import { batchesOf } from './submission.js';

describe('the batches of a submission', () => {
  it('hold at most as many tasks as one request may', () => {
    const length = 2 * limits.BATCH_TASKS_MAX + 1;
    const tasks = Array.from({ length }, (_, content) => ({ taskType: 'x', content }));
    const batches = batchesOf(tasks);
    expect(batches.map((batch) => batch.length)).toEqual([
      limits.BATCH_TASKS_MAX,
      limits.BATCH_TASKS_MAX,
      1,
    ]);
    expect(batches.flat()).toEqual(tasks);
  });

  it('hold at most as many bytes as one request may', () => {
    const content = 'x'.repeat(30_000);
    const tasks = Array.from({ length: 40 }, () => ({ taskType: 'x', content }));
    const batches = batchesOf(tasks);
    expect(batches.flat()).toHaveLength(40);
    expect(batches).toHaveLength(2);
    for (const batch of batches) {
      expect(Buffer.byteLength(JSON.stringify({ tasks: batch }))).toBeLessThan(
        MESSAGE_BYTES_MAX + 100,
      );
    }
  });

  it('are none for no tasks', () => {
    expect(batchesOf([])).toEqual([]);
  });
});
