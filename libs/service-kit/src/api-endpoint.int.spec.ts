import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TASK_NOT_FOUND, cancelTask, createTask, operations } from '@athena/contracts';
import { INVALID_INPUT, Refused, apiSubject, type Operation, type Output } from '@athena/operation';
import { connect, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { startNats, type RunningNats } from '../../../tools/stack/servers.mjs';
import { ApiEndpoint, IDEMPOTENCY_HEADER, SEQ_HEADER } from './api-endpoint.js';
import type { Called, Caller, OperationCaller } from './calling.js';

const TASK = '01890000-0000-8000-8000-000000000000';

/** Answers as the services would, and notes what it was called with. */
class Recorder implements OperationCaller {
  readonly calls: { op: string; input: unknown; caller: Caller }[] = [];

  async call<T extends Operation>(
    { name }: T,
    input: unknown,
    caller: Caller,
  ): Promise<Called<Output<T>>> {
    this.calls.push({ op: name, input, caller });
    const { reason } = input as { reason?: string };
    if (reason === 'none') throw Refused.because(TASK_NOT_FOUND, 'no such task');
    return { output: { taskId: TASK } as Output<T>, seq: 40 + this.calls.length };
  }
}

let server: RunningNats;
let nats: NatsConnection;
let caller: Recorder;
let endpoint: ApiEndpoint;

beforeAll(async () => {
  server = await startNats();
  nats = await connect({ servers: server.url, user: 'core', pass: server.core.password });
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});
beforeEach(async () => {
  caller = new Recorder();
  endpoint = new ApiEndpoint({ nats, queue: 'gateway', operations, caller });
  await nats.flush();
});
afterEach(async () => {
  await endpoint.close();
});

const send = (
  name: string,
  body: unknown,
  head: Readonly<Record<string, string>> = {},
  project = 'p',
): Promise<Msg> => {
  const set = headers();
  for (const [key, value] of Object.entries(head)) set.set(key, value);
  const options = { timeout: 2_000, headers: set };
  return nats.request(apiSubject(project, name), JSON.stringify(body), options);
};
const errorOf = (reply: Msg): unknown[] => [
  reply.headers?.get('Nats-Service-Error-Code'),
  reply.headers?.get('Nats-Service-Error'),
];

describe('an application over NATS', () => {
  it('calls an operation with plain JSON and learns the position of the answer', async () => {
    const reply = await send(createTask.name, { content: 1, taskType: 't' });

    expect(reply.json()).toEqual({ taskId: TASK });
    expect(reply.headers?.get(SEQ_HEADER)).toBe('41');
    expect(caller.calls).toMatchObject([
      {
        op: 'task.create',
        input: { content: 1, taskType: 't', priority: 'medium' },
        caller: { project: 'p', actor: 'app:nats' },
      },
    ]);
  });

  it('may call every operation with a scope and no other', async () => {
    const names = operations.filter(({ scope }) => scope === undefined).map(({ name }) => name);
    expect(names).toContain('task.place');

    for (const name of [...names, 'nothing', 'task', 'task.create.more']) {
      expect(errorOf(await send(name, {}))).toEqual(['404', 'UNKNOWN_OPERATION']);
    }
    expect(caller.calls).toEqual([]);
  });

  it('is told what is wrong with an input', async () => {
    const reply = await send(cancelTask.name, { taskId: 'x' });

    expect(errorOf(reply)).toEqual(['400', INVALID_INPUT.code]);
    expect(reply.json()).toMatchObject({ code: INVALID_INPUT.code, field: 'taskId' });
  });

  it('gets a refusal as an error', async () => {
    const reply = await send(cancelTask.name, { taskId: TASK, reason: 'none' });

    expect(errorOf(reply)).toEqual(['404', TASK_NOT_FOUND.code]);
  });

  it('may send many items', async () => {
    const items = [{ taskId: TASK }, { taskId: TASK, reason: 'none' }, {}];

    const reply = await send(cancelTask.name, { items });

    expect(reply.json()).toMatchObject({
      items: [
        { taskId: TASK },
        { refusal: { code: TASK_NOT_FOUND.code } },
        { refusal: { code: INVALID_INPUT.code } },
      ],
    });
    expect(reply.headers?.get(SEQ_HEADER)).toBe('41');
  });

  it('may give the idempotency key as a header; the body goes before it', async () => {
    const task = { content: 1, taskType: 't' };
    await send(createTask.name, task, { [IDEMPOTENCY_HEADER]: 'k1' });
    await send(createTask.name, { ...task, idempotencyKey: 'k2' }, { [IDEMPOTENCY_HEADER]: 'k1' });
    await send(cancelTask.name, { taskId: TASK }, { [IDEMPOTENCY_HEADER]: 'k1' });

    const keys = caller.calls.map(
      ({ input }) => (input as { idempotencyKey?: string }).idempotencyKey,
    );
    expect(keys).toEqual(['k1', 'k2', undefined]);
  });

  it('is named by the broker, where it tells', async () => {
    const head = { 'Nats-Request-Info': JSON.stringify({ user: 'p.app.billing' }) };
    await send(cancelTask.name, { taskId: TASK }, head);
    await send(cancelTask.name, { taskId: TASK }, { 'Nats-Request-Info': 'no JSON' });
    await send(cancelTask.name, { taskId: TASK }, { 'Nats-Request-Info': '{"user":"a b"}' });

    const actors = caller.calls.map(({ caller: { actor } }) => actor);
    expect(actors).toEqual(['app:billing', 'app:nats', 'app:nats']);
  });

  it.each(['ä', '$SYS', 'a"b'])('is refused the project %j', async (project) => {
    const reply = await send(cancelTask.name, { taskId: TASK }, {}, project);

    expect(errorOf(reply)).toEqual(['400', INVALID_INPUT.code]);
  });
});
