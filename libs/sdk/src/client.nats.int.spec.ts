import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TASK_NOT_FOUND } from '@athena/contracts';
import { UNAVAILABLE } from '@athena/operation';
import { type Msg, type NatsConnection, connect } from '@nats-io/transport-node';
import { type RunningNats, startNats } from '../../../tools/stack/servers.mjs';
import { KEY, openGate } from './scenarios/gate.scenario.js';
import { OTHER_ID, TASK_ID, taskRecordOf } from './scenarios/records.scenario.js';
import { type Reply, inputsOf, ok, refused, respond } from './scenarios/replies.scenario.js';
import { AthenaClient } from './client.js';
import { RequestChannel } from './nats/request-channel.js';

interface Call {
  readonly subject: string;
  readonly inputs: Record<string, unknown>[];
}

describe('a client over NATS', () => {
  let nats: RunningNats;
  let core: NatsConnection;
  let callout: NatsConnection;
  let client: AthenaClient;
  let calls: Call[] = [];
  let reply: (input: Record<string, unknown>) => Reply | 'silence';

  beforeAll(async () => {
    nats = await startNats();
    core = await connect({ servers: nats.url, user: nats.core.user, pass: nats.core.password });
    const { user, password } = nats.callout;
    callout = await connect({ servers: nats.url, user, pass: password });
    openGate(callout, nats.calloutSeed);
    core.subscribe('athena.api.v1.*.task.>', { callback: (_error, message) => hear(message) });
    await Promise.all([core.flush(), callout.flush()]);
    client = await AthenaClient.connectNats({
      natsUrl: nats.url,
      project: 'default',
      name: 'spec',
      apiKey: KEY,
    });
  });
  afterAll(async () => {
    await client.close();
    await Promise.all([core.close(), callout.close()]);
    await nats.stop();
  });
  beforeEach(() => {
    calls = [];
  });

  const hear = (message: Msg): void => {
    const { inputs, many } = inputsOf(message) as { inputs: Call['inputs']; many: boolean };
    calls.push({ subject: message.subject, inputs });
    const replies = inputs.map((input) => reply(input));
    if (replies.includes('silence')) return;
    respond(message, replies as Reply[], many);
  };
  const record = ({ taskId }: Record<string, unknown>): Reply =>
    taskId === OTHER_ID ? refused(TASK_NOT_FOUND) : ok(taskRecordOf({ taskId: TASK_ID }));

  it('sends what is asked in one turn as one message, and tells the answers apart', async () => {
    reply = record;

    const [found, missing] = await Promise.allSettled([
      client.tasks.get({ taskId: TASK_ID }),
      client.tasks.get({ taskId: OTHER_ID }),
    ]);

    expect(calls).toEqual([
      {
        subject: 'athena.api.v1.default.task.get',
        inputs: [{ taskId: TASK_ID }, { taskId: OTHER_ID }],
      },
    ]);
    expect(found).toMatchObject({ value: { taskId: TASK_ID } });
    expect(missing).toMatchObject({ reason: { code: 'TASK_NOT_FOUND', retryable: false } });
  });

  it('understands the refusal of a single call', async () => {
    reply = record;
    await expect(client.tasks.get({ taskId: OTHER_ID })).rejects.toMatchObject({
      code: 'TASK_NOT_FOUND',
      status: 400,
    });
  });

  it('repeats only the items that were refused in passing, with their keys', async () => {
    let troubles = 1;
    reply = ({ content }) =>
      content === 2 && troubles-- > 0
        ? refused(UNAVAILABLE)
        : ok({ taskId: TASK_ID, status: 'pending', created: true, seq: 1 });

    await Promise.all([1, 2, 3].map((content) => client.tasks.create({ taskType: 'x', content })));

    const [first, second] = calls.map((call) => call.inputs) as [Call['inputs'], Call['inputs']];
    expect(first).toHaveLength(3);
    expect(second).toEqual([first[1]]);
  });

  it('lets a call that waits travel alone', async () => {
    reply = record;
    await Promise.all([
      client.tasks.get({ taskId: TASK_ID, wait: 10 }),
      client.tasks.get({ taskId: TASK_ID }),
      client.tasks.get({ taskId: TASK_ID, wait: '20ms' }),
    ]);
    expect(calls.map((call) => call.inputs.length)).toEqual([1, 1, 1]);
  });

  it('cuts what would not fit into one message', async () => {
    reply = () => ok({ taskId: TASK_ID, status: 'pending', created: true, seq: 1 });
    const content = 'x'.repeat(30_000);
    await Promise.all(
      Array.from({ length: 50 }, () => client.tasks.create({ taskType: 'x', content })),
    );
    const sizes = calls.map((call) => call.inputs.length);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(50);
    expect(sizes).toHaveLength(2);
  });

  it('gives up on silence when its time is over', async () => {
    reply = () => 'silence';
    const call = client.tasks.get({ taskId: TASK_ID }, { timeoutMs: 150 });
    await expect(call).rejects.toMatchObject({ code: 'TIMEOUT', outcomeUnknown: true });
  });

  it('says that nobody answers', async () => {
    const call = client.system.health({}, { timeoutMs: 150 });
    await expect(call).rejects.toMatchObject({ code: 'NO_RESPONDERS', retryable: true });
  });

  it('says that NATS does not let it ask there', async () => {
    const user = 'default.a1';
    const channel = await RequestChannel.open({ natsUrl: nats.url, user, apiKey: KEY });
    const asked = channel.request('athena.v1.default.a2.claim', '{}', { timeoutMs: 2_000 });
    await expect(asked).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
    await channel.close();
  });

  it('says at once that the key is wrong', async () => {
    const options = { natsUrl: nats.url, project: 'default', name: 'spec', apiKey: 'wrong' };
    await expect(AthenaClient.connectNats(options)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });
});
