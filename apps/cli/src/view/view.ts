import { plain } from './plain.js';
import { columnsOf, table } from './table.js';

type Fields = Readonly<Record<string, unknown>>;

/** The columns of records in a table, by the name of the list; others show their scalars. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  tasks: ['taskId', 'status', 'taskType', 'priority', 'assignedTo', 'attempt', 'createdAt'],
  agents: ['agentId', 'status', 'mode', 'activeTasks', 'maxConcurrentTasks', 'capabilities'],
  keys: ['keyId', 'name', 'project', 'scopes', 'createdAt', 'expiresAt', 'revokedAt'],
  projections: [
    'name',
    'version',
    'service',
    'state',
    'position',
    'lag',
    'previousPosition',
    'job.state',
    'job.progress',
  ],
  events: ['at', 'type', 'actor', 'data'],
};
const COLUMNS_MAX = 8;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null;
const isRecords = (value: unknown): value is readonly Fields[] =>
  Array.isArray(value) && value.every(isFields);

/** An answer for people: lists as tables, records as names and values. */
export function view(answer: unknown, columns: number): string {
  if (!isFields(answer)) return cell(answer);
  const lists = Object.entries(answer).filter(([, value]) => isRecords(value));
  const [list] = lists;
  if (list && lists.length === 1 && isList(answer)) return listView(answer, list[0], columns);
  return recordView(answer);
}

/** What says where a list goes on, by the option that takes it. */
const GOES_ON = ['nextCursor', 'nextAfter'];

/** Beside its records, a list has nothing but how to go on. */
const isList = (answer: Fields): boolean =>
  Object.keys(answer).filter((name) => !GOES_ON.includes(name)).length === 1;

function listView(answer: Fields, name: string, columns: number): string {
  const records = answer[name] as readonly Fields[];
  if (records.length === 0) return `no ${name}`;
  const known = COLUMNS[name] ?? scalarNames(records);
  const shown = known.filter((column) =>
    records.some((record) => fieldOf(record, column) !== undefined),
  );
  const rows = records.map((record) => shown.map((column) => cell(fieldOf(record, column))));
  const more = GOES_ON.map((field) => [field.slice('next'.length).toLowerCase(), answer[field]])
    .filter(([, place]) => typeof place === 'string')
    .map(([option, place]) => `\nmore: --${String(option)} ${plain(String(place))}`);
  return [table(shown, rows, columns), ...more].join('\n');
}

/** `job.state`: of the record that is the field `job`. */
const fieldOf = (record: Fields, column: string): unknown =>
  column
    .split('.')
    .reduce<unknown>((value, name) => (isFields(value) ? value[name] : undefined), record);

const scalarNames = (records: readonly Fields[]): string[] =>
  [...new Set(records.flatMap((record) => Object.keys(record)))]
    .filter((name) => records.every((record) => isScalar(record[name])))
    .slice(0, COLUMNS_MAX);

function recordView(record: Fields): string {
  const rows = Object.entries(record).flatMap(([name, value]) => rowsOf(name, value));
  return columnsOf(rows);
}

/** Records one level down get a row a field, so that `byStatus.pending` can be read off. */
function rowsOf(name: string, value: unknown): [string, string][] {
  const own = plain(name);
  if (isFields(value) && Object.values(value).every(isScalar) && Object.keys(value).length > 0) {
    return Object.entries(value).map(([inner, text]) => [`${own}.${plain(inner)}`, cell(text)]);
  }
  return [[own, cell(value)]];
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value) && value.every(isScalar)) {
    return value.length === 0 ? '–' : plain(value.map(String).join(', '));
  }
  if (typeof value === 'number' && !Number.isInteger(value)) return String(round(value));
  return plain(typeof value === 'string' ? value : JSON.stringify(value));
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;

export const asJson = (answer: unknown): string => JSON.stringify(answer, null, 2);
