import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Table } from './table.js';

type Row = { n: number };

/** A table as it is after everything in it was stored, with rows 1 and 2. */
function stored(): Table<Row> {
  const table = new Table<Row>('row');
  table.set('1', { n: 1 });
  table.set('2', { n: 2 });
  table.takeChanges();
  return table;
}

describe('Table', () => {
  it('gives all rows the first time, and only changes after that', () => {
    const table = new Table<Row>('row');
    table.set('1', { n: 1 });
    table.set('gone', { n: 0 });
    table.delete('gone');
    expect(table.takeChanges()).toEqual({
      upserts: [{ table: 'row', key: '1', json: '{"n":1}' }],
      deletes: [],
    });
    expect(table.takeChanges()).toEqual({ upserts: [], deletes: [] });
  });

  it('takes a row at the moment of the checkpoint, whatever becomes of it later', () => {
    const table = stored();
    (table.edit('1') as Row).n = 10;
    const { upserts } = table.takeChanges();
    (table.edit('1') as Row).n = 11;
    expect(upserts).toEqual([{ table: 'row', key: '1', json: '{"n":10}' }]);
    expect(table.changed).toBe(1);
  });

  it('deletes what is stored, and says nothing of rows that came and went', () => {
    const table = stored();
    table.delete('1');
    table.set('brief', { n: 3 });
    table.delete('brief');
    expect(table.takeChanges()).toEqual({ upserts: [], deletes: [{ table: 'row', key: '1' }] });
  });

  it('after a restore deletes also what came and went: somebody else may have stored it', () => {
    const table = new Table<Row>('row');
    table.restore('1', { n: 1 });
    table.track();
    table.set('brief', { n: 3 });
    table.delete('brief');
    expect(table.takeChanges().deletes).toEqual([{ table: 'row', key: 'brief' }]);
  });

  it('has a change that was given back in the next one, as the row is then', () => {
    const table = stored();
    (table.edit('1') as Row).n = 10;
    table.delete('2');
    const failed = table.takeChanges();
    (table.edit('1') as Row).n = 11;
    table.giveBack(failed);
    expect(table.takeChanges()).toEqual({
      upserts: [{ table: 'row', key: '1', json: '{"n":11}' }],
      deletes: [{ table: 'row', key: '2' }],
    });
  });

  it('leaves the store equal to its rows, whichever saves fail', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom('set', 'edit', 'delete'), key, n: fc.nat(9) }),
      fc.record({ kind: fc.constantFrom('save', 'fail'), key, n: fc.nat(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const table = new Table<Row>('row');
        const store = new Map<string, string>();
        const save = (): void => {
          const { upserts, deletes } = table.takeChanges();
          for (const { key } of deletes) store.delete(key);
          for (const { key, json } of upserts) store.set(key, json);
        };
        save();
        for (const { kind, key, n } of steps) {
          const row = kind === 'edit' ? table.edit(key) : undefined;
          if (row) row.n = n;
          if (kind === 'set') table.set(key, { n });
          if (kind === 'delete') table.delete(key);
          if (kind === 'save') save();
          if (kind === 'fail') table.giveBack(table.takeChanges());
        }
        save();
        const rows = [...table.entries()].map(([key, row]) => [key, JSON.stringify(row)] as const);
        expect(new Map([...store].sort())).toEqual(new Map([...rows].sort()));
      }),
    );
  });
});
