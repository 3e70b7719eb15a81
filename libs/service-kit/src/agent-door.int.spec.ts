import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@athena/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { STALE_LEASE, claimTasks, limits, registerAgent, startTask } from '@athena/contracts';
import { CONTACT_SUBJECT, Refused, agentSubject } from '@athena/operation';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { startNats, type RunningNats } from '../../../tools/stack/servers.mjs';
import { AgentDoor, type AgentCaller, type AgentVerb } from './agent-door.js';
import { Contacts } from './contacts.js';

const TASK = '01890000-0000-8000-8000-000000000000';

let server: RunningNats;
let nats: NatsConnection;
let asked: { input: unknown; agent: AgentCaller }[];
let errors: unknown[];
let door: AgentDoor;

beforeAll(async () => {
  server = await startNats();
  nats = await connect({ servers: server.url, user: 'core', pass: server.core.password });
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});
beforeEach(async () => {
  asked = [];
  errors = [];
  const observer = { onError: (error: unknown) => void errors.push(error) };
  const contacts = new Contacts(nats);
  door = new AgentDoor({ nats, queue: 'q', verbs, contacts, observer, requestsMax: 5 });
  await nats.flush();
});
afterEach(async () => {
  await door.close();
});

const start: AgentVerb<typeof startTask> = {
  operation: startTask,
  async handle(input, agent) {
    asked.push({ input, agent });
    if (input.lease === 'stale') throw Refused.because(STALE_LEASE, 'it ended');
    if (input.lease === 'bug') throw new Error('secret inside');
    if (input.lease === 'slow') await pause(200);
    return { output: { taskId: input.taskId, status: 'running', cancelled: [] }, seq: 3 };
  },
};
const register: AgentVerb<typeof registerAgent> = {
  operation: registerAgent,
  async handle(input, agent) {
    asked.push({ input, agent });
    const { agentId } = input;
    return { output: { agentId, registered: true, session: 1, heartbeatMs: 5, seq: 1 }, seq: 1 };
  },
};
const verbs = [start, register] as unknown as AgentVerb[];

const send = (verb: string, body: unknown, agentId = 'a1', project = 'p'): Promise<Msg> => {
  const bytes =
    typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  return nats.request(agentSubject(project, agentId, verb), bytes, { timeout: 2_000 });
};
const errorOf = (reply: Msg): unknown[] => [
  reply.headers?.get('Nats-Service-Error-Code'),
  reply.headers?.get('Nats-Service-Error'),
  reply.json<{ code: string }>().code,
];
const INVALID = ['400', 'INVALID_INPUT', 'INVALID_INPUT'];

describe('a verb', () => {
  it('is plain JSON in and out, with the agent of the subject as the actor', async () => {
    const reply = await send('start', { taskId: TASK, lease: 'l' });

    expect(reply.headers).toBeUndefined();
    expect(reply.json()).toEqual({ taskId: TASK, status: 'running', cancelled: [] });
    expect(asked).toMatchObject([
      {
        input: { taskId: TASK, lease: 'l' },
        agent: { project: 'p', agentId: 'a1', actor: 'agent:a1' },
      },
    ]);
  });

  it('takes identity from the subject only, never from the body', async () => {
    const reply = await send('register', { agentId: 'system', capabilities: [] });
    await send('start', { agentId: 'system', taskId: TASK });

    expect(reply.json()).toMatchObject({ agentId: 'a1' });
    expect(asked.map(({ agent }) => agent.actor)).toEqual(['agent:a1', 'agent:a1']);
    expect(asked[0]?.input).toMatchObject({ agentId: 'a1', maxConcurrentTasks: 5 });
    expect(asked[1]?.input).toEqual({ taskId: TASK });
  });

  it('answers refusals in the convention of NATS services', async () => {
    const reply = await send('start', { taskId: TASK, lease: 'stale' });

    expect(errorOf(reply)).toEqual(['409', 'STALE_LEASE', 'STALE_LEASE']);
    expect(reply.json()).toEqual({ code: 'STALE_LEASE', detail: 'it ended', retryable: false });
  });

  it('says nothing of what went wrong inside', async () => {
    const reply = await send('start', { taskId: TASK, lease: 'bug' });

    expect(errorOf(reply)).toEqual(['500', 'INTERNAL', 'INTERNAL']);
    expect(reply.string()).not.toContain('secret');
    expect(String(errors[0])).toContain('secret inside');
  });

  it('names the field that is at fault', async () => {
    const reply = await send('register', { capabilities: ['ok', ''] });

    expect(errorOf(reply)).toEqual(INVALID);
    expect(reply.json()).toMatchObject({ field: 'capabilities.1' });
  });

  it('beyond the number that is handled at once is refused', async () => {
    const slow = Array.from({ length: 5 }, () => send('start', { taskId: TASK, lease: 'slow' }));
    await until(() => asked.length === 5);

    const reply = await send('start', { taskId: TASK });

    expect(errorOf(reply)).toEqual(['429', 'OVERLOADED', 'OVERLOADED']);
    await Promise.all(slow);
  });
});

describe('many items in one request', () => {
  it('are answered in order, each for itself', async () => {
    const items = [
      { taskId: TASK, lease: 'slow' },
      { taskId: TASK, lease: 'stale' },
      { taskId: 7 },
    ];

    const reply = await send('start', { items });

    expect(reply.json()).toMatchObject({
      items: [
        { taskId: TASK, status: 'running' },
        { refusal: { code: 'STALE_LEASE' } },
        { refusal: { code: 'INVALID_INPUT', field: 'taskId' } },
      ],
    });
  });

  it.each([
    ['none', { items: [] }],
    ['too many', { items: Array(limits.ITEMS_MAX + 1).fill({ taskId: TASK }) }],
    ['no array', { items: {} }],
    ['something beside them', { items: [{ taskId: TASK }], taskId: TASK }],
  ])('with %s are refused', async (_what, body) => {
    expect(errorOf(await send('start', body))).toEqual(INVALID);
  });

  it('are known to the four verbs only', async () => {
    expect(errorOf(await send('register', { items: [] }))).toEqual(INVALID);
  });
});

describe('a malformed request gets an error, never silence', () => {
  const nested = '['.repeat(5_000) + ']'.repeat(5_000);
  it.each<[string, string | Uint8Array]>([
    ['no JSON', 'hello'],
    ['no object', '[1]'],
    ['null', 'null'],
    ['nothing', ''],
    ['bad UTF-8', Uint8Array.of(0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d)],
    ['a lone surrogate', `{"taskId":"${TASK}","lease":"\\ud800"}`],
    ['NUL', `{"taskId":"${TASK}","lease":"\\u0000"}`],
    ['a reach for the prototype', `{"taskId":"${TASK}","__proto__":{"status":"completed"}}`],
    ['depth', `{"taskId":${nested}}`],
    ['a field that does not exist', `{"taskId":"${TASK}","status":"completed"}`],
  ])('%s', async (_what, body) => {
    expect(errorOf(await send('start', body))).toEqual(INVALID);
    expect(asked).toEqual([]);
  });

  it('too many bytes', async () => {
    const reply = await send('start', 'x'.repeat(limits.REQUEST_BYTES_MAX + 1));

    expect(errorOf(reply)).toEqual(['413', 'PAYLOAD_TOO_LARGE', 'PAYLOAD_TOO_LARGE']);
  });

  it.each(['ä', 'a"b', '$SYS', 'x'.repeat(limits.CLIENT_ID_LENGTH_MAX + 1), 'a/b', 'ａ'])(
    'the id %j in the subject',
    async (id) => {
      expect(errorOf(await send('start', { taskId: TASK }, id))).toEqual(INVALID);
      expect(errorOf(await send('start', { taskId: TASK }, 'a1', id))).toEqual(INVALID);
      expect(asked).toEqual([]);
    },
  );
});

it('agents that were heard from are told together, at most once a second', async () => {
  const told: unknown[] = [];
  const listening = nats.subscribe(CONTACT_SUBJECT, {
    callback: (_error, message) => void told.push(message.json()),
  });
  await Promise.all(['a1', 'a2', 'a1'].map((agent) => send('start', { taskId: TASK }, agent)));
  await send('start', 'no JSON', 'a3');

  await until(() => told.length > 0);

  expect(told).toEqual([
    {
      agents: [
        ['p', 'a1'],
        ['p', 'a2'],
        ['p', 'a3'],
      ],
    },
  ]);
  listening.unsubscribe();
});

it('without a queue every process hears a request, and who is not meant keeps silent', async () => {
  let heard = 0;
  const claim = (tasks: [] | null): AgentVerb => ({
    operation: claimTasks,
    handle: async () => {
      heard++;
      return tasks && { output: { tasks, cancelled: [] }, seq: 1 };
    },
  });
  const doors = [[] as [], null].map((tasks) => new AgentDoor({ nats, verbs: [claim(tasks)] }));
  await nats.flush();

  const reply = await send('claim', { capacity: 1, waitMs: 0, claimId: 'c' });

  expect(reply.json()).toEqual({ tasks: [], cancelled: [] });
  await until(() => heard === 2);
  await Promise.all(doors.map((each) => each.close()));
});

it('closing finishes what is under way', async () => {
  const reply = send('start', { taskId: TASK, lease: 'slow' });
  await until(() => asked.length === 1);

  await door.close();

  expect((await reply).json()).toMatchObject({ status: 'running' });
});
