import {
  getConsolidation,
  getInsights,
  listConsolidations,
  listRecommendations,
  triggerConsolidation,
} from '@athena/contracts';
import {
  FIRST_PREV,
  MemoryLog,
  encodeCommit,
  hashOf,
  subjectOf,
  type LoggedEvent,
} from '@athena/event-log';
import { newAggregateId, type Operation, type Output, type RawInput } from '@athena/operation';
import { createDataSource, createPool, leadingRebuild, rebuild } from '@athena/projection';
import { OperationClient } from '@athena/service-kit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import {
  startNats,
  startPostgres,
  type RunningNats,
  type RunningPostgres,
} from '../../../tools/stack/servers.mjs';
import { Consolidation } from './consolidation.js';
import * as given from './happenings.scenario.js';
import { consolidationEntities, consolidationMigrations } from './index.js';
import { attemptOutcomes } from './projections/attempt-outcomes.js';

const PATIENCE_MS = 8_000;
const AT = Date.parse('2026-03-01T12:00:00Z');
const MINUTE = 60_000;

let servers: [RunningPostgres, RunningNats];
let pool: Pool;
let nats: NatsConnection;
let log: MemoryLog;
let consolidation: Consolidation;
let calls: OperationClient;
let now = AT;

beforeAll(async () => {
  servers = await Promise.all([startPostgres(), startNats()]);
  const [postgres, broker] = servers;
  const source = await createDataSource({
    url: postgres.url,
    entities: consolidationEntities,
    migrations: consolidationMigrations,
  });
  const { upQueries } = await source.driver.createSchemaBuilder().log();
  const differences = upQueries.map(({ query }) => query);
  expect(differences.filter((text) => !text.startsWith('DROP INDEX'))).toEqual([]);
  await source.destroy();
  pool = createPool(postgres.url);
  const { user, password: pass } = broker.core;
  nats = await connect({ servers: broker.url, user, pass, noAsyncTraces: true });
  log = new MemoryLog();
  const clock = { now: () => now };
  consolidation = new Consolidation({ nats, log, feed: log, pool, projectionPool: pool, clock });
  consolidation.start();
  calls = new OperationClient({ nats });
});
afterAll(async () => {
  await consolidation?.stop();
  calls?.close();
  await nats?.close();
  await pool?.end();
  await Promise.all((servers ?? []).map((server) => server.stop()));
});

const heads = new Map<string, { seq: number; rev: number; hash: string }>();

/** Appends one commit to a partition at a time after AT, as its owner would. */
async function commit(ms: number, ...events: readonly LoggedEvent[]): Promise<void> {
  const partition = partitionOf(events[0]?.type);
  const { seq, rev, hash } = heads.get(partition) ?? { seq: 0, rev: 0, hash: FIRST_PREV };
  const head = { athena: 1, partition, epoch: 1, rev: rev + 1, prev: hash } as const;
  const payload = encodeCommit(
    { ...head, at: new Date(AT + ms).toISOString(), count: events.length },
    events.map((event) => JSON.stringify(event)),
  );
  const at = await log.append(subjectOf(partition), payload, seq);
  heads.set(partition, { seq: at, rev: rev + 1, hash: hashOf(payload) });
}

const partitionOf = (type = ''): string =>
  type.startsWith('Agent') ? 'agent.0' : type.startsWith('Key') ? 'access.0' : 'task.0';

let ids = 0;
const newId = (): string => newAggregateId(AT, 0, Buffer.from(String(++ids).padStart(8, '0')));

async function ask<T extends Operation>(
  operation: T,
  input: RawInput<T>,
  project = given.PROJECT,
): Promise<Output<T>> {
  const caller = { project, actor: 'key:spec', budgetMs: 4_000 } as const;
  const { output } = await calls.call(operation, operation.input.parse(input) as never, caller);
  expect(operation.output.parse(output)).toEqual(output);
  return output;
}
const look = async (input: RawInput<typeof getInsights> = {}) =>
  ask(getInsights, { minSeq: await log.endSeq(), ...input });
const batch = async (batchSize: number) => ask(triggerConsolidation, { batchSize });

describe('a project in which nothing has finished', () => {
  it('has figures without numbers, no recommendations, and nothing to consolidate', async () => {
    expect(await look()).toMatchObject({
      covered: { tasks: 0, attempts: 0, cut: false, to: new Date(AT).toISOString() },
      total: { attempts: 0, successRate: null, waitMs: { p50: null } },
      byType: [],
      overTime: [],
    });
    expect(await ask(listRecommendations, {})).toEqual({ attempts: 0, recommendations: [] });
    expect(await batch(10)).toEqual({
      consolidationId: null,
      covered: { from: null, to: null, tasks: 0, events: 0, newEvents: 0 },
      insights: 0,
      recommendations: [],
    });
  });
});

describe('a project after an hour of work', () => {
  const [a, b, c, d] = [newId(), newId(), newId(), newId()];

  beforeAll(async () => {
    await commit(0, given.created(a), given.created(b), given.created(c, { taskType: 'draw' }));
    await commit(100, given.assigned(a), given.assigned(b, 'writer'));
    await commit(300, given.assigned(c));
    await commit(
      MINUTE,
      given.completed(a, 1_000),
      given.attemptFailed(b, 50, AT + 2 * MINUTE, 'writer'),
    );
    await commit(2 * MINUTE + 500, given.assigned(b, 'reader', 2));
    await commit(30 * MINUTE, given.completed(b, 3_000, 'reader', 2));
    await commit(31 * MINUTE, given.released(c, 'session_ended'));
    now = AT + 60 * MINUTE;
  });

  it('is told in the figures that were counted by hand', async () => {
    const figures = await look({ windowMs: 60 * MINUTE });
    expect(figures.covered).toEqual({
      from: new Date(AT).toISOString(),
      to: new Date(now).toISOString(),
      tasks: 3,
      attempts: 4,
      cut: false,
    });
    // Waits 100, 100, 500, 300; runs 1000, 50, 3000; 2 completed in 60 minutes.
    expect(figures.total).toMatchObject({
      attempts: 4,
      completed: 2,
      failed: 1,
      lost: 1,
      successRate: 2 / 3,
      retryRate: 0.25,
      completedPerMinute: 2 / 60,
      waitMs: { p50: 200 },
      runMs: { p50: 1_000 },
    });
    // 0.95 lies 0.85 of the way from the third of four waits to the last: 300 + 0.85 × 200.
    expect(figures.total.waitMs.p95).toBeCloseTo(470, 6);
    expect(figures.byType.map(({ taskType, attempts }) => [taskType, attempts])).toEqual([
      ['parse', 3],
      ['draw', 1],
    ]);
    expect(figures.byKind).toMatchObject([
      { kind: 'reader', attempts: 3, completed: 2, successRate: 1 },
      { kind: 'writer', attempts: 1, failed: 1, successRate: 0 },
    ]);
    expect(figures.byTypeAndKind).toMatchObject([
      { taskType: 'parse', kind: 'reader', completed: 2 },
      { taskType: 'draw', kind: 'reader', lost: 1, successRate: null },
      { taskType: 'parse', kind: 'writer', failed: 1 },
    ]);
    // Parts of 150 s: minute 1 is in the first, minutes 30 and 31 in the thirteenth.
    expect(figures.overTime.map(({ from, attempts }) => [Date.parse(from) - AT, attempts])).toEqual(
      [
        [0, 2],
        [30 * MINUTE, 2],
      ],
    );
    expect(figures.overTime[0]?.completedPerMinute).toBeCloseTo(1 / 2.5, 6);
  });

  it('is told by type, kind and window', async () => {
    expect((await look({ taskType: 'draw' })).total).toMatchObject({ attempts: 1, lost: 1 });
    expect((await look({ kind: 'writer' })).total).toMatchObject({ attempts: 1, failed: 1 });
    expect((await look({ windowMs: 40 * MINUTE })).covered).toMatchObject({
      attempts: 2,
      tasks: 2,
    });
    expect((await ask(getInsights, {}, 'other')).covered.attempts).toBe(0);
  });

  it('is consolidated once: a repeat with nothing new keeps nothing and says so', async () => {
    // What it does not follow does not keep it waiting.
    await commit(60 * MINUTE, { type: 'KeyIssued', v: 1, project: 'p', id: 'k', data: {} });
    const first = await batch(3);
    expect(first).toMatchObject({
      consolidationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      covered: {
        from: new Date(AT + MINUTE).toISOString(),
        to: new Date(AT + 31 * MINUTE).toISOString(),
        tasks: 2,
        events: 3,
        newEvents: 3,
      },
    });
    const again = await batch(3);
    expect(again).toMatchObject({ consolidationId: null, covered: { events: 3, newEvents: 0 } });
    const wider = await batch(100);
    expect(wider.covered).toMatchObject({ tasks: 3, events: 4, newEvents: 0 });
    const { rows } = await pool.query<{ id: string; events: number; report: unknown }>(
      'select consolidation_id as id, events, report from consolidations order by events',
    );
    expect(rows.map(({ id, events }) => [id, events])).toEqual([
      [first.consolidationId, 3],
      [wider.consolidationId, 4],
    ]);
    expect(rows[1]?.report).toMatchObject({ total: { attempts: 4, completed: 2 } });

    await commit(61 * MINUTE, given.created(d), given.assigned(d));
    await commit(62 * MINUTE, given.taskFailed(d, 10));
    expect((await batch(2)).covered).toMatchObject({ tasks: 2, events: 2, newEvents: 1 });
  });

  it('is read back as it was kept, newest first, page by page, by its project only', async () => {
    const first = await ask(listConsolidations, { limit: 2 });
    const rest = await ask(listConsolidations, { limit: 2, cursor: first.nextCursor ?? '' });
    const kept = [...first.consolidations, ...rest.consolidations];
    expect(kept.map(({ covered }) => covered.events)).toEqual([2, 4, 3]);
    expect([first.nextCursor, rest.nextCursor]).toEqual([expect.any(String), null]);

    const { insights, recommendations, ...wider } = first.consolidations[1] as (typeof kept)[0];
    const { consolidationId } = wider;
    const whole = await ask(getConsolidation, { consolidationId });
    expect(whole).toMatchObject({ ...wider, total: { attempts: 4, completed: 2 } });
    const { byType, byKind, byTypeAndKind } = whole;
    expect(byType.length + byKind.length + byTypeAndKind.length).toBe(insights);
    expect(whole.recommendations).toHaveLength(recommendations);

    expect((await ask(listConsolidations, {}, 'other')).consolidations).toEqual([]);
    await expect(ask(getConsolidation, { consolidationId }, 'other')).rejects.toMatchObject({
      refusal: { code: 'CONSOLIDATION_NOT_FOUND' },
    });
    await expect(ask(listConsolidations, { cursor: 'x' })).rejects.toMatchObject({
      refusal: { code: 'INVALID_INPUT', field: 'cursor' },
    });
  });

  it('gets the recommendations that the queue and the fleet give reason for', async () => {
    now = AT + 90 * MINUTE;
    await commit(70 * MINUTE, given.created(newId(), { requirements: ['ocr'], taskType: 'scan' }));
    await commit(71 * MINUTE, given.registered('w-1', 'idler'), given.registered('w-2', 'idler'));
    await commit(72 * MINUTE, given.registered('w-3', 'away'), given.sessionEnded('w-3'));
    const { recommendations } = await ask(listRecommendations, { minSeq: await log.endSeq() });
    expect(recommendations.map(({ rule, subject }) => [rule, subject])).toEqual([
      ['skill_scarce', { skill: 'ocr' }],
      // Given back at minute 31, so that it has waited longest.
      ['queue_ageing', { taskType: 'draw' }],
      ['queue_ageing', { taskType: 'scan' }],
      ['agents_idle', { kind: 'idler' }],
    ]);
    expect(recommendations[1]?.evidence).toMatchObject({ waiting: 1, oldestMs: 59 * MINUTE });
    expect(recommendations[2]?.evidence).toMatchObject({ waiting: 1, oldestMs: 20 * MINUTE });

    await commit(85 * MINUTE, given.registered('o-1', 'scanner', ['ocr']));
    const after = await ask(listRecommendations, { minSeq: await log.endSeq() });
    expect(after.recommendations.map(({ rule }) => rule)).not.toContain('skill_scarce');
  });

  it('has the same outcomes after a rebuild from the log', async () => {
    await consolidation.projections[0]?.waitFor(await log.endSeq(), PATIENCE_MS);
    const rows = async (): Promise<unknown[]> =>
      (await pool.query<object>('select t::text from attempt_outcomes t order by task_id')).rows;
    const before = await rows();
    expect(before.length).toBeGreaterThan(3);
    await leadingRebuild(pool, attemptOutcomes, (client) =>
      rebuild(client, { log, projection: attemptOutcomes }),
    );
    expect(await rows()).toEqual(before);
  });
});
