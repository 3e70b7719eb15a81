import { AthenaError } from '@athena/sdk';
import { describe, expect, it } from '@jest/globals';
import { CommandError } from '../command/command.js';
import { formatDuration } from '../command/duration.js';
import { errorText } from './error-text.js';
import { view } from './view.js';

const WIDTH = 80;

describe('an answer for people', () => {
  it('shows a list as a table, with how to go on', () => {
    const tasks = [
      { taskId: 't1', status: 'running', attempt: 1, content: { hidden: true } },
      { taskId: 'task-2', status: 'failed', attempt: 3, content: null },
    ];
    expect(view({ tasks, nextCursor: 'abc' }, WIDTH)).toBe(
      [
        'TASKID  STATUS   ATTEMPT',
        't1      running  1',
        'task-2  failed   3',
        '',
        'more: --cursor abc',
      ].join('\n'),
    );
    expect(view({ tasks: [], nextCursor: null }, WIDTH)).toBe('no tasks');
    const events = [{ type: 'TaskCreated' }];
    expect(view({ events, nextAfter: '7.0' }, WIDTH)).toMatch(/TaskCreated\n\nmore: --after 7\.0$/);
  });

  it('shows a record as names and values', () => {
    const record = {
      taskId: 't',
      requirements: ['a', 'b'],
      by: { x: 1, y: null },
      deep: { a: [{}] },
    };
    expect(view(record, WIDTH)).toBe(
      [
        'taskId        t',
        'requirements  a, b',
        'by.x          1',
        'by.y          –',
        'deep          {"a":[{}]}',
      ].join('\n'),
    );
  });

  it('fits the terminal by shortening the widest column', () => {
    const lines = view({ events: [{ at: 'now', type: 'T', data: 'x'.repeat(500) }] }, WIDTH).split(
      '\n',
    );
    expect(lines.map(({ length }) => length <= WIDTH)).toEqual([true, true]);
    expect(lines[1]).toMatch(/x…$/);
  });

  it('leaves ids whole, and everything where no terminal is', () => {
    const records = [{ taskId: 'i'.repeat(36), taskType: 'x'.repeat(90) }];
    expect(view({ tasks: records }, WIDTH)).toMatch(/i{36} {2}x{41}…$/);
    expect(view({ tasks: records }, Infinity)).toMatch(/i{36} {2}x{90}$/);
  });

  it('sends nothing of strangers to the terminal that would steer it', () => {
    const shown = view({ content: '\u001b[2Jgone\u009b1m\u202e', k: 'two\nlines' }, WIDTH);
    expect(shown).toBe('content  \\u001b[2Jgone\\u009b1m\\u202e\nk        two\\nlines');
  });
});

describe('an error for people', () => {
  it('has the code, the detail, what to do and the request', () => {
    const error = new AthenaError('TASK_NOT_FOUND', 'no task x', { requestId: 'r1' });
    expect(errorText(error)).toMatch(/^TASK_NOT_FOUND: no task x\n {2}\S.*\n {2}Request r1$/);
  });

  it('of our own says what to do', () => {
    expect(errorText(new CommandError('no', 'Do that.'))).toBe('no\n  Do that.');
  });
});

it.each([
  [5, '5ms'],
  [1_500, '1.5s'],
  [90_000, '1m 30s'],
  [7_260_000, '2h 1m'],
])('%d ms is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
