import { describe, expect, it } from '@jest/globals';
import { operations } from '@athena/contracts';
import type { Operation } from '@athena/operation';
import { groups } from './groups.js';

describe('the methods of a client', () => {
  it('are exactly the operations that have an outside surface', () => {
    const tables: Record<string, Operation>[] = Object.values(groups);
    const bound = tables.flatMap((group) => Object.values(group));
    const outside = operations.filter(({ scope }) => scope !== undefined);
    expect(bound.map(({ name }) => name).sort()).toEqual(outside.map(({ name }) => name).sort());
  });
});
