import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AthenaClient, NonRetryable, TaskCancelledError, defineTask } from '@athena/sdk';
import { z } from 'zod';
import { TestAthena } from './index.js';

const price = defineTask({
  name: 'price',
  input: z.object({ item: z.string(), count: z.number().default(1) }),
  output: z.object({ total: z.number(), at: z.iso.datetime().transform((text) => new Date(text)) }),
  requirements: ['till'],
});

describe('a typed task from end to end', () => {
  let athena: TestAthena;
  let client: AthenaClient;
  beforeEach(async () => {
    athena = await TestAthena.start();
    client = await athena.client();
  });
  afterEach(() => athena.stop());

  const till = async (total: (item: string, count: number) => number): Promise<void> => {
    const agent = athena.newAgent({ id: 'till', capabilities: ['till'] });
    agent.handle(price, ({ item, count }) => ({
      total: total(item, count),
      at: '2030-01-01T00:00:00Z',
    }));
    await agent.start();
  };
  const attemptsOf = (taskId: string): number =>
    athena.events(taskId).filter(({ type }) => type === 'TaskStarted').length;

  it('gives the handler its defaults, and the result as the schema reads it', async () => {
    await till((item, count) => item.length * count);
    const handle = await client.submit(price, { item: 'bread' });
    expect(await athena.until(handle.result())).toEqual({
      total: 5,
      at: new Date('2030-01-01T00:00:00Z'),
    });
  });

  it('is not tried again after an error that says so', async () => {
    await till(() => {
      throw new NonRetryable('out of stock', { code: 'SOLD_OUT' });
    });
    const handle = await client.submit(price, { item: 'bread' });
    await expect(athena.until(handle.result())).rejects.toMatchObject({
      name: 'TaskFailedError',
      error: { code: 'SOLD_OUT', message: 'out of stock' },
      task: { status: 'failed', deadLettered: false },
    });
    expect(attemptsOf(handle.taskId)).toBe(1);
  });

  it.each([
    ['an input that does not fit', { item: 7 }, 'INVALID_INPUT'],
    ['a result that does not fit', { item: 'nothing' }, 'INVALID_RESULT'],
  ])('is not tried again with %s', async (_what, content, code) => {
    await till((item) => (item === 'nothing' ? ('free' as never) : 1));
    const task = { content, taskType: 'price', requirements: ['till'] };
    const { taskId } = await client.tasks.create(task);
    const finished = await athena.until(client.tasks.wait(taskId));
    expect(finished).toMatchObject({ status: 'failed', error: { code } });
    expect(attemptsOf(taskId)).toBe(1);
  });

  it('ends the wait for it when it is cancelled, or when the time is over', async () => {
    const handle = await client.submit(price, { item: 'bread' });
    await expect(athena.until(handle.result({ timeoutMs: 5_000 }))).rejects.toMatchObject({
      code: 'WAIT_TIMEOUT',
    });
    const result = handle.result();
    await handle.cancel();
    await expect(athena.until(result)).rejects.toThrow(TaskCancelledError);
  });
});
