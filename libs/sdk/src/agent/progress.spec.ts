import { limits } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import { ProgressReports } from './progress.js';
import type { Progress } from './verbs.js';

describe('quick progress reports', () => {
  const reports = () => {
    const sent: Progress[] = [];
    const timers: (() => void)[] = [];
    const time = {
      now: () => 0,
      after: (_ms: number, then: () => void) => {
        timers.push(then);
        return () => void timers.splice(timers.indexOf(then), 1);
      },
    };
    const progress = new ProgressReports(time, async (report) => void sent.push(report));
    return { progress, sent, pass: () => timers.shift()?.() };
  };

  it('are gathered: the last values, and all lines in their order', () => {
    const { progress, sent, pass } = reports();
    progress.report({ percent: 1, log: ['a'] });
    progress.report({ percent: 2, output: [1], log: ['b'] });
    progress.report({ message: 'on', output: [1, 2], log: ['c', 'd'] });
    expect(sent).toEqual([{ percent: 1, log: ['a'] }]);
    pass();
    expect(sent[1]).toEqual({ percent: 2, message: 'on', output: [1, 2], log: ['b', 'c', 'd'] });
    pass();
    expect(sent).toHaveLength(2);
  });

  it('keep the last lines of very many, and of long ones the beginning', () => {
    const { progress, sent, pass } = reports();
    progress.report({ percent: 1 });
    for (let n = 0; n <= limits.PROGRESS_LOG_LINES_MAX; n++) progress.report({ log: [`${n}`] });
    progress.report({ log: ['x'.repeat(limits.PROGRESS_LOG_LINE_LENGTH_MAX + 1)] });
    pass();
    expect(sent[1]?.log).toHaveLength(limits.PROGRESS_LOG_LINES_MAX);
    expect(sent[1]?.log?.[0]).toBe('2');
    expect(sent[1]?.log?.at(-1)).toHaveLength(limits.PROGRESS_LOG_LINE_LENGTH_MAX);
  });

  it('are sent at the end where watchers would miss something', async () => {
    const { progress, sent } = reports();
    progress.report({ percent: 1 });
    progress.report({ percent: 2, log: ['last words'] });
    await progress.end();
    expect(sent[1]).toEqual({ percent: 2, log: ['last words'] });

    const other = reports();
    other.progress.report({ percent: 1 });
    other.progress.report({ percent: 99 });
    await other.progress.end();
    expect(other.sent).toHaveLength(1);
  });
});
