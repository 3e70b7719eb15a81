import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@athena/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTask, getTask, queryTasks, startTask } from '@athena/contracts';
import {
  NOT_OWNER,
  Refused,
  partitionSubject,
  refuse,
  serviceSubject,
  type WireAnswer,
  type WireCommand,
  type WireReply,
  type WireRequest,
} from '@athena/operation';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { startNats, type RunningNats } from '../../../tools/stack/servers.mjs';
import { ITEMS_PER_MESSAGE_MAX, MESSAGES_IN_FLIGHT_MAX } from './call-target.js';
import { encodeOpened, openedSubject } from './opened.js';
import { CALLS_WAITING_MAX, OperationClient } from './operation-client.js';

const SUBJECT = partitionSubject('task', 0);
const caller = { project: 'p', actor: 'key:k' };
const TASK = '01890000-0000-8000-8000-000000000000';
const newTask = createTask.input.parse({ content: 1, taskType: 't' });

let dir: string;
let server: RunningNats;
let asking: NatsConnection;
let owning: NatsConnection;
let client: OperationClient;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'athena-calls-'));
  server = await startNats({ dir });
});
afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  const login = { user: 'core', pass: server.core.password };
  const options = { servers: server.url, ...login, reconnectTimeWait: 50 };
  [asking, owning] = await Promise.all([connect(options), connect(options)]);
  client = new OperationClient({ nats: asking });
});
afterEach(async () => {
  client.close();
  await Promise.all([asking.close(), owning.close()]);
});

type Answering = (items: readonly WireCommand[], message: Msg) => WireReply | null;

/** An owner of our own making: hears messages and answers as the test says. */
async function owner(answer: Answering, subject = SUBJECT): Promise<WireRequest[]> {
  const heard: WireRequest[] = [];
  owning.subscribe(subject, {
    callback: (_error, message) => {
      const request = message.json<WireRequest>();
      heard.push(request);
      const reply = answer(request.items, message);
      if (reply) message.respond(JSON.stringify(reply));
    },
  });
  await owning.flush();
  return heard;
}
const ok = (ok: unknown, seq = 1): WireAnswer => ({ ok, seq });
const okToAll: Answering = (items) => ({ epoch: 1, items: items.map(({ id }) => ok(id)) });
const refusalOf = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'answered',
    (error: unknown) => (error as Refused).refusal.code,
  );

describe('calls issued together', () => {
  it('travel as one message and come back one by one, in order', async () => {
    const heard = await owner(okToAll);

    const calls = Array.from({ length: 100 }, (_, n) =>
      client.call(createTask, newTask, { ...caller, id: `id-${n}` }),
    );
    const outputs = (await Promise.all(calls)).map(({ output }) => output);

    expect(outputs).toEqual(Array.from({ length: 100 }, (_, n) => `id-${n}`));
    expect(heard).toHaveLength(1);
  });

  it('are cut by number, and gather while enough messages are under way', async () => {
    const held: Msg[] = [];
    const heard = await owner((_items, message) => (held.push(message), null));
    const calls = Array.from({ length: ITEMS_PER_MESSAGE_MAX * 6 }, () =>
      client.call(createTask, newTask, caller),
    );

    await until(() => heard.length === MESSAGES_IN_FLIGHT_MAX);
    await pause(100);
    expect(heard).toHaveLength(MESSAGES_IN_FLIGHT_MAX);

    const release = (message: Msg): void =>
      void message.respond(JSON.stringify(okToAll(message.json<WireRequest>().items, message)));
    while (held.length > 0) {
      release(held.shift() as Msg);
      await pause(20);
    }
    await Promise.all(calls);
    expect(heard.map(({ items }) => items.length)).toEqual(Array(6).fill(ITEMS_PER_MESSAGE_MAX));
  });

  it('are cut by bytes', async () => {
    const heard = await owner(okToAll);
    const large = { ...newTask, content: 'x'.repeat(30_000) };

    await Promise.all(Array.from({ length: 40 }, () => client.call(createTask, large, caller)));

    expect(heard.length).toBeGreaterThan(1);
    expect(heard.length).toBeLessThan(6);
  });

  it('never share a message with a call that waits', async () => {
    const heard = await owner((items) =>
      items.some(({ op }) => op === 'task.get') ? null : okToAll(items, null as never),
    );
    const waiting = client.call(getTask, { taskId: TASK, wait: 300 }, { ...caller, budgetMs: 200 });

    await client.call(startTask, { taskId: TASK }, caller);

    expect(heard.map(({ items }) => items.length)).toEqual([1, 1]);
    expect(await refusalOf(waiting)).toBe('UNAVAILABLE');
  });
});

describe('a command whose owner does not answer', () => {
  it('is repeated with the same id when the owner says that it is none', async () => {
    let asked = 0;
    const heard = await owner((items) =>
      ++asked < 3
        ? { items: items.map(() => ({ refusal: refuse(NOT_OWNER, 'gone') })) }
        : okToAll(items, null as never),
    );

    const { output } = await client.call(createTask, newTask, caller);

    const ids = heard.map(({ items }) => items[0]?.id);
    expect(ids).toHaveLength(3);
    expect(new Set(ids)).toEqual(new Set([output]));
  });

  it('is repeated when there is nobody yet', async () => {
    const call = client.call(createTask, newTask, caller);
    await pause(150);
    await owner(okToAll);

    expect((await call).seq).toBe(1);
  });

  it('is UNAVAILABLE when there never was anyone', async () => {
    const call = client.call(createTask, newTask, { ...caller, budgetMs: 300 });

    expect(await refusalOf(call)).toBe('UNAVAILABLE');
  });

  it('is OUTCOME_UNKNOWN when it was delivered; a query is just UNAVAILABLE', async () => {
    await owner(() => null);
    const brief = { ...caller, budgetMs: 1_100 };

    const codes = await Promise.all([
      refusalOf(client.call(createTask, newTask, brief)),
      refusalOf(client.call(getTask, { taskId: TASK }, brief)),
    ]);

    expect(codes).toEqual(['OUTCOME_UNKNOWN', 'UNAVAILABLE']);
  });

  it('is asked again as soon as another owner opens, and the first answer counts', async () => {
    let asked = 0;
    await owner(() => (++asked === 1 ? { epoch: 1, items: [ok('first')] } : null));
    await client.call(startTask, { taskId: TASK }, caller);
    const began = Date.now();
    const call = client.call(startTask, { taskId: TASK }, caller);
    await until(() => asked === 2);

    await owner((items) => ({ epoch: 2, items: items.map(() => ok('of the new owner')) }));
    owning.publish(openedSubject(SUBJECT), encodeOpened(2));

    expect((await call).output).toBe('of the new owner');
    expect(Date.now() - began).toBeLessThan(900);
  });
});

describe('epochs', () => {
  it('an answer of an older epoch than one that was seen is not believed', async () => {
    const epochs = [7, 6, 7];
    const heard = await owner((items) => ({
      epoch: epochs.shift() as number,
      items: items.map(() => ok(`of epoch ${[7, 6, 7][2 - epochs.length]}`)),
    }));

    const first = await client.call(startTask, { taskId: TASK }, caller);
    const second = await client.call(startTask, { taskId: TASK }, caller);

    expect([first.output, second.output]).toEqual(['of epoch 7', 'of epoch 7']);
    expect(heard).toHaveLength(3);
  });
});

describe('answers', () => {
  it('bring refusals as Refused', async () => {
    const refusal = { code: 'TASK_NOT_FOUND', detail: 'none', retryable: false };
    await owner(() => ({ epoch: 1, items: [{ refusal }] }));

    const call = client.call(startTask, { taskId: TASK }, caller);

    await expect(call).rejects.toEqual(new Refused(refusal));
  });

  it('may come in parts, in any order', async () => {
    await owner((items, message) => {
      const part = (at: number[]): WireReply =>
        ({ epoch: 1, at, items: at.map((index) => ok(items[index]?.id)) }) as WireReply;
      message.respond(JSON.stringify(part([2, 1])));
      return part([0]);
    });

    const calls = ['a', 'b', 'c'].map((id) => client.call(createTask, newTask, { ...caller, id }));

    expect((await Promise.all(calls)).map(({ output }) => output)).toEqual(['a', 'b', 'c']);
  });

  it('of operations that any process of a service serves carry no epoch', async () => {
    await owner(
      () => ({ items: [ok({ tasks: [], nextCursor: null }, 5)] }),
      serviceSubject('task-queue', 'task.query'),
    );

    const called = await client.call(queryTasks, { limit: 50 }, caller);

    expect(called).toEqual({ output: { tasks: [], nextCursor: null }, seq: 5 });
  });

  it('that are missing or unreadable become refusals, never silence', async () => {
    owning.subscribe(SUBJECT, { callback: (_error, message) => void message.respond('not JSON') });
    await owning.flush();

    expect(await refusalOf(client.call(createTask, newTask, caller))).toBe('INTERNAL');
  });
});

it('an input beyond the limit is refused before it is sent', async () => {
  const tasks = Array.from({ length: 60 }, () => ({ ...newTask, content: 'x'.repeat(30_000) }));

  const call = client.call(createTask, { ...newTask, content: tasks }, caller);

  expect(await refusalOf(call)).toBe('PAYLOAD_TOO_LARGE');
});

it('more calls than may wait in a process are refused', async () => {
  const waiting = Array.from({ length: CALLS_WAITING_MAX }, () =>
    refusalOf(client.call(getTask, { taskId: TASK }, caller)),
  );

  expect(await refusalOf(client.call(getTask, { taskId: TASK }, caller))).toBe('OVERLOADED');

  client.close();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['UNAVAILABLE']));
});

it('calls outlive a restart of the broker', async () => {
  let silent = true;
  const answering: Answering = (items) => (silent ? null : okToAll(items, null as never));
  const heard = await owner(answering);
  const underWay = client.call(createTask, newTask, { ...caller, id: 'before' });
  await until(() => heard.length === 1);

  const { port } = server;
  await server.kill();
  silent = false;
  const meanwhile = client.call(createTask, newTask, { ...caller, id: 'meanwhile' });
  server = await startNats({ dir, port });

  const outputs = (await Promise.all([underWay, meanwhile])).map(({ output }) => output);
  expect(outputs).toEqual(['before', 'meanwhile']);
});

it('closing gives up what is under way', async () => {
  await owner(() => null);
  const call = refusalOf(client.call(createTask, newTask, caller));
  await pause(50);

  client.close();

  expect(await call).toBe('OUTCOME_UNKNOWN');
});
