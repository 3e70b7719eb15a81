import { NOT_CAUGHT_UP, UNAVAILABLE, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { count } from '../schemas.js';

/**
 * `missing`: the log has no message there · `unreadable`: it is no commit · `subject`: it names
 * another partition than its subject · `rev`, `chain`: it does not follow its partition's commit
 * before it · `archive_missing`, `archive_extra`: the archive has fewer or more events of it ·
 * `archive_text`, `archive_hash`, `archive_fields`: it has them otherwise.
 */
export const logFlaw = z.enum([
  'missing',
  'unreadable',
  'subject',
  'rev',
  'chain',
  'archive_missing',
  'archive_extra',
  'archive_text',
  'archive_hash',
  'archive_fields',
]);

export const logFinding = z.object({
  /** The commit's position. */
  seq: count,
  partition: z.string().nullable(),
  flaw: logFlaw,
  /** Names positions, never what an event says. */
  detail: z.string(),
});
export type LogFinding = z.output<typeof logFinding>;

const seq = z.int().min(1);

export const verifyLog = defineQuery({
  name: 'log.verify',
  summary: 'Checks the event log’s hash chain, and the archive against the log.',
  scope: 'admin',
  to: { service: 'episodic-memory' },
  http: { method: 'POST', path: '/v1/log/verify' },
  verdict: 'sound',
  input: z.strictObject({
    /** Like `task.0`; default: all. */
    partition: z
      .string()
      .max(100)
      .regex(/^[a-z]+\.\d+$/, 'use a partition’s name, like task.0')
      .optional(),
    /** Positions, both inclusive; default: the whole log. */
    from: seq.default(1),
    to: seq.optional(),
  }),
  output: z.object({
    /** What this call looked at. */
    from: count,
    to: count,
    commits: count,
    events: count,
    /** Commits by partition. */
    partitions: z.record(z.string(), count),
    sound: z.boolean(),
    /** The first LOG_FINDINGS_MAX. */
    findings: z.array(logFinding),
    /** Where the next call goes on; null: the end was reached. */
    nextFrom: count.nullable(),
  }),
  refusals: [NOT_CAUGHT_UP, UNAVAILABLE],
});
