import { describe, expect, it } from '@jest/globals';
import { Progress } from './progress.js';

const tasks = new Map([
  ['a', 'research.extract'],
  ['b', 'research.extract'],
  ['c', 'research.report'],
]);

describe('the progress of a research', () => {
  it('counts what is finished, also before it was expected, once each', () => {
    const lines: string[] = [];
    const progress = new Progress({ write: (text) => lines.push(text) });
    progress.finished('a');
    progress.expect(tasks);
    progress.finished('a');
    progress.finished('c');
    progress.finished('not ours');
    expect(lines).toEqual([
      'research: 1/3 tasks (extract 1/2, report 0/1)\n',
      'research: 2/3 tasks (extract 1/2, report 1/1)\n',
    ]);
    expect(progress.done).toBe(2);
  });

  it('stays in one line on a terminal', () => {
    let screen = '';
    const progress = new Progress({ isTTY: true, write: (text) => (screen += text) });
    progress.expect(tasks);
    progress.say('an agent died');
    progress.finished('b');
    progress.end();
    expect(screen.split('\n')).toHaveLength(3);
    expect(screen).toContain('\r\x1b[Kresearch: 1/3 tasks');
  });
});
