import { finished } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from } from 'pg-copy-streams';
import { BinaryWriter, type ScalarType } from './binary.js';
import { quoted } from './row-table.js';

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const NO_FLAGS = 0;
const NO_EXTENSION = 0;
const END = -1;
const CHUNK_BYTES = 256 * 1024;

/** Rows for COPY in its binary form: each value is written once, straight into the buffer. */
export class CopyRows {
  readonly #writer = new BinaryWriter(CHUNK_BYTES);
  readonly #fields: number;

  constructor(fields: number) {
    this.#fields = fields;
    this.#writer.raw(SIGNATURE);
    this.#writer.int32(NO_FLAGS);
    this.#writer.int32(NO_EXTENSION);
  }

  /** Begins a row; its fields follow, in the columns' order. */
  row(): void {
    this.#writer.int16(this.#fields);
  }

  field(type: ScalarType, value: unknown): void {
    this.#writer.field(type, value);
  }

  /** A field of a `json` column whose text is there already. */
  jsonText(text: string): void {
    this.#writer.jsonText(text);
  }

  /** No row can be added afterwards. */
  end(): Buffer {
    this.#writer.int16(END);
    return this.#writer.bytes();
  }
}

/** Appends rows to a table in the client's open transaction. */
export async function copyInto(
  client: PoolClient,
  table: string,
  columns: readonly string[],
  rows: CopyRows,
): Promise<void> {
  const names = columns.map(quoted).join(', ');
  const text = `copy ${quoted(table)} (${names}) from stdin with (format binary)`;
  const stream = client.query(from(text));
  stream.end(rows.end());
  await finished(stream);
}
