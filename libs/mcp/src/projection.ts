import { INVALID_INPUT, Refused } from '@athena/operation';
import type { JsonSchema } from './json-schema.js';

/** Which fields of an answer are told. Names are those of tools. */
export interface ProjectionSpec {
  /** The answer's list of records, where `shows` is about each of those. */
  readonly rows?: string;
  /** What is told beside the rows; default: everything. */
  readonly besides?: readonly string[];
  /** Told unless others are asked for; default: everything. */
  readonly shows?: readonly string[];
  /** Whether the caller may ask for other fields than `shows`. */
  readonly selectable?: boolean;
  /** Told with whatever is asked for: no use without them. */
  readonly always?: readonly string[];
  /** Told even where null or empty; the list of `rows` always is. */
  readonly keeps?: readonly string[];
}

type Fields = Record<string, unknown>;

/** Answers hold what was asked for and nothing else: tokens are paid for. */
export class Projection {
  /** Every field that can be asked for. */
  readonly names: readonly string[];
  readonly kept: ReadonlySet<string>;
  readonly #spec: ProjectionSpec;
  readonly #beside: ReadonlySet<string>;

  /** @param schema of the answer, renamed */
  constructor(schema: JsonSchema, spec: ProjectionSpec) {
    const { rows, keeps = [], besides } = spec;
    const of = rows === undefined ? schema : schema.properties?.[rows]?.items;
    this.names = Object.keys(of?.properties ?? {});
    this.kept = new Set(rows === undefined ? keeps : [rows, ...keeps]);
    this.#spec = spec;
    const declared = Object.keys(schema.properties ?? {});
    this.#beside = new Set(besides ?? declared.filter((name) => name !== rows));
    const unknown = spec.shows?.find((name) => !this.names.includes(name));
    if (unknown !== undefined) throw new Error(`the answer has no field ${unknown}`);
  }

  get selectable(): boolean {
    return this.#spec.selectable ?? false;
  }

  /** What an answer holds unless something else is asked for. */
  told(schema: JsonSchema): JsonSchema {
    const { rows, shows } = this.#spec;
    if (!shows) return schema;
    if (rows === undefined) return withProperties(schema, shows);
    const list = schema.properties?.[rows] ?? {};
    const items = withProperties(list.items ?? {}, shows);
    const beside = picked(schema.properties ?? {}, this.#beside) as Record<string, JsonSchema>;
    return { ...schema, properties: { [rows]: { ...list, items }, ...beside } };
  }

  /** @throws Refused INVALID_INPUT */
  selection(asked: unknown): ReadonlySet<string> {
    if (asked === undefined) return new Set(this.#spec.shows ?? this.names);
    if (!Array.isArray(asked)) throw invalid('fields', 'must be a list of names');
    asked.forEach((name: unknown, at) => {
      if (this.names.includes(name as string)) return;
      throw invalid(`fields.${at}`, `is none of ${this.names.join(', ')}`);
    });
    return new Set([...(this.#spec.always ?? []), ...(asked as string[])]);
  }

  apply(answer: Fields, selection: ReadonlySet<string>): Fields {
    const { rows } = this.#spec;
    if (rows === undefined) return picked(answer, selection);
    const records = (answer[rows] ?? []) as Fields[];
    const list = records.map((record) => picked(record, selection));
    return { ...picked(answer, this.#beside), [rows]: list };
  }
}

const withProperties = (schema: JsonSchema, names: readonly string[]): JsonSchema => ({
  ...schema,
  properties: picked(schema.properties ?? {}, new Set(names)) as Record<string, JsonSchema>,
});

const picked = (fields: Fields, names: ReadonlySet<string>): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => names.has(name)));

const invalid = (field: string, detail: string): Refused =>
  Refused.because(INVALID_INPUT, `${field}: ${detail}`, field);
