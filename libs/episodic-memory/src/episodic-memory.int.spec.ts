import { listTaskEvents } from '@athena/contracts';
import {
  FIRST_PREV,
  MemoryLog,
  encodeCommit,
  hashOf,
  subjectOf,
  type LoggedEvent,
  type RawMessage,
} from '@athena/event-log';
import { newAggregateId, type Output } from '@athena/operation';
import { createDataSource, createPool, type ProjectionRunner } from '@athena/projection';
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
import { EpisodicMemory } from './episodic-memory.js';
import { CreateEpisodicEvents1793491200200 } from './archive/create-episodic-events.js';
import { episodicEventsEntity } from './archive/episodic-events.js';
import { handleListTaskEvents } from './operations/list-task-events.js';

const PATIENCE_MS = 8_000;
const AT = Date.parse('2026-03-01T12:00:00.123Z');

let servers: [RunningPostgres, RunningNats];
let pool: Pool;
let nats: NatsConnection;
let log: MemoryLog;
let memory: EpisodicMemory;
let calls: OperationClient;

beforeAll(async () => {
  servers = await Promise.all([startPostgres(), startNats()]);
  const [postgres, broker] = servers;
  const source = await createDataSource({
    url: postgres.url,
    entities: [episodicEventsEntity],
    migrations: [CreateEpisodicEvents1793491200200],
  });
  const { upQueries } = await source.driver.createSchemaBuilder().log();
  expect(upQueries.map(({ query }) => query).filter((q) => !q.startsWith('DROP INDEX'))).toEqual(
    [],
  );
  await source.destroy();
  pool = createPool(postgres.url);
  const { user, password: pass } = broker.core;
  nats = await connect({ servers: broker.url, user, pass, noAsyncTraces: true });
  log = new MemoryLog();
  memory = newMemory();
  memory.start();
  calls = new OperationClient({ nats });
});
afterAll(async () => {
  await memory?.stop();
  calls?.close();
  await nats?.close();
  await pool?.end();
  await Promise.all((servers ?? []).map((server) => server.stop()));
});

const newMemory = (): EpisodicMemory =>
  new EpisodicMemory({ nats, log, feed: log, pool, projectionPool: pool });
const archiveOf = ({ projections }: EpisodicMemory): ProjectionRunner =>
  projections[0] as ProjectionRunner;
const caughtUp = async (): Promise<void> =>
  archiveOf(memory).waitFor(await log.endSeq(), PATIENCE_MS);

const heads = new Map<string, { seq: number; rev: number; hash: string }>();

/** Appends one commit to a partition, as its owner would. */
async function commit(partition: string, events: readonly LoggedEvent[]): Promise<number> {
  const { seq, rev, hash } = heads.get(partition) ?? { seq: 0, rev: 0, hash: FIRST_PREV };
  const payload = encodeCommit(
    {
      athena: 1,
      partition,
      epoch: 3,
      rev: rev + 1,
      at: new Date(AT + rev).toISOString(),
      prev: hash,
      count: events.length,
    },
    events.map((event) => JSON.stringify(event)),
  );
  const at = await log.append(subjectOf(partition), payload, seq);
  heads.set(partition, { seq: at, rev: rev + 1, hash: hashOf(payload) });
  return at;
}

let ids = 0;
const newId = (): string => newAggregateId(AT, 0, Buffer.from(String(++ids).padStart(8, '0')));

const event = (id: string, type: string, more: Partial<LoggedEvent> = {}): LoggedEvent => ({
  type,
  v: 1,
  project: 'default',
  id,
  data: {},
  ...more,
});

const eventsOf = async (
  taskId: string,
  more: { minSeq?: number } = {},
  project = 'default',
): Promise<Output<typeof listTaskEvents>['events']> => {
  const caller = { project, actor: 'key:spec', budgetMs: 4_000 };
  return (await calls.call(listTaskEvents, { taskId, ...more }, caller)).output.events;
};

/** The message as the archive alone would write it again. */
function restored(rows: readonly Record<string, string>[], prev: string): Uint8Array {
  const { partition, epoch, rev, at } = rows[0] as Record<string, string>;
  const header = {
    athena: 1,
    partition: partition as string,
    epoch: Number(epoch),
    rev: Number(rev),
    at: new Date(at as string).toISOString(),
    prev,
    count: rows.length,
  } as const;
  return encodeCommit(
    header,
    rows.map(({ event }) => event as string),
  );
}

describe('the archive', () => {
  it('holds every event of every aggregate as it stands, found by what it is about', async () => {
    const id = newId();
    const data = { nul: '\u0000', lone: '\ud800', tab: '\t', quote: `"'\\`, owl: '🦉', n: null };
    const full = { actor: 'agent:ada', command: 'c1', correlation: 'r-1', data, v: 2 };
    await commit('task.0', [event(id, 'TaskCreated', full), event(id, 'TaskDue')]);
    await commit('agent.0', [event('ada', 'AgentRegistered', { project: 'other' })]);
    await caughtUp();
    const { rows } = await pool.query(
      `select seq::int, idx, version, rev::int, epoch::int, at, encode(hash, 'hex') as hash,
         project, aggregate, aggregate_id, type, actor, command, correlation, partition, event::text
       from episodic_events order by seq, idx`,
    );
    const { hash } = heads.get('task.0') as { hash: string };
    expect(rows).toEqual([
      {
        seq: 1,
        idx: 0,
        version: 2,
        rev: 1,
        epoch: 3,
        at: new Date(AT),
        hash,
        project: 'default',
        aggregate: 'task',
        aggregate_id: id,
        type: 'TaskCreated',
        actor: 'agent:ada',
        command: 'c1',
        correlation: 'r-1',
        partition: 'task.0',
        event: JSON.stringify(event(id, 'TaskCreated', full)),
      },
      expect.objectContaining({ seq: 1, idx: 1, type: 'TaskDue', actor: null, hash }),
      expect.objectContaining({ seq: 2, idx: 0, aggregate: 'agent', project: 'other' }),
    ]);
  });

  it('suffices to write the log’s messages again, byte by byte', async () => {
    await commit('task.0', [event(newId(), 'TaskCreated')]);
    await caughtUp();
    const { rows } = await pool.query(
      `select seq::int, partition, epoch, rev, at, event::text from episodic_events
       where partition = 'task.0' order by seq, idx`,
    );
    let prev = FIRST_PREV;
    for (const { seq, payload } of log.messages.filter(isOfTasks)) {
      const again = restored(
        rows.filter((row) => row.seq === seq),
        prev,
      );
      expect(Buffer.from(again).equals(payload)).toBe(true);
      prev = hashOf(again);
    }
  });

  it('goes on after a stop without losing or doubling', async () => {
    await archiveOf(memory).stop();
    const id = newId();
    for (let n = 0; n < 5; n++) await commit('task.0', [event(id, `Step${n}`)]);
    const again = newMemory();
    void archiveOf(again).start();
    await archiveOf(again).waitFor(await log.endSeq(), PATIENCE_MS);
    const { rows } = await pool.query<{ type: string }>(
      'select type from episodic_events where aggregate_id = $1 order by seq',
      [id],
    );
    expect(rows.map(({ type }) => type)).toEqual(['Step0', 'Step1', 'Step2', 'Step3', 'Step4']);
    const counted = await pool.query('select count(*)::int as n from episodic_events');
    const logged = log.messages.map(({ payload }) => Buffer.from(payload).toString().split('\n'));
    expect(counted.rows[0].n).toBe(logged.reduce((sum, lines) => sum + lines.length - 1, 0));
    await archiveOf(again).stop();
    memory = newMemory();
    memory.start();
  });
});

const isOfTasks = ({ subject }: RawMessage): boolean => subject === subjectOf('task.0');

describe('task.events', () => {
  it('tells a task’s events in order, with their places, and no other task’s', async () => {
    const id = newId();
    const created = { actor: 'key:k1', data: { content: 'work' } };
    const first = await commit('task.0', [
      event(id, 'TaskCreated', created),
      event(newId(), 'TaskCreated'),
      event(id, 'TaskDue'),
    ]);
    const minSeq = await commit('task.0', [event(id, 'TaskCancelled', { correlation: 'r' })]);
    const at = new Date(AT + (heads.get('task.0')?.rev ?? 0) - 2).toISOString();
    expect(await eventsOf(id, { minSeq })).toEqual([
      {
        position: `${first}.0`,
        type: 'TaskCreated',
        version: 1,
        at,
        actor: 'key:k1',
        correlation: null,
        data: { content: 'work' },
      },
      expect.objectContaining({ position: `${first}.2`, type: 'TaskDue' }),
      expect.objectContaining({ position: `${minSeq}.0`, correlation: 'r' }),
    ]);
  });

  it('finds a task right after it was created', async () => {
    for (let n = 0; n < 20; n++) {
      const id = newId();
      await commit('task.0', [event(id, 'TaskCreated')]);
      expect(await eventsOf(id)).toHaveLength(1);
    }
  });

  it('knows no task of another project, nor one that never was', async () => {
    const id = newId();
    const minSeq = await commit('task.0', [event(id, 'TaskCreated')]);
    for (const refused of [eventsOf(id, { minSeq }, 'other'), eventsOf(newId())]) {
      await expect(refused).rejects.toMatchObject({ refusal: { code: 'TASK_NOT_FOUND' } });
    }
  });

  it('asks to retry while Postgres is away', async () => {
    const elsewhere = createPool('postgres://nobody@127.0.0.1:1/none');
    const archive = { waitFor: async () => undefined, reached: async () => 1 };
    const handler = handleListTaskEvents({ pool: elsewhere, log, archive });
    const caller = { project: 'default', actor: 'key:spec', id: 'c' };
    await expect(handler.handle({ taskId: newId() }, caller)).rejects.toMatchObject({
      refusal: { code: 'UNAVAILABLE', retryable: true },
    });
    await elsewhere.end();
  });

  it('refuses a position that is not reached in time', async () => {
    await expect(eventsOf(newId(), { minSeq: 1_000_000 })).rejects.toMatchObject({
      refusal: { code: 'NOT_CAUGHT_UP' },
    });
  });
});
