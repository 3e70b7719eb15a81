import { beforeEach, describe, expect, it } from '@jest/globals';
import { limits } from '@athena/contracts';
import { CommandWindow } from './command-window.js';

describe('the window of commands', () => {
  let given: CommandWindow;
  beforeEach(() => {
    given = new CommandWindow();
  });

  it('knows what was done, with the session it opened', () => {
    given.record('a', 1_000, 7);

    expect(given.find('a', 2_000)?.session).toBe(7);
    expect(given.find('b', 2_000)).toBeUndefined();
  });

  it('forgets the oldest at its limit', () => {
    for (let n = 0; n <= limits.IDEMPOTENCY_KEYS_MAX; n++) given.record(`k${n}`, 1_000);

    expect(given.table.size).toBe(limits.IDEMPOTENCY_KEYS_MAX);
    expect(given.find('k0', 1_000)).toBeUndefined();
    expect(given.find('k1', 1_000)).toBeDefined();
  });

  it('drops what has expired, so that a quiet day leaves nothing behind', () => {
    given.record('old', 1_000);
    given.record('new', 1_000 + limits.IDEMPOTENCY_WINDOW_MS + 1);

    expect([...given.table.entries()].map(([key]) => key)).toEqual(['new']);
  });

  it('keeps its order over a load that hands the rows back in another', () => {
    given.record('first', 1_000);
    given.record('second', 1_000);
    const loaded = new CommandWindow();
    for (const [key, value] of [...given.table.entries()].reverse()) {
      loaded.table.restore(key, value);
    }
    loaded.reindex();

    for (let n = 0; n < limits.IDEMPOTENCY_KEYS_MAX - 1; n++) loaded.record(`k${n}`, 1_000);

    expect(loaded.find('first', 1_000)).toBeUndefined();
    expect(loaded.find('second', 1_000)).toBeDefined();
  });
});
