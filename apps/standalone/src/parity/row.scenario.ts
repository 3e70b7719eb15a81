import type { Operation, Output, RawInput } from '@athena/operation';
import type { As, Life } from './life.scenario.js';

type Given<I> = (life: Life) => I | Promise<I>;

/** An input that is refused, and whose key it comes with where that is not the project's. */
type Refused<I> = Given<I> | { readonly as: As; readonly given: Given<I> };

/** How an operation is offered over MCP, where that is not mechanical. */
export interface OverMcp<T extends Operation> {
  readonly tool: string;
  /** Argument there → field, where another name was promised. */
  readonly renames?: Readonly<Record<string, string>>;
  /** The fields to ask for; default: all there are. */
  readonly fields?: readonly string[];
  /** What was promised instead of the operation's answer. */
  readonly tells?: (output: Output<T>) => unknown;
}

interface Cases<T extends Operation> {
  /** Tells of the project as a whole: asked while nothing else happens in it. */
  readonly whole?: boolean;
  /** As whom the good input is sent. */
  readonly as?: As;
  /** Absent where the answer tells of work under way, which each call finds at another stage. */
  readonly good?: Given<RawInput<T>>;
  /** Against the schema. Absent where there is no field that could be wrong. */
  readonly bad?: Readonly<Record<string, unknown>>;
  /** Per declared refusal; those in NOT_PROVOKED may be left out. */
  readonly refused?: Readonly<Record<string, Refused<RawInput<T>>>>;
  /** Declared refusals that an answer tells of single items. */
  readonly within?: Readonly<Record<string, Given<RawInput<T>>>>;
  readonly mcp?: string | OverMcp<T>;
}

export interface Row {
  readonly operation: Operation;
  readonly whole: boolean;
  readonly as: As;
  readonly good: Given<unknown> | undefined;
  readonly bad: Readonly<Record<string, unknown>> | undefined;
  readonly refused: Readonly<Record<string, Refused<unknown>>>;
  readonly within: Readonly<Record<string, Given<unknown>>>;
  readonly mcp: OverMcp<Operation> | undefined;
}

/** One operation's line of the table, its inputs checked against the operation's type. */
export function row<T extends Operation>(operation: T, cases: Cases<T>): Row {
  const { whole = false, as = 'own', good, bad, refused = {}, within = {}, mcp } = cases;
  const tool = typeof mcp === 'string' ? { tool: mcp } : mcp;
  const table = { operation, whole, as, good, bad, refused, within, mcp: tool };
  return table;
}

/** Refusals that no single input brings about, by code or by operation and code, and why. */
export const NOT_PROVOKED: Readonly<Record<string, string>> = {
  TOO_MANY_SCHEDULES: 'takes a thousand schedules',
  TOO_MANY_AGENTS: 'takes ten thousand agents',
  TOO_MANY_KEYS: 'takes a thousand keys',
  TOO_MANY_PAUSES: 'takes a hundred pauses',
  TOO_MANY_BULKS: 'takes ten bulk operations that are under way',
  'task.bulk NOT_CAUGHT_UP': 'it waits for what there is',
  TOO_MANY_PROJECTS: 'takes ten thousand projects',
  PAYLOAD_TOO_LARGE: 'how much fits is a matter of the door, not of the operation',
  UNAVAILABLE: 'takes a part that is away',
  'consolidation.trigger NOT_CAUGHT_UP': 'it waits for what there is',
  'log.verify NOT_CAUGHT_UP': 'it waits for what there is',
  PROJECTION_BUSY: 'takes a rebuild that is under way',
  PROGRESS_TOO_OFTEN: 'takes many reports within a second',
  PROGRESS_TOO_MUCH: 'takes a megabyte of progress',
  PARTITIONS_ONLY_GROW: 'takes a growth, which every other case would meet',
  GROWTH_UNDER_WAY: 'takes a growth that is under way',
};

/** One call, made on every surface, and what is to come of it. */
export interface Case {
  readonly name: string;
  readonly row: Row;
  readonly as: As;
  readonly given: Given<unknown>;
  /** The refusal, as a whole or of an item; absent: none. */
  readonly code?: string;
  readonly within?: boolean;
}

export function casesOf(row: Row): Case[] {
  const { operation, as, good, bad, refused, within } = row;
  const called = (name: string, more: Pick<Case, 'given'> & Partial<Case>): Case => ({
    ...{ name: `${operation.name} ${name}`, row, as },
    ...more,
  });
  const refusals = Object.entries(refused).map(([code, one]) =>
    called(`refuses ${code}`, { code, ...(typeof one === 'function' ? { given: one } : one) }),
  );
  const items = Object.entries(within).map(([code, given]) =>
    called(`refuses an item: ${code}`, { code, given, within: true }),
  );
  const wrong = bad && called('refuses bad input', { code: 'INVALID_INPUT', given: () => bad });
  const answers = good && called('answers', { given: good });
  return [...(answers ? [answers] : []), ...refusals, ...items, ...(wrong ? [wrong] : [])];
}
