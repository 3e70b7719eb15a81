import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { queryTasks, TASK_NOT_FOUND } from '@athena/contracts';
import { Refused, serviceSubject } from '@athena/operation';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startNats, type RunningNats } from '../../../tools/stack/servers.mjs';
import type { ServiceHandler } from './calling.js';
import { OperationClient } from './operation-client.js';
import { ServiceEndpoint } from './service-endpoint.js';

const caller = { project: 'p', actor: 'key:k' };
const SUBJECT = serviceSubject('task-queue', queryTasks.name);

let server: RunningNats;
let nats: NatsConnection;
let client: OperationClient;
let endpoints: ServiceEndpoint[];
let errors: unknown[];

beforeAll(async () => {
  server = await startNats();
  nats = await connect({ servers: server.url, user: 'core', pass: server.core.password });
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});
beforeEach(() => {
  client = new OperationClient({ nats });
  endpoints = [];
  errors = [];
});
afterEach(async () => {
  client.close();
  await Promise.all(endpoints.map((endpoint) => endpoint.close()));
});

type Handle = ServiceHandler<typeof queryTasks>['handle'];
const nothing = { tasks: [], nextCursor: null };

async function serve(handle: Handle, handlingMax = 100): Promise<ServiceEndpoint> {
  const handlers = [{ operation: queryTasks, handle } as unknown as ServiceHandler];
  const onError = (error: unknown): void => void errors.push(error);
  const endpoint = new ServiceEndpoint({
    nats,
    service: 'task-queue',
    handlers,
    handlingMax,
    onError,
  });
  endpoints.push(endpoint);
  await nats.flush();
  return endpoint;
}
const query = (limit = 50): Promise<unknown> => client.call(queryTasks, { limit }, caller);
const codes = async (calls: readonly Promise<unknown>[]): Promise<string[]> => {
  const settled = await Promise.allSettled(calls);
  return settled.map((result) =>
    result.status === 'fulfilled' ? 'ok' : (result.reason as Refused).refusal.code,
  );
};

it('hands a handler its input and who asks', async () => {
  const seen: unknown[] = [];
  await serve(async (input, { project, actor }) => {
    seen.push([input, project, actor]);
    return { output: nothing, seq: 4 };
  });

  expect(await query(7)).toEqual({ output: nothing, seq: 4 });
  expect(seen).toEqual([[{ limit: 7 }, 'p', 'key:k']]);
});

it('one process of a service handles each item', async () => {
  let handled = 0;
  const count: Handle = async () => {
    handled++;
    return { output: nothing, seq: 1 };
  };
  await serve(count);
  await serve(count);

  await Promise.all(Array.from({ length: 20 }, () => query()));

  expect(handled).toBe(20);
});

it('refusals come back; anything else is INTERNAL, and told to whoever watches', async () => {
  await serve(async ({ limit }) => {
    if (limit === 1) throw Refused.because(TASK_NOT_FOUND, 'none');
    throw new Error('bug');
  });

  expect(await codes([query(1), query(2)])).toEqual(['TASK_NOT_FOUND', 'INTERNAL']);
  expect(String(errors)).toBe('Error: bug');
});

it('items of one message are handled together, and a quick one does not wait for a slow one', async () => {
  await serve(async ({ limit }) => {
    if (limit === 1) await pause(500);
    return { output: nothing, seq: limit };
  });
  const order: number[] = [];

  await Promise.all([1, 2, 3].map((limit) => query(limit).then(() => order.push(limit))));

  expect(order).toEqual([2, 3, 1]);
});

it('beyond the number that is handled at once: OVERLOADED', async () => {
  await serve(async () => {
    await pause(50);
    return { output: nothing, seq: 1 };
  }, 2);

  expect(await codes([query(), query(), query()])).toEqual(['ok', 'ok', 'OVERLOADED']);
});

it('a repeat of a message that is under way is not handled twice', async () => {
  let handled = 0;
  await serve(async () => {
    handled++;
    await pause(100);
    return { output: nothing, seq: 1 };
  });
  const item = { id: '1', op: queryTasks.name, ...caller, input: { limit: 1 } };
  const send = (): void => nats.publish(SUBJECT, JSON.stringify({ items: [item] }), { reply: 'r' });

  send();
  await pause(20);
  send();
  await pause(150);

  expect(handled).toBe(1);
});

it('a message that is none gets a refusal', async () => {
  await serve(async () => ({ output: nothing, seq: 1 }));

  const reply = await nats.request(SUBJECT, 'not JSON', { timeout: 1_000 });

  expect(reply.json()).toMatchObject({ items: [{ refusal: { code: 'INVALID_INPUT' } }] });
});

it('closing finishes what is under way and takes nothing new', async () => {
  const endpoint = await serve(async () => {
    await pause(100);
    return { output: nothing, seq: 1 };
  });
  const call = query();
  await pause(30);

  await endpoint.close();

  expect(await codes([call])).toEqual(['ok']);
  expect(
    await codes([client.call(queryTasks, { limit: 1 }, { ...caller, budgetMs: 100 })]),
  ).toEqual(['UNAVAILABLE']);
});
