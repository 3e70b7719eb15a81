import { limits } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import { Queue } from './queue.scenario.js';

describe('progress', () => {
  const running = (): { queue: Queue; id: string; tell: (report: object) => string } => {
    const queue = new Queue();
    const id = queue.create();
    const lease = queue.assign(id);
    const tell = (report: object): string => {
      const { types, refusal } = queue.report('progress', id, lease, report);
      return refusal?.code ?? types.join(' ');
    };
    return { queue, id, tell };
  };

  it('is recorded with the start, and what a report leaves out stays', () => {
    const { queue, id, tell } = running();
    expect(tell({ percent: 10, output: { pages: [1] } })).toBe('TaskStarted TaskProgressed');
    expect(tell({ message: 'page 2', log: ['read page 2'] })).toBe('TaskProgressed');
    expect(queue.record(id)).toMatchObject({
      status: 'running',
      progress: { percent: 10, message: 'page 2', output: { pages: [1] } },
    });
  });

  it('that is known already changes nothing; lines of log are always news', () => {
    const { tell } = running();
    tell({ percent: 10, output: [1] });
    expect(tell({ percent: 10 })).toBe('');
    expect(tell({ output: [1] })).toBe('');
    expect(tell({ log: [] })).toBe('');
    expect([tell({ log: ['tick'] }), tell({ log: ['tick'] })]).toEqual([
      'TaskProgressed',
      'TaskProgressed',
    ]);
  });

  it('is recorded so many times a second, and refused beyond that until the next one', () => {
    const { queue, id, tell } = running();
    const codes = Array.from({ length: limits.PROGRESS_PER_SECOND_MAX + 1 }, (_, percent) =>
      tell({ percent }),
    );
    expect(codes.at(-2)).toBe('TaskProgressed');
    expect(codes.at(-1)).toBe('PROGRESS_TOO_OFTEN');
    expect(queue.record(id).progress).toEqual({ percent: limits.PROGRESS_PER_SECOND_MAX - 1 });
    queue.now += 1_000;
    expect(tell({ percent: 50 })).toBe('TaskProgressed');
  });

  it('brings so many bytes an attempt; percent and message go on', () => {
    const { queue, id, tell } = running();
    const output = 'x'.repeat(limits.PROGRESS_OUTPUT_BYTES_MAX - 2);
    const reports = limits.PROGRESS_BYTES_MAX / limits.PROGRESS_OUTPUT_BYTES_MAX;
    for (let n = 0; n < reports; n++) {
      queue.now += 1_000;
      expect(tell({ percent: n / 10, output })).toMatch(/TaskProgressed$/);
    }
    queue.now += 1_000;
    expect([tell({ output: 'y' }), tell({ log: [''] })]).toEqual([
      'PROGRESS_TOO_MUCH',
      'PROGRESS_TOO_MUCH',
    ]);
    expect(tell({ percent: 99, message: 'nearly' })).toBe('TaskProgressed');

    queue.when('task.releaseSession', { agentId: 'ada', session: 1, exclude: false });
    const lease = queue.assign(id, 'bob', 2);
    expect(queue.record(id).progress).toBeNull();
    const next = queue.report('progress', id, lease, { output: 'y' }, 'bob');
    expect(next.types).toEqual(['TaskStarted', 'TaskProgressed']);
  });
});
