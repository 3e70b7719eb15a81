import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { Agent } from '../agent/agent.js';
import type { AthenaClient } from '../client.js';
import { defineTask } from './definition.js';

const price = defineTask({
  name: 'price',
  input: z.object({ item: z.string(), count: z.number().default(1) }),
  output: z.object({ total: z.number(), at: z.iso.datetime().transform((text) => new Date(text)) }),
});

/* The compiler is the judge here: `tsc` fails where an error that is expected does not occur. */
export async function typed(client: AthenaClient, agent: Agent): Promise<void> {
  const handle = await client.submit(price, { item: 'bread' }, { priority: 'high' });
  const { total, at } = await handle.result();
  const cents: number = total;
  const moment: Date = at;
  // @ts-expect-error the result has no such field
  const { sum } = await handle.result();
  // @ts-expect-error the input needs an item
  await client.submit(price, { count: 2 });
  // @ts-expect-error there is no such priority
  await client.submit(price, { item: 'bread' }, { priority: 'urgent' });
  // @ts-expect-error the type is the definition's
  await client.submit(price, { item: 'bread' }, { taskType: 'other' });
  // A default is filled in before the handler sees it; a transform runs where the result arrives.
  agent.handle(price, ({ item, count }) => ({
    total: item.length * count,
    at: '2030-01-01T00:00:00Z',
  }));
  // @ts-expect-error the output needs a time
  agent.handle(price, ({ count }) => ({ total: count }));
  // @ts-expect-error an agent is got by its id
  await client.agents.get({ taskId: 'x' });
  const { status } = await client.tasks.get({ taskId: handle.taskId });
  const known:
    'pending' | 'assigned' | 'running' | 'completed' | 'failed' | 'blocked' | 'cancelled' = status;
  void [cents, moment, sum, known];
}

describe('a defined task', () => {
  it('has no requirements and defaults unless they are given', () => {
    expect(price).toMatchObject({ name: 'price', requirements: [], defaults: {} });
  });

  it('has one handler in an agent', () => {
    const agent = new Agent({
      natsUrl: 'nats://127.0.0.1:1',
      project: 'default',
      agentId: 'a',
      apiKey: 'k',
      capabilities: [],
    });
    const pay = () => ({ total: 1, at: '2030-01-01T00:00:00Z' });
    agent.handle(price, pay);
    expect(() => agent.handle(price, pay)).toThrow('price has a handler already');
    expect(agent.agentId).toBe('a');
  });
});
