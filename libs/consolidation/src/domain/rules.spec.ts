import { describe, expect, it } from '@jest/globals';
import {
  AGEING_CRITICAL_MS,
  AGEING_MS,
  recommend,
  type Observations,
  type PairFigures,
} from './rules.js';

const about = (seen: Partial<Observations>) =>
  recommend({ skills: [], queues: [], pairs: [], kinds: [], ...seen });
const pair = (kind: string, completed: number, failed: number): PairFigures => ({
  taskType: 'parse',
  kind,
  completed,
  failed,
  successRate: completed / (completed + failed),
});

describe('the rules', () => {
  it('say nothing where nothing is wrong', () => {
    expect(about({})).toEqual([]);
    expect(
      about({
        skills: [{ skill: 'ocr', waiting: 19, agents: 2 }],
        queues: [{ taskType: 'parse', waiting: 3, oldestMs: AGEING_MS - 1 }],
        pairs: [pair('reader', 5, 5), pair('writer', 0, 9)],
        kinds: [
          { kind: 'reader', online: 5, idle: 2 },
          { kind: 'writer', online: 1, idle: 1 },
        ],
      }),
    ).toEqual([]);
  });

  it('call a skill scarce from ten waiting tasks an agent on, or when nobody has it', () => {
    const skills = [
      { skill: 'ocr', waiting: 20, agents: 2 },
      { skill: 'sign', waiting: 1, agents: 0 },
    ];
    expect(about({ skills })).toMatchObject([
      {
        rule: 'skill_scarce',
        severity: 'critical',
        subject: { skill: 'sign' },
        sentence: '1 ready task for 0 online agents with the skill sign.',
        evidence: { waiting: 1, agents: 0, waitingPerAgentFrom: 10 },
      },
      { severity: 'warning', subject: { skill: 'ocr' }, evidence: { waiting: 20, agents: 2 } },
    ]);
  });

  it('call a queue ageing by its oldest ready task', () => {
    const queue = (oldestMs: number) => [{ taskType: 'parse', waiting: 4, oldestMs }];
    expect(about({ queues: queue(AGEING_MS) })).toMatchObject([
      {
        rule: 'queue_ageing',
        severity: 'warning',
        sentence: 'The oldest of 4 ready tasks parse waits 5 min.',
        evidence: { waiting: 4, oldestMs: 300_000, oldestMsFrom: 300_000 },
      },
    ]);
    expect(about({ queues: queue(AGEING_CRITICAL_MS) })[0]?.severity).toBe('critical');
  });

  it('name a pair that fails, beside what other kinds make of the type', () => {
    const pairs = [pair('reader', 4, 6), pair('writer', 9, 1), pair('old', 1, 9)];
    // Of the others: (9 + 4) of 20 for `old`, (9 + 1) of 20 for `reader`.
    expect(about({ pairs })).toMatchObject([
      {
        severity: 'critical',
        subject: { taskType: 'parse', kind: 'old' },
        evidence: { outcomes: 10, successRate: 0.1, successRateOfOtherKinds: 0.65 },
      },
      {
        rule: 'pair_failing',
        severity: 'warning',
        subject: { taskType: 'parse', kind: 'reader' },
        sentence: 'Agents reader fail 6 of 10 attempts at tasks parse.',
        evidence: { outcomes: 10, successRate: 0.4, successRateOfOtherKinds: 0.5 },
      },
    ]);
    expect(about({ pairs: [pair('only', 0, 10)] })[0]?.evidence).toMatchObject({
      successRateOfOtherKinds: null,
    });
  });

  it('name a kind of which half and at least two are idle', () => {
    expect(about({ kinds: [{ kind: 'reader', online: 4, idle: 2 }] })).toMatchObject([
      {
        rule: 'agents_idle',
        severity: 'info',
        sentence: '2 of 4 online agents reader had no work for 15 min.',
        evidence: { online: 4, idle: 2, idleShareFrom: 0.5 },
      },
    ]);
  });
});
