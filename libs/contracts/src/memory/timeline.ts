import { NOT_CAUGHT_UP, UNAVAILABLE, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { clientId, count, instant, label, page } from '../schemas.js';
import { waitTime } from '../task/record.js';

/** Of what the timeline tells; events of keys and projects are not for every reader of events. */
export const timelineAggregate = z.enum(['task', 'agent']);

/** `key:<keyId>`, `agent:<agentId>`, `system:<service>`. */
const actor = z
  .string()
  .max(200)
  .regex(/^[a-z-]+:[A-Za-z0-9_.:-]+$/, 'use key:<keyId>, agent:<agentId> or system:<service>');

/** Ids of requests as callers give them: visible characters of ASCII. */
const correlation = z
  .string()
  .max(200)
  .regex(/^[\x21-\x7e]+$/, 'use visible characters of ASCII');

export const timelineEvent = z.object({
  /** Opaque: `after` takes it. */
  position: z.string(),
  type: z.string(),
  version: count,
  at: instant,
  aggregate: timelineAggregate,
  aggregateId: z.string(),
  actor: z.string().nullable(),
  correlation: z.string().nullable(),
  data: z.unknown(),
});
export type TimelineEvent = z.output<typeof timelineEvent>;

export const eventTimeline = defineQuery({
  name: 'event.timeline',
  summary: 'Everything that happened in the project, in order; with `wait`, as it happens.',
  scope: 'events:read',
  to: { service: 'episodic-memory' },
  http: { method: 'GET', path: '/v1/events' },
  input: z.strictObject({
    /** Inclusive; `until` is exclusive. */
    since: instant.optional(),
    until: instant.optional(),
    type: label.optional(),
    aggregate: timelineAggregate.optional(),
    /** A task’s, a schedule’s or an agent’s id. */
    aggregateId: clientId.optional(),
    actor: actor.optional(),
    correlation: correlation.optional(),
    /** A `position` or `nextAfter` of an earlier answer: what lies behind it is told. */
    after: z.string().max(100).optional(),
    order: z.enum(['asc', 'desc']).default('asc'),
    /** With `asc`: answers as soon as there is an event, or without one when this is over. */
    wait: waitTime.optional(),
    limit: page.limit,
    minSeq: page.minSeq,
  }),
  output: z.object({
    events: z.array(timelineEvent),
    /**
     * Where the same search goes on. With `asc` there always is one, and an empty page says that
     * nothing more happened yet; with `desc` null says that nothing happened before.
     */
    nextAfter: z.string().nullable(),
  }),
  refusals: [NOT_CAUGHT_UP, UNAVAILABLE],
});
