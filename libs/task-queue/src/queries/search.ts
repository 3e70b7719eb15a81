import {
  isFinished,
  priority,
  taskStatus,
  type Priority,
  type TaskStatus,
} from '@athena/contracts';
import type { countTasks } from '@athena/contracts';
import type { Input } from '@athena/operation';

/** What tasks are searched by; each value reaches Postgres as a parameter. */
export type Search = Omit<Input<typeof countTasks>, 'minSeq'>;

export type Filter = keyof Search;

/** A statement under construction. */
export class Parameters {
  readonly values: unknown[];

  constructor(values: unknown[] = []) {
    this.values = values;
  }

  /** The place of a value in the text, such as `$3`. */
  add(value: unknown): string {
    return `$${this.values.push(value)}`;
  }
}

type Condition = (value: never, add: (value: unknown) => string) => string;

/** Filters by the condition they stand for. */
const CONDITIONS: Readonly<Record<Filter, Condition>> = {
  status: (value: TaskStatus | TaskStatus[], add) => `status = any(${add([value].flat())}::text[])`,
  agentId: (value: string, add) => `assigned_to = ${add(value)}`,
  taskType: (value: string, add) => `task_type = ${add(value)}`,
  priority: (value: Priority, add) => `priority = ${add(value)}`,
  batchId: (value: string, add) => `batch_id = ${add(value)}`,
  // As the index of dead letters says it.
  deadLettered: (value: boolean) => (value ? 'dead_lettered' : 'not dead_lettered'),
  createdAfter: (value: string, add) => `created_at > ${add(storable(value))}::timestamptz`,
  createdBefore: (value: string, add) => `created_at < ${add(storable(value))}::timestamptz`,
  finishedAfter: (value: string, add) => `completed_at > ${add(storable(value))}::timestamptz`,
  finishedBefore: (value: string, add) => `completed_at < ${add(storable(value))}::timestamptz`,
  text: (value: string, add) =>
    `task_words_v2(content, error) @@ websearch_to_tsquery('simple', ${add(wordsOf(value))})`,
  metadata: (value: string[], add) => `task_facts_v2(metadata) @@ ${add(factsOf(value))}::tsquery`,
};

export const FILTERS = Object.keys(CONDITIONS) as readonly Filter[];

/** The conditions of all filters but those that the caller sees to itself. */
export const conditionsOf = (
  search: Search,
  parameters: Parameters,
  without: readonly Filter[] = [],
): string[] =>
  FILTERS.filter((filter) => search[filter] !== undefined && !without.includes(filter)).map(
    (filter) => CONDITIONS[filter](search[filter] as never, (value) => parameters.add(value)),
  );

export const statusesOf = ({ status }: Search): readonly TaskStatus[] =>
  status === undefined ? taskStatus.options : [...new Set([status].flat())];

export const finishedOnly = (statuses: readonly TaskStatus[]): readonly TaskStatus[] =>
  statuses.filter(isFinished);

/** Lowest first: a priority's place is its rank. */
export const PRIORITIES: readonly Priority[] = priority.options;

/** Postgres knows no year 0; nothing was created before 1970 either. */
const storable = (instant: string): string =>
  new Date(Math.max(0, Date.parse(instant))).toISOString();

/** Punctuation parts words, as it does in what is searched; a quote or a minus before one stays. */
const wordsOf = (text: string): string =>
  text.replaceAll(/[!#-,./:-@[-`{-~]|(?<=[^\s"])-|-(?![\p{L}\p{N}"])/gu, ' ');

/** All of the facts, each as one lexeme, whatever it is made of. */
const factsOf = (facts: readonly string[]): string =>
  facts.map((fact) => `'${fact.replaceAll(/['\\]/g, (sign) => sign + sign)}'`).join(' & ');
