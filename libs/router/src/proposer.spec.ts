import { beforeEach, describe, expect, it } from '@jest/globals';
import { SimulatedTime } from '@athena/event-log';
import type { OperationCaller } from '@athena/service-kit';
import { OPEN_TOGETHER_MS, Proposer } from './proposer.js';
import type { RouterFold } from './router-fold.js';

const PARTITIONS = [0, 1];

describe('a router that takes over', () => {
  let time: SimulatedTime;
  let rooms: number;
  /** By partition: lets its owner answer the opening. */
  let owners: Map<number, () => void>;
  let proposer: Proposer;
  beforeEach(async () => {
    time = new SimulatedTime();
    rooms = 0;
    owners = new Map();
    const operations = {
      call: (_operation: unknown, { partition }: { partition: number }) =>
        new Promise((resolve) =>
          owners.set(partition, () => resolve({ output: { routerEpoch: 1, seq: 1 } })),
        ),
    } as unknown as OperationCaller;
    const fold = { state: { partitions: PARTITIONS }, reached: async () => undefined };
    proposer = new Proposer({
      operations,
      fold: fold as unknown as RouterFold,
      timers: time,
      router: 'router.1',
      onOutcome: () => undefined,
      onRoom: () => (rooms += 1),
      onSuperseded: () => undefined,
    });
    proposer.open();
    await time.settle();
  });

  const answers = async (partition: number): Promise<void> => {
    owners.get(partition)?.();
    await time.settle();
  };
  const mayPropose = (): boolean[] => PARTITIONS.map((partition) => proposer.hasRoom(partition));

  it('proposes nothing while the one before could still fill up an agent elsewhere', async () => {
    await answers(0);
    expect(mayPropose()).toEqual([false, false]);
    await answers(1);
    expect(mayPropose()).toEqual([true, true]);
  });

  it('does not wait for long for a partition that nobody owns', async () => {
    await answers(0);
    const before = rooms;
    await time.advance(OPEN_TOGETHER_MS);
    expect(mayPropose()).toEqual([true, false]);
    expect(rooms).toBe(before + 1);
    await answers(1);
    expect(mayPropose()).toEqual([true, true]);
  });
});
