import type { PoolClient } from 'pg';
import { binaryArray } from './binary.js';
import type { Tally } from './projection.js';
import { quoted, type Row } from './row-table.js';

const SEPARATOR = '\u0000';

/** Gathers what a batch changes in the counts, and adds it to them. */
export class TallyTable {
  readonly #tally: Tally;
  readonly #name: string;
  readonly #text: string;

  constructor(tally: Tally, table: string) {
    this.#tally = tally;
    this.#name = `count_${table}`.slice(0, 63);
    const names = [...tally.columns, 'n'].map(quoted).join(', ');
    const parameters = tally.columns.map((_, n) => `$${n + 1}::text[]`);
    this.#text =
      `insert into ${quoted(table)} as t (${names}) ` +
      `select * from unnest(${parameters.join(', ')}, $${parameters.length + 1}::int8[]) ` +
      `on conflict (${tally.columns.map(quoted).join(', ')}) do update set n = t.n + excluded.n`;
  }

  /** Rows move from the group they stood in to the one they are in now; null: not there. */
  async count(
    client: PoolClient,
    moves: readonly { readonly stored: Row | null; readonly row: Row | null }[],
  ): Promise<void> {
    const changes = new Map<string, { readonly group: readonly string[]; n: number }>();
    for (const { stored, row } of moves) {
      if (stored) this.#add(changes, stored, -1);
      if (row) this.#add(changes, row, 1);
    }
    const effective = [...changes.values()].filter(({ n }) => n !== 0);
    if (effective.length === 0) return;
    const values = this.#tally.columns.map((_, part) =>
      binaryArray(
        'text',
        effective.map(({ group }) => group[part]),
      ),
    );
    const counts = binaryArray(
      'int8',
      effective.map(({ n }) => n),
    );
    await client.query({ name: this.#name, text: this.#text, values: [...values, counts] });
  }

  #add(
    changes: Map<string, { readonly group: readonly string[]; n: number }>,
    row: Row,
    by: number,
  ): void {
    const group = this.#tally.groupOf(row);
    const key = group.join(SEPARATOR);
    const change = changes.get(key);
    if (change) change.n += by;
    else changes.set(key, { group, n: by });
  }
}
