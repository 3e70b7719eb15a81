import { EntitySchema, type ColumnType as EntityColumnType } from 'typeorm';
import type { Column, ColumnType } from './projection.js';

const TYPES: Readonly<Record<ColumnType, EntityColumnType>> = {
  text: 'text',
  'text[]': 'text',
  uuid: 'uuid',
  json: 'json',
  jsonb: 'jsonb',
  int4: 'integer',
  int8: 'bigint',
  float8: 'double precision',
  bool: 'boolean',
  timestamptz: 'timestamp with time zone',
  bytea: 'bytea',
};

/** What TypeORM knows of a table that bulk statements write: the same columns, said once. */
export const entityOf = (definition: {
  readonly table: string;
  readonly key: readonly string[];
  readonly columns: readonly Column[];
}): EntitySchema =>
  new EntitySchema({
    name: definition.table,
    tableName: definition.table,
    columns: Object.fromEntries(
      definition.columns.map(({ name, type, nullable = false }) => [
        name,
        {
          type: TYPES[type],
          array: type === 'text[]',
          nullable,
          primary: definition.key.includes(name),
        },
      ]),
    ),
  });
