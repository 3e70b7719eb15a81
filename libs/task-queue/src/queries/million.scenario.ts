import pg from 'pg';
import { Queue } from '../domain/queue.scenario.js';
import { taskColumns } from '../projections/task-row.js';
import type { ReadModel } from './read-model.scenario.js';

export const TASKS = 1_000_000;
const SAMPLE = 200;
const COPIES = TASKS / SAMPLE;
const STEP_MS = 3_000;

/** How the tasks of the sample end up; all others are completed. */
const ENDS: Readonly<Record<string, number>> = {
  failed: 8,
  pending: 4,
  cancelled: 3,
  running: 2,
  assigned: 2,
  blocked: 1,
};

/** A few tasks of every status, lived through in the domain. */
function sample(): Queue {
  const queue = new Queue();
  const ends = Object.entries(ENDS).flatMap(([status, n]) => Array<string>(n).fill(status));
  const culprit = queue.create({ priority: 'high' });
  for (let n = 1; n < SAMPLE; n++) {
    const status = ends[n - 1] ?? 'completed';
    const fields = {
      content: { text: '' },
      priority: n % 10 === 0 ? 'high' : n % 3 === 0 ? 'low' : 'medium',
      batchId: 'b',
      metadata: { n },
      dependencies: status === 'blocked' ? [culprit] : [],
    };
    live(queue, queue.create(fields), status);
    queue.advance(10);
  }
  live(queue, culprit, 'failed');
  return queue;
}

function live(queue: Queue, id: string, status: string): void {
  if (status === 'pending' || status === 'blocked') return;
  if (status === 'cancelled') return void queue.when('task.cancel', { taskId: id });
  const lease = queue.assign(id);
  if (status === 'assigned') return;
  queue.report('start', id, lease);
  queue.advance(50);
  const error = { message: 'the printer has no paper' };
  if (status === 'failed') queue.report('fail', id, lease, { error, shouldRetry: false });
  if (status === 'completed') queue.report('complete', id, lease, { result: { pages: 1 } });
}

/**
 * What differs between the copies of a task: `k` counts them, `i` counts all rows. Times go on by
 * a step a copy, so that the newest rows are of every status; one row in twenty is of another
 * project.
 */
const VARIED: Readonly<Record<string, string>> = {
  task_id: 'gen_random_uuid()',
  project: `case when i % 20 = 0 then 'other' else 'default' end`,
  content: `json_build_object('text', format(
    'Summarise document%s of section%s for %s', i, i % 1000,
    case when i % 100 < 30 then 'review' else 'print' end))`,
  task_type: `format('type%s', least(i % 1000, 200))`,
  assigned_to: `case when s.assigned_to is not null then format('agent%s', i % 500) end`,
  batch_id: `format('batch%s', i / 500)`,
  metadata: `json_build_object('customer', format('c%s', i % 20000), 'tier', i % 3, 'order', i)`,
  ...Object.fromEntries(
    ['created_at', 'assigned_at', 'started_at', 'completed_at'].map((name) => [
      name,
      `s.${name} + k * interval '${STEP_MS} ms'`,
    ]),
  ),
};

const INSERT = `
  insert into tasks_v2 (${taskColumns.map(({ name }) => name).join(', ')})
  select ${taskColumns.map(({ name }) => VARIED[name] ?? `s.${name}`).join(', ')}
  from (select *, row_number() over () as n from sample) s,
    generate_series(0, ${COPIES - 1}) k, lateral (select k * ${SAMPLE} + n as i) as row
  order by k, n`;
const TALLY = `
  insert into task_counts_v2
  select project, status, priority, task_type,
    case when retry_count > 0 then 'yes' else 'no' end, count(*)
  from tasks_v2 group by 1, 2, 3, 4, 5`;
const INDEXES = `
  select indexname as name, indexdef as text from pg_indexes
  where tablename = 'tasks_v2' and indexname <> 'tasks_v2_pkey'`;

/** Fills the read model: rows of the projection's own writer, copied with other names and times. */
export async function fillWithAMillion(model: ReadModel): Promise<void> {
  await model.fold(sample());
  const client = new pg.Client(model.url);
  await client.connect();
  try {
    await client.query(`set maintenance_work_mem = '512MB'; set synchronous_commit = off`);
    await client.query('create temp table sample as select * from tasks_v2');
    await model.empty();
    const { rows } = await client.query<{ name: string; text: string }>(INDEXES);
    for (const { name } of rows) await client.query(`drop index "${name}"`);
    await client.query(INSERT);
    for (const { text } of rows) await client.query(text);
    await client.query(TALLY);
    await client.query('vacuum analyze tasks_v2');
    await client.query('analyze task_counts_v2');
  } finally {
    await client.end();
  }
}
