import { countTasks as countOperation, limits, queryTasks as operation } from '@athena/contracts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Queue } from '../domain/queue.scenario.js';
import { taskColumns } from '../projections/task-row.js';
import { countTasks } from './count-tasks.js';
import { HITS_MAX } from './page-statement.js';
import { queryTasks } from './query-tasks.js';
import { ReadModel } from './read-model.scenario.js';

let model: ReadModel;
let queue: Queue;
beforeAll(async () => {
  model = await ReadModel.start();
});
afterAll(() => model?.stop());
beforeEach(() => {
  queue = new Queue();
});
afterEach(() => model.empty());

/** Creates a task a moment after the one before. */
function create(fields: Record<string, unknown> = {}): string {
  queue.advance(10);
  return queue.create({ autoRoute: true, ...fields });
}

function end(taskId: string, how: 'complete' | 'fail' | 'cancel', message = 'no'): void {
  queue.advance(10);
  if (how === 'cancel') return void queue.when('task.cancel', { taskId });
  const lease = queue.assign(taskId);
  const error = { error: { message, stack: 'at somewhere' }, shouldRetry: false };
  queue.report(how, taskId, lease, how === 'fail' ? error : { result: 1 });
}

interface Fields extends Record<string, unknown> {
  readonly limit?: number;
}

/** Everything that the search finds, read in pages of two. */
async function find(fields: Fields = {}): Promise<string[]> {
  await model.fold(queue);
  const found: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const search = operation.input.parse({ limit: 2, ...fields, ...(cursor && { cursor }) });
    const page = await queryTasks(model.pool, 'default', search);
    found.push(...page.tasks.map(({ taskId }) => taskId));
    cursor = page.nextCursor;
  }
  return found;
}

const count = async (fields: Fields = {}): Promise<{ count: number; exact: boolean }> => {
  await model.fold(queue);
  return countTasks(model.pool, 'default', countOperation.input.parse(fields));
};

/** Adds copies of each task, with other ids. */
async function copyAll(times: number): Promise<void> {
  const names = taskColumns.map(({ name }) => name).filter((name) => name !== 'task_id');
  const columns = names.join(', ');
  const copies = `insert into tasks_v2 (task_id, ${columns})
    select gen_random_uuid(), ${columns} from tasks_v2, generate_series(1, $1::int)`;
  await model.pool.query(copies, [times]);
}

describe('filters of task.query', () => {
  it('takes one status or several', async () => {
    const [a, b, c, d] = [create(), create(), create(), create()];
    end(b, 'complete');
    end(c, 'fail');
    queue.assign(d);
    expect(await find({ status: 'pending' })).toEqual([a]);
    expect(await find({ status: ['completed', 'failed', 'completed'] })).toEqual([c, b]);
    expect(await find({ status: ['assigned', 'pending'], order: 'asc' })).toEqual([a, d]);
  });

  it('finds by when a task ended', async () => {
    const [a, b, open] = [create(), create(), create()];
    end(a, 'complete');
    const between = new Date(queue.now + 5).toISOString();
    end(b, 'cancel');
    expect(await find({ finishedAfter: between })).toEqual([b]);
    expect(await find({ finishedBefore: between })).toEqual([a]);
    expect(await find({ finishedBefore: between, status: 'cancelled' })).toEqual([]);
    expect(await find({ finishedAfter: '0000-01-01T00:00:00Z' })).toEqual([b, a]);
    expect(await find({ finishedAfter: between, status: 'pending' })).toEqual([]);
    expect(await find()).toContain(open);
  });

  it.each([
    ['a word of a text', 'summarise', true],
    ['whatever its case', 'SUMMARISE', true],
    ['words in any order', 'report summarise', true],
    ['not where one is missing', 'summarise poem', false],
    ['a phrase', '"the annual report"', true],
    ['not a phrase in another order', '"annual the report"', false],
    ['one or the other', 'poem or report', true],
    ['not what is excluded', 'summarise -annual', false],
    ['what is not excluded', 'summarise -poem', true],
    ['a file’s name in its path', 'q3.pdf', true],
    ['a whole path', '/data/in/q3.pdf', true],
    ['a word behind an escape', 'second', true],
    ['words of every script', 'δοκιμή 試験', true],
    ['a number', '1729', true],
    ['the words of field names', 'document', false],
    ['part of a word', 'summ', false],
    ['nothing by punctuation', '?!.', false],
  ])('of text finds %s', async (_what, text, found) => {
    const content = {
      order: 'Summarise the annual report',
      document: '/data/in/q3.pdf',
      lines: ['first\nsecond', 'a "quoted" \u0000 \ud800 δοκιμή', '試験', 1729],
    };
    const [task] = [create({ content }), create({ content: 'an unrelated matter' })];
    expect(await find({ text })).toEqual(found ? [task] : []);
  });

  it('of text finds words of the error’s message, and only those of the error', async () => {
    const [a, b] = [create({ content: { n: 1 } }), create({ content: null })];
    end(a, 'fail', 'connection "refused" by\nprinter\u0000');
    end(b, 'fail', 'connection reset');
    expect(await find({ text: 'refused printer' })).toEqual([a]);
    expect(await find({ text: 'connection' })).toEqual([b, a]);
    expect(await find({ text: 'somewhere' })).toEqual([]);
  });

  it('of text knows the beginning of long contents', async () => {
    const fill = 'x '.repeat(limits.SEARCHED_CONTENT_LENGTH / 2);
    const task = create({ content: `early ${fill} late` });
    expect(await find({ text: 'early' })).toEqual([task]);
    expect(await find({ text: 'late' })).toEqual([]);
    const just = create({ content: `${fill.slice(0, -10)} just` });
    expect(await find({ text: 'just' })).toEqual([just]);
  });

  it.each([
    ['goal=insight', true],
    ['goal=insigh', false],
    ['pages=3', true],
    ['pages=3.0', false],
    ['empty=', true],
    ['deep={"goal":"no"}', false],
    ['pages=30', false],
    ['draft=false', true],
    ['as text=3', true],
    ['owner=null', true],
    ['nobody=null', false],
    ['formula=a=b', true],
    ['quote="x"', true],
    ['broken=\ufffd\\u0000', true],
    ["goal=' or 1=1 --", false],
  ])('of metadata takes %s', async (fact, found) => {
    const metadata = {
      ...{ goal: 'insight', pages: 3, draft: false, 'as text': '3', owner: null },
      ...{
        formula: 'a=b',
        quote: '"x"',
        broken: '\ud800\\u0000',
        empty: '',
        long: 'x'.repeat(5_000),
        deep: { goal: 'no' },
      },
    };
    const [task] = [create({ metadata }), create({ metadata: { goal: 'other' } }), create()];
    expect(await find({ metadata: [fact] })).toEqual(found ? [task] : []);
  });

  it('of metadata all must hold', async () => {
    const [a, b] = [create({ metadata: { x: 1, y: 2 } }), create({ metadata: { x: 1, y: 3 } })];
    expect(await find({ metadata: ['x=1'] })).toEqual([b, a]);
    expect(await find({ metadata: ['x=1', 'y=2'] })).toEqual([a]);
  });

  it.each([
    ['a text that is too long', { text: 'x'.repeat(limits.SEARCH_TEXT_LENGTH_MAX + 1) }],
    ['no text', { text: '' }],
    ['control characters', { text: 'a\u0000b' }],
    ['metadata without a value', { metadata: ['goal'] }],
    ['metadata without a key', { metadata: ['=x'] }],
    ['too many facts', { metadata: Array(limits.METADATA_FILTERS_MAX + 1).fill('a=b') }],
    ['an unknown status', { status: ['pending', 'lost'] }],
    ['no status at all', { status: [] }],
    ['an unknown order', { sort: 'content' }],
  ])('refuses %s', (_what, fields) => {
    expect(operation.input.safeParse(fields).success).toBe(false);
  });
});

describe('the order of task.query', () => {
  it('is by the end of finished tasks', async () => {
    const [a, b, c] = [create(), create(), create(), create()];
    end(c, 'complete');
    end(a, 'cancel');
    end(b, 'fail');
    expect(await find({ sort: 'completedAt' })).toEqual([b, a, c]);
    expect(await find({ sort: 'completedAt', order: 'asc' })).toEqual([c, a, b]);
    expect(await find({ sort: 'completedAt', status: ['failed', 'pending'] })).toEqual([b]);
    expect(await find({ sort: 'completedAt', priority: 'high' })).toEqual([]);
    expect(await find({ sort: 'completedAt', text: 'work' })).toEqual([b, a, c]);
  });

  it('is by priority, and of one priority by creation', async () => {
    const priorities = ['low', 'high', 'medium', 'high', 'low', 'medium', 'high'];
    const ids = priorities.map((priority) => create({ priority, batchId: 'b' }));
    const sorted = [6, 3, 1, 5, 2, 4, 0].map((n) => ids[n]);
    for (const fields of [{}, { batchId: 'b' }, { taskType: 'demo' }, { text: 'work' }]) {
      expect(await find({ sort: 'priority', ...fields })).toEqual(sorted);
      const turned = await find({ sort: 'priority', order: 'asc', ...fields });
      expect(turned).toEqual([...sorted].reverse());
    }
    expect(await find({ sort: 'priority', priority: 'medium' })).toEqual([ids[5], ids[2]]);
  });

  it('parts tasks of one instant by their ids', async () => {
    const ids = [1, 2, 3, 4, 5].map((n) =>
      queue.create({ priority: n % 2 ? 'high' : 'low', batchId: 'b' }),
    );
    const newest = [...ids].sort().reverse();
    expect(await find()).toEqual(newest);
    expect(await find({ status: 'pending' })).toEqual(newest);
    expect(await find({ batchId: 'b', order: 'asc' })).toEqual([...newest].reverse());
  });

  it.each([
    ['by creation', {}],
    ['oldest first', { order: 'asc' }],
    ['by priority', { sort: 'priority' }],
    ['by priority, lowest first', { sort: 'priority', order: 'asc' }],
  ])('of frequent metadata or words is that of all tasks: %s', async (_what, fields) => {
    for (const priority of ['low', 'high', 'low']) {
      create({ priority, metadata: { x: 1 }, content: 'word' });
    }
    create({ metadata: { x: 2 }, content: 'other' });
    await model.fold(queue);
    await copyAll(HITS_MAX / 2);
    const limit = 500;
    const high = await find({ ...fields, limit, priority: 'high' });
    const low = await find({ ...fields, limit, priority: 'low' });
    expect([high.length, low.length]).toEqual([HITS_MAX / 2 + 1, HITS_MAX + 2]);
    for (const filter of [{ metadata: ['x=1'] }, { text: 'word' }]) {
      const found = await find({ ...fields, limit, ...filter });
      expect(new Set(found)).toEqual(new Set([...high, ...low]));
      expect(found).toHaveLength(high.length + low.length);
      if ('sort' in fields) {
        expect(found).toEqual('order' in fields ? [...low, ...high] : [...high, ...low]);
      }
    }
  });

  it('a cursor belongs to its order', async () => {
    for (let n = 0; n < 3; n++) create();
    await model.fold(queue);
    const search = operation.input.parse({ limit: 1 });
    const { nextCursor: cursor } = await queryTasks(model.pool, 'default', search);
    for (const other of [{ order: 'asc' }, { sort: 'priority' }, { text: 'work' }]) {
      const turned = operation.input.parse({ limit: 1, cursor, ...other });
      await expect(queryTasks(model.pool, 'default', turned)).rejects.toThrow('INVALID_INPUT');
    }
  });
});

describe('pages while tasks are created and go on', () => {
  it.each([
    ['all', {}],
    ['of a type', { taskType: 'demo' }],
    ['oldest first', { agentId: 'ada', order: 'asc' }],
    ['by priority', { sort: 'priority' }],
    ['of words', { text: 'work' }],
    ['of metadata', { metadata: ['x=1'], sort: 'priority', order: 'asc' }],
  ])('have every task that was there all the while once: %s', async (_what, fields) => {
    const priorities = ['low', 'medium', 'high'];
    const there = Array.from({ length: 40 }, (_, n) => {
      const id = create({ priority: priorities[n % 3], metadata: { x: 1 } });
      queue.assign(id);
      return id;
    });
    await model.fold(queue);
    const found: string[] = [];
    const leaseOf = (id: string): string => queue.state.tasks.get(id)?.holder?.lease ?? '';
    const verbs = ['start', 'complete', 'fail'];
    for (let cursor: string | undefined, turn = 0; ; turn++) {
      const search = operation.input.parse({ limit: 3, ...fields, ...(cursor && { cursor }) });
      // Some of what is written is seen by this page, some by the next.
      there.forEach((id, n) => {
        if (!queue.state.tasks.has(id) || (n + turn) % 4 > 0) return;
        const verb = verbs[(n + turn) % 3] as string;
        const error = verb === 'fail' ? { error: { message: 'no' }, shouldRetry: false } : {};
        queue.report(verb, id, leaseOf(id), error);
      });
      queue.assign(create({ priority: priorities[turn % 3], metadata: { x: 1 } }));
      const [page] = await Promise.all([
        queryTasks(model.pool, 'default', search),
        model.fold(queue),
      ]);
      found.push(...page.tasks.map(({ taskId }) => taskId));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(new Set(found).size).toBe(found.length);
    expect(found.filter((id) => there.includes(id)).sort()).toEqual([...there].sort());
  });
});

describe('task.count', () => {
  it('counts what the search finds', async () => {
    const [a, b] = [create({ content: 'read' }), create({ taskType: 'paint', priority: 'high' })];
    create({ metadata: { x: 1 } });
    end(a, 'complete');
    end(b, 'fail');
    expect(await count()).toEqual({ count: 3, exact: true });
    expect(await count({ status: ['completed', 'failed'] })).toEqual({ count: 2, exact: true });
    expect(await count({ status: 'failed', priority: 'high', taskType: 'paint' })).toMatchObject({
      count: 1,
    });
    expect(await count({ agentId: 'ada' })).toEqual({ count: 2, exact: true });
    expect(await count({ text: 'read' })).toEqual({ count: 1, exact: true });
    expect(await count({ metadata: ['x=1'], status: 'failed' })).toEqual({ count: 0, exact: true });
  });

  it('says where it has stopped counting', async () => {
    const few = limits.COUNTED_TASKS_MAX;
    create({ batchId: 'many' });
    await model.fold(queue);
    await copyAll(few - 1);
    expect(await count({ batchId: 'many' })).toEqual({ count: few, exact: true });
    create({ batchId: 'many' });
    expect(await count({ batchId: 'many' })).toEqual({ count: few, exact: false });
  });
});
