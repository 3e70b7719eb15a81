import { describe, expect, it } from '@jest/globals';
import {
  RECENT_ANSWERS_BYTES_MAX,
  RECENT_ANSWERS_MAX,
  RECENT_ANSWER_MS,
  RecentAnswers,
} from './recent-answers.js';
import { RECENT_WAITS_MAX, Figures } from './figures.js';

const answer = { tasks: [], cancelled: [] };

describe('recent answers', () => {
  it('give a repeated claim the same, and nobody else', () => {
    const answers = new RecentAnswers();
    answers.remember('p/a', 'c1', answer, { bytes: 1, now: 0 });

    expect(answers.find('p/a', 'c1')).toBe(answer);
    expect(answers.find('p/a', 'c2')).toBeUndefined();
    expect(answers.find('p/b', 'c1')).toBeUndefined();
  });

  it('are forgotten after their time, and the oldest where there are too many or too large', () => {
    const answers = new RecentAnswers();
    for (let n = 0; n <= RECENT_ANSWERS_MAX; n++) {
      answers.remember('p/a', `c${n}`, answer, { bytes: 1, now: n });
    }
    expect(answers.size).toBe(RECENT_ANSWERS_MAX);
    expect(answers.find('p/a', 'c0')).toBeUndefined();

    answers.remember('p/a', 'large', answer, { bytes: RECENT_ANSWERS_BYTES_MAX, now: 0 });
    expect(answers.size).toBe(1);
    answers.trim(RECENT_ANSWER_MS);
    expect([answers.size, answers.bytes]).toEqual([0, 0]);
  });
});

describe('figures', () => {
  it('give percentiles of the latest waits by nearest rank', () => {
    const figures = new Figures();
    expect(figures.timeToAssignMs).toEqual({ p50: null, p95: null, p99: null });
    for (let n = 1; n <= 100; n++) figures.countAssigned(n);

    expect(figures.timeToAssignMs).toEqual({ p50: 50, p95: 95, p99: 99 });
    for (let n = 0; n < RECENT_WAITS_MAX; n++) figures.countAssigned(7);
    expect(figures.timeToAssignMs.p99).toBe(7);
    expect(figures.assigned).toBe(100 + RECENT_WAITS_MAX);
  });
});
