import { countTasks as countOperation, queryTasks as operation } from '@athena/contracts';
import type { RawInput } from '@athena/operation';
import { ROW_TYPES } from '@athena/projection';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QueryConfig } from 'pg';
import { Queue } from '../domain/queue.scenario.js';
import { countTasks } from './count-tasks.js';
import { TASKS, fillWithAMillion } from './million.scenario.js';
import { pageStatement } from './page-statement.js';
import { queueMetrics } from './queue-metrics.js';
import { ReadModel } from './read-model.scenario.js';

const LIMIT = 50;
const UPSERTS = 10_000;
const PROJECT = 'default';

type Fields = RawInput<typeof operation>;
type Asked = Pick<QueryConfig, 'text' | 'values'>;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Subplan Name'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Plan[];
}

interface Explained {
  readonly Plan: Plan;
  readonly 'Execution Time': number;
}

let model: ReadModel;
let middle: { created: number; completed: number };
beforeAll(async () => {
  model = await ReadModel.start();
  const began = Date.now();
  await fillWithAMillion(model);
  tell('filled', `${TASKS} tasks in ${((Date.now() - began) / 1000).toFixed(0)} s`);
  const { rows } = await model.pool.query<{ created: number; completed: number }>({
    text: `select percentile_disc(0.5) within group (order by created_at) as created,
      percentile_disc(0.5) within group (order by completed_at) as completed from tasks`,
    types: ROW_TYPES,
  });
  middle = rows[0] as typeof middle;
});
afterAll(() => model?.stop());

const tell = (what: string, says: string): void =>
  void process.stdout.write(`${what.padEnd(46)} ${says}\n`);

const nodesOf = (plan: Plan, without?: string): Plan[] =>
  without !== undefined && plan['Subplan Name'] === without
    ? []
    : [plan, ...(plan.Plans ?? []).flatMap((inner) => nodesOf(inner, without))];

/** Rows that were looked at, be they of use or not. A bitmap's entries are no rows yet. */
const readBy = (node: Plan): number =>
  (node['Node Type'] === 'Bitmap Index Scan' ? 0 : node['Actual Loops']) *
  (node['Actual Rows'] +
    (node['Rows Removed by Filter'] ?? 0) +
    (node['Rows Removed by Index Recheck'] ?? 0));

/**
 * Runs it and holds its plan against the promise: so many rows at most, and from indexes. Hits that
 * are frequent may be taken from the table as it lies, for that ends at a bound.
 */
async function explain(what: string, asked: Asked, rowsMax: number): Promise<void> {
  const text = `explain (analyze, buffers, format json) ${asked.text}`;
  const values = asked.values ?? [];
  const { rows } = await model.pool.query<{ 'QUERY PLAN': [Explained] }>({ text, values });
  const [{ Plan: plan, 'Execution Time': ms }] = (rows[0] as (typeof rows)[0])['QUERY PLAN'];
  const nodes = nodesOf(plan);
  const read = Math.max(...nodes.map(readBy));
  const indexes = [...new Set(nodes.flatMap((node) => node['Index Name'] ?? []))]
    .filter((name) => name !== 'tasks_v2_pkey')
    .map((name) => name.replace('tasks_v2_', ''));
  const blocks = plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  const figures = `${ms.toFixed(1).padStart(8)} ms ${String(read).padStart(7)} rows`;
  tell(what, `${figures} ${String(blocks).padStart(6)} blocks  ${indexes.join(', ')}`);
  const scans = nodesOf(plan, 'CTE hits').filter((node) => node['Node Type'] === 'Seq Scan');
  expect(scans.map((node) => node['Relation Name'])).not.toContain('tasks_v2');
  expect(read).toBeLessThanOrEqual(rowsMax);
}

const page = (fields: Fields): Asked =>
  pageStatement(PROJECT, operation.input.parse({ limit: LIMIT, ...fields }), null);

/** Of a lane its head is read; there are 21 of them. */
const LANED = 21 * (LIMIT + 1);
/** Of what one filter finds, others leave something out. */
const FILTERED = 5_000;

const RECENT = '2026-01-01T04:00:00Z';
const pages: readonly (readonly [string, Fields, number])[] = [
  ['newest', {}, LIMIT + 1],
  ['oldest', { order: 'asc' }, LIMIT + 1],
  ['status', { status: 'pending' }, LANED],
  ['a status of many', { status: 'completed' }, LANED],
  ['statuses', { status: ['failed', 'running', 'assigned'] }, LANED],
  ['priority', { priority: 'high' }, LANED],
  ['status, priority', { status: 'pending', priority: 'low' }, LANED],
  ['type', { taskType: 'type7' }, LANED],
  ['a type of many', { taskType: 'type200' }, LANED],
  ['a type that is not there', { taskType: 'nothing' }, LANED],
  ['type, status', { taskType: 'type200', status: 'failed' }, LANED],
  ['agent', { agentId: 'agent7' }, LANED],
  ['agent, status', { agentId: 'agent7', status: 'running' }, LANED],
  ['agent, type', { agentId: 'agent7', taskType: 'type7' }, FILTERED],
  ['batch', { batchId: 'batch70' }, 500],
  ['batch, status', { batchId: 'batch70', status: 'failed' }, 500],
  ['batch by priority', { batchId: 'batch70', sort: 'priority' }, 1_500],
  ['batch by end', { batchId: 'batch70', sort: 'completedAt' }, 500],
  ['created after', { createdAfter: RECENT }, LIMIT + 1],
  ['created before', { createdBefore: RECENT }, LIMIT + 1],
  ['created before, status', { createdBefore: RECENT, status: 'failed' }, LANED],
  ['created before, type', { createdBefore: RECENT, taskType: 'type7' }, LANED],
  ['finished after', { finishedAfter: RECENT }, LANED],
  ['finished before', { finishedBefore: RECENT }, FILTERED],
  ['finished long before', { finishedBefore: '2026-01-01T02:00:00Z' }, FILTERED],
  ['finished before, by end', { finishedBefore: RECENT, sort: 'completedAt' }, LANED],
  ['by end', { sort: 'completedAt' }, LANED],
  ['by end, first ones', { sort: 'completedAt', order: 'asc' }, LANED],
  ['by end, status', { sort: 'completedAt', status: 'failed' }, LANED],
  ['by end, type', { sort: 'completedAt', taskType: 'type7' }, FILTERED],
  ['by end, agent', { sort: 'completedAt', agentId: 'agent7' }, FILTERED],
  ['by end, text', { sort: 'completedAt', text: 'section7 review' }, FILTERED],
  ['by priority', { sort: 'priority' }, LANED],
  ['by priority, lowest', { sort: 'priority', order: 'asc' }, LANED],
  ['by priority, status', { sort: 'priority', status: 'pending' }, LANED],
  ['by priority, type', { sort: 'priority', taskType: 'type200' }, LANED],
  ['by priority, agent', { sort: 'priority', agentId: 'agent7' }, LANED],
  ['by priority, text', { sort: 'priority', text: 'section7' }, FILTERED],
  ['text: one task', { text: 'document777' }, LIMIT],
  ['text: a thousand tasks', { text: 'section7' }, FILTERED],
  ['text: every third task', { text: 'review' }, FILTERED],
  ['text: every task', { text: 'summarise' }, FILTERED],
  ['text: a phrase', { text: '"section7 for print"' }, FILTERED],
  ['text: of errors', { text: 'paper' }, FILTERED],
  ['text: nothing', { text: 'nothing' }, 1],
  ['text, status', { text: 'summarise', status: 'failed' }, FILTERED],
  ['text, type', { text: 'section7', taskType: 'type7' }, FILTERED],
  ['metadata', { metadata: ['customer=c77'] }, FILTERED],
  ['metadata of one task', { metadata: ['order=777'] }, FILTERED],
  ['metadata of many', { metadata: ['tier=1'] }, FILTERED],
  ['metadata, twice', { metadata: ['tier=1', 'customer=c77'] }, FILTERED],
  ['metadata that is not there', { metadata: ['customer=nobody'] }, 1],
  ['metadata by priority', { metadata: ['customer=c77'], sort: 'priority' }, FILTERED],
  ['by priority, text of all', { text: 'summarise', sort: 'priority' }, FILTERED],
  ['by end, text of all', { text: 'summarise', sort: 'completedAt' }, FILTERED],
  ['metadata, status', { metadata: ['customer=c77'], status: 'failed' }, FILTERED],
];

describe(`pages of ${TASKS} tasks`, () => {
  it.each(pages)('by %s come from an index', async (what, fields, rowsMax) => {
    await explain(what, page(fields), rowsMax);
  });

  it.each<[string, Fields]>([
    ['newest', {}],
    ['status', { status: 'completed' }],
    ['type', { taskType: 'type200' }],
    ['by end', { sort: 'completedAt' }],
    ['by priority', { sort: 'priority' }],
  ])('far behind, by %s, cost what the first does', async (what, fields) => {
    const search = operation.input.parse({ limit: LIMIT, ...fields });
    const at = fields.sort === 'completedAt' ? middle.completed : middle.created;
    const after = { rank: 1, at, taskId: '80000000-0000-4000-8000-000000000000' };
    const { rank } = fields.sort === 'priority' ? after : { rank: 0 };
    await explain(`far behind: ${what}`, pageStatement(PROJECT, search, { ...after, rank }), LANED);
  });
});

/** Asks, and explains each statement that went to Postgres. */
async function explained(
  what: string,
  rowsMax: number,
  ask: (pool: ReadModel['pool']) => Promise<unknown>,
): Promise<void> {
  const asked: Asked[] = [];
  const query = (config: Asked): unknown => {
    asked.push(config);
    return model.pool.query(config);
  };
  await ask({ query } as unknown as ReadModel['pool']);
  for (const one of asked) await explain(what, one, rowsMax);
}

describe(`counts of ${TASKS} tasks`, () => {
  it.each<[string, RawInput<typeof countOperation>, number]>([
    ['all', {}, 20_000],
    ['status, type', { status: ['failed', 'pending'], taskType: 'type7' }, 20_000],
    ['agent', { agentId: 'agent7' }, 20_000],
    ['batch', { batchId: 'batch70' }, 20_000],
    ['agent, status', { agentId: 'agent7', status: 'failed' }, 20_000],
    ['created after', { createdAfter: RECENT }, 20_000],
    ['finished before', { finishedBefore: RECENT }, 20_000],
    ['text', { text: 'section7' }, 20_000],
    ['metadata', { metadata: ['customer=c77'] }, 20_000],
  ])('by %s come from an index', async (what, fields, rowsMax) => {
    const search = countOperation.input.parse(fields);
    await explained(`count: ${what}`, rowsMax, (pool) => countTasks(pool, PROJECT, search));
  });

  it('are right where the tally tells them', async () => {
    const { rows } = await model.pool.query<{ n: string }>(
      `select count(*) as n from tasks where project = $1 and status = 'failed'`,
      [PROJECT],
    );
    const search = countOperation.input.parse({ status: 'failed' });
    const count = Number(rows[0]?.n);
    expect(await countTasks(model.pool, PROJECT, search)).toEqual({ count, exact: true });
  });
});

it('the queue’s metrics come from indexes', async () => {
  const now = Date.parse('2026-01-01T04:10:00Z');
  await explained('metrics', 60_000, (pool) => queueMetrics(pool, PROJECT, now));
});

/** Tasks that are created, assigned and completed, each time written in one batch. */
async function upsertsPerSecond(): Promise<number> {
  const queue = new Queue();
  queue.advance(24 * 3_600_000);
  const fields = (n: number) => ({
    content: { text: `Summarise document${n} of section${n % 1000} for review` },
    metadata: { customer: `c${n % 500}` },
  });
  const ids = Array.from({ length: UPSERTS }, (_, n) => queue.create(fields(n)));
  let spent = 0;
  const fold = async (): Promise<void> => {
    const start = Date.now();
    await model.fold(queue);
    spent += Date.now() - start;
  };
  await fold();
  const leases = ids.map((id) => queue.assign(id));
  await fold();
  ids.forEach((id, n) => queue.report('complete', id, leases[n] as string, { result: n }));
  await fold();
  await model.pool.query('delete from tasks_v2 where task_id = any($1)', [ids]);
  return (3 * UPSERTS * 1000) / spent;
}

it('what is searched by words and metadata is told what its indexes cost', async () => {
  const rate = (n: number): string => `${Math.round(n)} rows/s`;
  const full = await upsertsPerSecond();
  await model.pool.query('drop index tasks_v2_facts');
  const words = await upsertsPerSecond();
  await model.pool.query('drop index tasks_v2_words');
  const none = await upsertsPerSecond();
  tell('writes', `${rate(full)}; without metadata ${rate(words)}; nor words ${rate(none)}`);
  expect(full).toBeGreaterThan(0);
});
