import { z } from 'zod';
import { count, percentiles } from '../schemas.js';

/** Finished attempts in figures. Rates are in [0, 1]; null where nothing was measured. */
export const attemptFigures = z.object({
  attempts: count,
  completed: count,
  /** The agent reported a failure. */
  failed: count,
  /** The agent vanished: no outcome was reported, so none counts for the success rate. */
  lost: count,
  /** completed ÷ (completed + failed). */
  successRate: z.number().nullable(),
  /** Attempts that were not their task’s first ÷ attempts. */
  retryRate: z.number().nullable(),
  /** Completed attempts ÷ minutes of the time they are counted over. */
  completedPerMinute: z.number().nullable(),
  /** From ready to assigned. */
  waitMs: percentiles,
  /** As reported with the outcome; of completed and failed attempts. */
  runMs: percentiles,
});
export type AttemptFigures = z.output<typeof attemptFigures>;

export const recommendationRule = z.enum([
  'skill_scarce',
  'queue_ageing',
  'pair_failing',
  'agents_idle',
]);

/** A stated rule that the figures met. */
export const recommendation = z.object({
  rule: recommendationRule,
  severity: z.enum(['info', 'warning', 'critical']),
  /** What it is about, by part: a skill, a task type, a kind of agent. */
  subject: z.record(z.string(), z.string()),
  sentence: z.string(),
  /** The figures that met the rule, and the thresholds they met. */
  evidence: z.record(z.string(), z.number().nullable()),
  action: z.string(),
});
export type Recommendation = z.output<typeof recommendation>;
