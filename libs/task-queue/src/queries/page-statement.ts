import type { Priority, TaskStatus, queryTasks } from '@athena/contracts';
import type { Input } from '@athena/operation';
import { taskColumns } from '../projections/task-row.js';
import type { PagePosition } from './page-cursor.js';
import { PRIORITIES, Parameters, conditionsOf, finishedOnly, statusesOf } from './search.js';

type Search = Input<typeof queryTasks>;
type Order = 'asc' | 'desc';

const COLUMNS = taskColumns.map(({ name }) => `tasks.${name}`).join(', ');

interface Context {
  readonly search: Search;
  readonly order: Order;
  readonly after: PagePosition | null;
  readonly parameters: Parameters;
  /** Place of the project among the parameters. */
  readonly project: string;
  /** What tasks (of a priority) are ordered by. */
  readonly at: 'created_at' | 'completed_at';
}

/** A page and one row more. Its ids come from an index; the rows behind them are read by those. */
export function pageStatement(
  project: string,
  search: Search,
  after: PagePosition | null,
): { text: string; values: unknown[] } {
  const { order = 'desc', limit } = search;
  const parameters = new Parameters();
  const at = search.sort === 'completedAt' ? 'completed_at' : 'created_at';
  const context = {
    search,
    order,
    after,
    parameters,
    project: parameters.add(project),
    at,
  } as const;
  const found = isLaned(search) ? lanedPage(context) : plainPage(context);
  const end = `order by ${byPlace(search, order)} limit ${parameters.add(limit + 1)}`;
  const text =
    `with ${hasHits(search) ? hitsOrPage(context, found, end) : `page as (${found} ${end})`} ` +
    `select ${COLUMNS} from page join tasks using (task_id) ` +
    `order by ${byPlace(search, order, 'page.')}`;
  return { text, values: parameters.values };
}

/**
 * How frequent a rare word or fact is, Postgres does not know: it may take it for one of two
 * hundred tasks', and look for it in all of them, newest first. So first so many hits are taken, in
 * no order. Of what has more, Postgres knows how frequent it is, and plans by that.
 */
export const HITS_MAX = 1_000;

const hasHits = ({ text, metadata }: Search): boolean => (text ?? metadata) !== undefined;

/** The page of the hits or, where they are too many, as it is found without. */
function hitsOrPage(context: Context, found: string, end: string): string {
  const { search, order, after, parameters, project, at } = context;
  const isRanked = search.sort === 'priority';
  const conditions = [`project = ${project}`, ...conditionsOf(search, parameters)];
  if (at === 'completed_at') conditions.push('completed_at is not null');
  const ranked = isRanked
    ? `array_position(${parameters.add(PRIORITIES)}::text[], priority) - 1`
    : '0';
  if (after) {
    const [rank, id] = [parameters.add(after.rank), parameters.add(after.taskId)];
    const place = `${rank}::int, ${parameters.add(instantOf(after))}::timestamptz, ${id}::uuid`;
    conditions.push(`(${ranked}, ${at}, task_id) ${beyond(order)} (${place})`);
  }
  const bound = `${parameters.add(HITS_MAX)}::int`;
  const columns = isRanked ? 'rank, at, task_id' : 'at, task_id';
  const pageOf = (source: string, holds: string): string =>
    `(select ${columns} from ${source} where (select count(*) from hits) ${holds} ${bound} ${end})`;
  return (
    `hits as materialized (select ${ranked} as rank, ${at} as at, task_id from tasks ` +
    `where ${conditions.join(' and ')} limit ${bound} + 1), ` +
    `page as (${pageOf('hits', '<=')} union all ${pageOf(`(${found}) as rest`, '>')})`
  );
}

const byPlace = ({ sort }: Search, order: Order, of = ''): string =>
  [...(sort === 'priority' ? ['rank'] : []), 'at', 'task_id']
    .map((name) => `${of}${name} ${order}`)
    .join(', ');

/**
 * Tasks of one status and priority lie in an index in the order of pages: a lane. Where the order
 * or a filter follows no index as it is, the heads of several lanes are merged, and a page costs
 * at most as many entries as lanes times rows. What a batch, text or metadata finds is few as a
 * rule and is then sorted; where it is much, Postgres reads newest first and soon has its page.
 */
function isLaned(search: Search): boolean {
  if (search.sort === 'priority') return true;
  if (search.batchId !== undefined) return false;
  if (search.sort === 'completedAt') return true;
  return !isNarrow(search) && LANE_FILTERS.some((filter) => search[filter] !== undefined);
}

const LANE_FILTERS = [
  'status',
  'priority',
  'agentId',
  'taskType',
  'finishedAfter',
  'finishedBefore',
] as const satisfies readonly (keyof Search)[];

const isNarrow = ({ batchId, text, metadata }: Search): boolean =>
  [batchId, text, metadata].some((filter) => filter !== undefined);

function plainPage({ search, order, after, parameters, project, at }: Context): string {
  const conditions = [
    `project = ${project}`,
    ...impliedBy(search, parameters),
    ...conditionsOf(search, parameters),
  ];
  if (at === 'completed_at') conditions.push('completed_at is not null');
  if (after) {
    const [instant, id] = [parameters.add(instantOf(after)), parameters.add(after.taskId)];
    conditions.push(`(${at}, task_id) ${beyond(order)} (${instant}::timestamptz, ${id}::uuid)`);
  }
  return `select task_id, ${at} as at from tasks where ${conditions.join(' and ')}`;
}

/** What ended before was created before; so an index in the order of creation can begin there. */
const impliedBy = ({ finishedBefore }: Search, parameters: Parameters): string[] =>
  finishedBefore === undefined ? [] : conditionsOf({ createdBefore: finishedBefore }, parameters);

/** Null: every status, every priority. */
interface Lane {
  readonly status: TaskStatus | null;
  readonly priority: Priority | null;
  readonly rank: number;
  /** Behind this its part of the page begins. */
  readonly at: string;
  readonly taskId: string;
}

/** Which lanes there are: what a search narrows down by itself has one for each priority. */
const isParted = (search: Search): { status: boolean; priority: boolean } => {
  const ended = search.sort === 'completedAt';
  return { status: ended || !isNarrow(search), priority: !ended };
};

function lanedPage({ search, order, after, parameters, project, at }: Context): string {
  const lanes = lanesOf(search, order, after);
  const parted = isParted(search);
  const column = (type: string, pick: (lane: Lane) => unknown): string =>
    `${parameters.add(lanes.map(pick))}::${type}[]`;
  const columns = [
    column('text', ({ status }) => status),
    column('text', ({ priority }) => priority),
    column('int', ({ rank }) => rank),
    column('timestamptz', (lane) => lane.at),
    column('uuid', ({ taskId }) => taskId),
  ];
  const own = (['status', 'priority'] as const).filter((name) => parted[name]);
  const conditions = [
    `project = ${project}`,
    ...own.map((name) => `${name} = lane.${name}`),
    `(${at}, task_id) ${beyond(order)} (lane.at, lane.id)`,
    ...(at === 'completed_at' ? ['completed_at is not null'] : []),
    ...impliedBy(search, parameters),
    ...conditionsOf(search, parameters, own),
  ];
  return (
    `select head.task_id, head.at, lane.rank ` +
    `from unnest(${columns.join(', ')}) as lane (status, priority, rank, at, id), lateral (` +
    `select task_id, ${at} as at from tasks where ${conditions.join(' and ')} ` +
    `order by ${at} ${order}, task_id ${order} limit ${parameters.add(search.limit + 1)}) as head`
  );
}

/** Lanes that the page may have something of, each with the place where that begins. */
function lanesOf(search: Search, order: Order, after: PagePosition | null): Lane[] {
  const parted = isParted(search);
  const statuses = parted.status ? lanedStatuses(search) : [null];
  const given = search.priority === undefined ? PRIORITIES : [search.priority];
  const priorities = parted.priority ? given : [null];
  const lanes = priorities.flatMap((priority) => {
    const rank = search.sort === 'priority' && priority ? PRIORITIES.indexOf(priority) : 0;
    const place = placeIn(rank, order, after);
    return place === null ? [] : [{ priority, rank, ...place }];
  });
  return statuses.flatMap((status) => lanes.map((lane) => ({ status, ...lane })));
}

function lanedStatuses(search: Search): readonly TaskStatus[] {
  const { sort, finishedAfter, finishedBefore } = search;
  const isOver = sort === 'completedAt' || (finishedAfter ?? finishedBefore) !== undefined;
  return isOver ? finishedOnly(statusesOf(search)) : statusesOf(search);
}

/** Where lanes of a rank begin; null: they are over before the page begins. */
function placeIn(
  rank: number,
  order: Order,
  after: PagePosition | null,
): Pick<Lane, 'at' | 'taskId'> | null {
  if (after === null) return EDGES[order];
  if (rank === after.rank) return { at: instantOf(after), taskId: after.taskId };
  return rank < after.rank === (order === 'desc') ? EDGES[order] : null;
}

/** Before every task, in the direction of the page. */
const EDGES = {
  desc: { at: 'infinity', taskId: 'ffffffff-ffff-ffff-ffff-ffffffffffff' },
  asc: { at: '-infinity', taskId: '00000000-0000-0000-0000-000000000000' },
} as const;

const beyond = (order: Order): string => (order === 'desc' ? '<' : '>');

const instantOf = ({ at }: PagePosition): string => new Date(at).toISOString();
