import { describe, expect, it } from '@jest/globals';
import { successRate } from '@athena/contracts';
import fc from 'fast-check';
import { foldRows, type Happening } from './fold-rows.scenario.js';
import { agentRecords, performanceOf, type AgentRecordRow } from './agent-records.js';

const outcome = (type: string, durationMs: number, more = {}): Happening => [
  type,
  't',
  { agentId: 'a1', kind: 'reader', attempt: 1, durationMs, ...more },
];
const rowAfter = (...happenings: Happening[]): AgentRecordRow | undefined =>
  foldRows<AgentRecordRow>(agentRecords, happenings).get('default/reader');
const rateAfter = (...happenings: Happening[]): number =>
  successRate(performanceOf(rowAfter(...happenings) as AgentRecordRow));

describe('the record of a kind of agent', () => {
  it('holds the figures that were worked out by hand', () => {
    // (100 + 300) ÷ 2 = 200; (200 × 2 + 50) ÷ 3 = 150; 3 of 5 succeeded.
    const row = rowAfter(
      outcome('TaskCompleted', 100),
      outcome('AttemptFailed', 9_999),
      outcome('TaskCompleted', 300),
      outcome('TaskFailed', 8_888),
      outcome('TaskCompleted', 50),
    );

    expect(row).toEqual({
      project: 'default',
      kind: 'reader',
      completed: 3,
      failed: 2,
      avg_completion_ms: 150,
    });
    expect(successRate(performanceOf(row as AgentRecordRow))).toBe(0.6);
  });

  it('has no mean before the first success', () => {
    expect(rowAfter(outcome('TaskFailed', 500))).toMatchObject({
      completed: 0,
      failed: 1,
      avg_completion_ms: null,
    });
  });

  it('counts reports by hand like outcomes', () => {
    const report = (success: boolean, durationMs: number): Happening => [
      'PerformanceReported',
      'a1',
      { kind: 'reader', success, durationMs },
    ];
    const happenings = [report(true, 40), report(false, 7_000), outcome('TaskCompleted', 80)];

    expect(rowAfter(...happenings)).toMatchObject({
      completed: 2,
      failed: 1,
      avg_completion_ms: 60,
    });
    expect(rateAfter(...happenings)).toBeCloseTo(2 / 3, 12);
  });

  it('holds nothing against an agent that vanished, nor a cancelled task', () => {
    const nothing: Happening[] = [
      outcome('TaskFailed', 500, { lost: true }),
      outcome('TaskReleased', 0),
      outcome('TaskCancelled', 0),
      outcome('TaskAssigned', 0),
    ];

    expect(rowAfter(...nothing)).toBeUndefined();
  });

  it('keeps kinds apart', () => {
    const rows = foldRows<AgentRecordRow>(agentRecords, [
      outcome('TaskCompleted', 10),
      outcome('TaskCompleted', 30, { kind: 'writer' }),
    ]);

    expect([...rows.values()].map((row) => [row.kind, row.avg_completion_ms])).toEqual([
      ['reader', 10],
      ['writer', 30],
    ]);
  });

  it('has the mean of the successes, whatever comes in whichever order', () => {
    const durations = fc.array(fc.tuple(fc.boolean(), fc.nat(100_000)), { minLength: 1 });
    fc.assert(
      fc.property(durations, (attempts) => {
        const row = rowAfter(
          ...attempts.map(([ok, ms]) => outcome(ok ? 'TaskCompleted' : 'AttemptFailed', ms)),
        ) as AgentRecordRow;
        const good = attempts.filter(([ok]) => ok).map(([, ms]) => ms);
        const sum = good.reduce((total, ms) => total + ms, 0);

        expect(row.completed).toBe(good.length);
        expect(row.failed).toBe(attempts.length - good.length);
        if (good.length === 0) expect(row.avg_completion_ms).toBeNull();
        else expect(row.avg_completion_ms).toBeCloseTo(sum / good.length, 6);
      }),
    );
  });
});
