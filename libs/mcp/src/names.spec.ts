import { describe, expect, it } from '@jest/globals';
import { operations } from '@athena/contracts';
import fc from 'fast-check';
import { schemaOf } from './json-schema.js';
import { camelName, snakeName } from './names.js';
import { namesIn, shapeOf, toOperation, toTool } from './shape.js';

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);
const hump = fc.stringMatching(/^[A-Z][a-z0-9]{0,6}$/);
const name = fc
  .tuple(word, fc.array(hump, { maxLength: 3 }))
  .map(([first, rest]) => [first, ...rest].join(''));

describe('names of tools', () => {
  it('are turned back into those of operations', () => {
    fc.assert(fc.property(name, (own) => expect(camelName(snakeName(own))).toBe(own)));
  });

  it('hold small letters only, and tell any two names apart', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(snakeName(a)).toMatch(/^[a-z0-9_]+$/);
        expect(snakeName(a) === snakeName(b)).toBe(a === b);
      }),
    );
  });

  it('are so for every name that an operation declares', () => {
    const sides = ['input', 'output'] as const;
    const declared = operations.flatMap((operation) =>
      sides.flatMap((side) => namesIn(shapeOf(schemaOf(operation, side)))),
    );
    expect(declared.length).toBeGreaterThan(100);
    for (const own of new Set(declared)) expect(camelName(snakeName(own))).toBe(own);
  });
});

describe('values with the names of tools', () => {
  const shape = shapeOf({
    type: 'object',
    properties: {
      taskId: { type: 'string' },
      someList: { type: 'array', items: { type: 'object', properties: { oneName: {} } } },
      anyValue: {},
      byName: { type: 'object', additionalProperties: { type: 'number' } },
    },
  });
  const value = fc.record({
    taskId: fc.string(),
    someList: fc.array(fc.record({ oneName: fc.string() }), { minLength: 1 }),
    anyValue: fc.dictionary(name, fc.oneof(fc.string(), fc.double({ noNaN: true }))),
    byName: fc.dictionary(name, fc.integer(), { minKeys: 1 }),
  });

  it('are turned back whole; names inside data are left as they are', () => {
    fc.assert(
      fc.property(value, (own) => {
        const told = toTool(own, shape) as Record<string, unknown>;
        expect(Object.keys(told)).toEqual(['task_id', 'some_list', 'any_value', 'by_name']);
        expect(toOperation(told, shape)).toEqual(own);
      }),
    );
  });

  it('keep a key that reaches for prototypes a key', () => {
    const evil = JSON.parse('{"__proto__":{"taskId":"x"}}') as object;
    expect(Object.keys(toOperation(evil, shape) as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['taskId']).toBeUndefined();
  });
});
