import { NonRetryable } from '@athena/sdk';
import { describe, expect, it } from '@jest/globals';
import { CommandFailed, type Ending, isFinal, resultOf } from './outcome.js';
import { COMPLAINT_LINES_MAX, StderrLines } from './stderr-lines.js';

const ended = (how: Partial<Ending>): Ending => ({
  status: 0,
  signal: null,
  stdout: '',
  complaint: '',
  timedOutAfterMs: null,
  overflowed: false,
  ...how,
});

describe('a command that succeeded', () => {
  it.each([
    ['{"a":[1]}\n', { a: [1] }],
    ['42', 42],
    ['two\nlines\n', { text: 'two\nlines' }],
    [' \n', undefined],
  ])('with %j has the result %j', (stdout, result) => {
    expect(resultOf(ended({ stdout }))).toEqual(result);
  });
});

describe('a command that failed', () => {
  const endings: [Partial<Ending>, typeof CommandFailed | typeof NonRetryable, string, RegExp][] = [
    [{ status: 1, complaint: 'why' }, CommandFailed, 'EXIT_1', /^why$/],
    [{ status: 127 }, CommandFailed, 'EXIT_127', /^exit status 127$/],
    [{ status: 64 }, NonRetryable, 'EXIT_64', /^exit status 64$/],
    [{ status: 78 }, NonRetryable, 'EXIT_78', /78/],
    [{ status: 75 }, CommandFailed, 'EXIT_75', /75/],
    [{ status: null, signal: 'SIGSEGV' }, CommandFailed, 'SIGSEGV', /ended by SIGSEGV/],
    [{ status: 0, timedOutAfterMs: 9 }, CommandFailed, 'TIMEOUT', /9 ms/],
    [{ status: null, signal: 'SIGTERM', overflowed: true }, NonRetryable, 'RESULT_TOO_LARGE', /./],
  ];
  it.each(endings)('%j is told as it was', (how, kind, code, message) => {
    const error = thrownBy(() => resultOf(ended(how)));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toMatch(message);
    expect([error.code, error.stack]).toEqual([code, undefined]);
  });

  it('is tried again except by sysexits that are no EX_TEMPFAIL', () => {
    expect([1, 2, 63, 75, 79, 126, 137].filter(isFinal)).toEqual([]);
  });
});

describe('stderr', () => {
  it('has progress taken out, and keeps its last lines', () => {
    const [progress, lines]: [unknown[], string[]] = [[], []];
    const stderr = new StderrLines(
      (report) => progress.push(report),
      (line) => lines.push(line),
    );
    stderr.push('progress 50 half\nprog');
    stderr.push('ress 100\nprogress 101\n');
    for (let n = 0; n < COMPLAINT_LINES_MAX; n++) stderr.push(`line ${n}\n`);
    stderr.push('open end');
    stderr.end();
    expect(progress).toEqual([
      { percent: 50, message: 'half' },
      { percent: 100, message: undefined },
    ]);
    expect(lines[0]).toBe('progress 101');
    expect(stderr.complaint.split('\n')).toHaveLength(COMPLAINT_LINES_MAX);
    expect(stderr.complaint).toMatch(/^line 1\n[^]*open end$/);
  });
});

function thrownBy(act: () => unknown): Error & { code?: string } {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
