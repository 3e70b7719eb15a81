import type { EventDefinition, NewEvent } from '@athena/operation';
import { describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { accessEvents, agentEvents, taskEvents } from './index.js';

/*
 * One golden a version, append-only: what was once written to the log must be read for ever.
 * If one of these fails, the shape of stored events was edited: add a version instead.
 */
const folder = new URL('../goldens/', import.meta.url);
const definitions: readonly EventDefinition[] = [...taskEvents, ...agentEvents, ...accessEvents];
const versions = definitions.flatMap((definition) =>
  Array.from({ length: definition.version }, (_, n) => ({ ...definition, version: n + 1 })),
);
const fileOf = ({ type, version }: EventDefinition): string => `${type}.v${version}.json`;

describe('golden events', () => {
  it('stand for every version of every event, and for nothing else', () => {
    expect(readdirSync(folder).sort()).toEqual(versions.map(fileOf).sort());
  });

  it.each(versions.map((definition) => [fileOf(definition), definition] as const))(
    '%s is read without loss',
    (file, definition) => {
      const event = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as NewEvent;
      expect(event).toMatchObject({ type: definition.type, v: definition.version });
      expect(definition.data.parse(event.data)).toEqual(event.data);
    },
  );
});
