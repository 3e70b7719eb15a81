import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { OTHER_ID, TASK_ID, taskRecordOf } from './scenarios/records.scenario.js';
import { ScriptedGateway } from './scenarios/scripted-gateway.scenario.js';
import { AthenaClient } from './client.js';
import {
  BatchRefusedError,
  TaskBlockedError,
  TaskCancelledError,
  TaskFailedError,
} from './errors.js';
import { defineTask } from './task/definition.js';

const double = defineTask({
  name: 'double',
  input: z.object({ n: z.number() }),
  output: z.object({ doubled: z.number() }),
  requirements: ['arithmetic'],
  defaults: { priority: 'high' },
});
const created = { taskId: TASK_ID, status: 'pending', created: true, seq: 12 };
const unavailable = {
  status: 503,
  headers: { 'content-type': 'application/problem+json' },
  body: { code: 'UNAVAILABLE', detail: 'no owner', retryable: true, requestId: 'r1' },
};

describe('a client over HTTP', () => {
  let gateway: ScriptedGateway;
  let client: AthenaClient;
  beforeAll(async () => {
    gateway = await ScriptedGateway.start();
    client = await AthenaClient.connect({ url: `${gateway.url}/`, apiKey: 'secret' });
  });
  afterAll(async () => {
    await client.close();
    await gateway.stop();
  });

  it('spreads an operation over method, path, query and body', async () => {
    gateway.answer({ body: { agents: [], nextCursor: null } });
    await client.agents.find({ requirements: ['a b', 'c'], limit: 5 });
    expect(gateway.seen[0]).toMatchObject({
      method: 'GET',
      url: '/v1/agents?capability=a+b&capability=c&limit=5',
      headers: { authorization: 'Bearer secret' },
      body: undefined,
    });

    gateway.answer({ body: { taskId: TASK_ID, status: 'cancelled' } });
    await client.tasks.cancel({ taskId: TASK_ID, reason: 'obsolete' });
    expect(gateway.seen[0]).toMatchObject({
      method: 'POST',
      url: `/v1/tasks/${TASK_ID}/cancel`,
      body: { reason: 'obsolete' },
    });
  });

  it('remembers the highest log position it was shown', async () => {
    gateway.answer({ status: 201, headers: { 'athena-seq': '41' }, body: created });
    await client.tasks.create({ taskType: 'x', content: 1 });
    gateway.answer({ status: 201, headers: { 'athena-seq': '40' }, body: created });
    await client.tasks.create({ taskType: 'x', content: 1 });
    expect(client.seq).toBe(41);
  });

  it('repeats a create that may pass, with one idempotency key', async () => {
    gateway.answer(unavailable, {}, { status: 201, body: created });

    const answer = await client.tasks.create({ taskType: 'x', content: 1 });

    const keys = gateway.seen.map(
      ({ body }) => (body as { idempotencyKey: string }).idempotencyKey,
    );
    expect(answer).toEqual(created);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('does not repeat a command that may have happened and has no key', async () => {
    gateway.answer({}, { status: 201, body: {} });

    const call = client.keys.create({ name: 'agent', scopes: ['agent'] });

    await expect(call).rejects.toMatchObject({ code: 'CONNECTION_LOST', outcomeUnknown: true });
    expect(gateway.seen).toHaveLength(1);
  });

  it('throws a refusal with everything the platform says about it', async () => {
    gateway.answer({
      status: 400,
      body: {
        code: 'INVALID_INPUT',
        detail: 'taskType: is required',
        retryable: false,
        field: 'taskType',
        requestId: 'r7',
      },
    });
    await expect(client.tasks.create({ taskType: '', content: 1 })).rejects.toMatchObject({
      name: 'AthenaError',
      code: 'INVALID_INPUT',
      detail: 'taskType: is required',
      retryable: false,
      field: 'taskType',
      requestId: 'r7',
      status: 400,
    });
    expect(gateway.seen).toHaveLength(1);
  });

  it('spends no more than its time on retries', async () => {
    gateway.answer(unavailable);
    const begun = performance.now();

    const call = client.tasks.get({ taskId: TASK_ID }, { timeoutMs: 400 });

    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 503 });
    expect(performance.now() - begun).toBeLessThan(1_500);
    expect(gateway.seen.length).toBeGreaterThan(1);
  });

  it('ends when its signal aborts', async () => {
    gateway.answer({ afterMs: 5_000, body: {} });
    const controller = new AbortController();
    const call = client.tasks.get({ taskId: TASK_ID }, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('changed my mind')), 20);
    await expect(call).rejects.toThrow('changed my mind');
  });

  it('says that nobody listens at the address', async () => {
    const gone = await ScriptedGateway.start();
    const { url } = gone;
    await gone.stop();
    const nobody = await AthenaClient.connect({ url, apiKey: 'x' });
    const call = nobody.system.health({}, { timeoutMs: 50 });
    await expect(call).rejects.toMatchObject({ code: 'CONNECTION_LOST', outcomeUnknown: false });
  });

  it('reads its address and key from a connection file', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'athena-sdk-spec-'));
    const path = join(dir, 'connection.json');
    const connection = { natsUrl: 'nats://x', project: 'default', apiKey: 'from-file' };
    await writeFile(path, JSON.stringify({ ...connection, gatewayUrl: gateway.url, services: {} }));
    gateway.answer({ body: { keys: [] } });

    const own = await AthenaClient.fromConnectionFile(path);
    await own.keys.list();

    expect(gateway.seen[0]?.headers.authorization).toBe('Bearer from-file');
    await writeFile(path, '{"gatewayUrl":"http://x"}');
    await expect(AthenaClient.fromConnectionFile(path)).rejects.toThrow(`${path} is no connection`);
    await rm(dir, { recursive: true });
  });

  describe('with a typed task', () => {
    it('submits it with the definition’s type, requirements and defaults', async () => {
      gateway.answer({ status: 201, body: created });

      const handle = await client.submit(
        double,
        { n: 2 },
        { dependencies: [{ taskId: OTHER_ID }] },
      );

      expect(handle.taskId).toBe(TASK_ID);
      expect(gateway.seen[0]).toMatchObject({
        url: '/v1/tasks',
        body: {
          taskType: 'double',
          content: { n: 2 },
          requirements: ['arithmetic'],
          priority: 'high',
          dependencies: [OTHER_ID],
        },
      });
    });

    it('refuses an input that does not fit before anything is sent', async () => {
      gateway.answer({ status: 201, body: created });
      const submitted = client.submit(double, { n: 'two' as never });
      await expect(submitted).rejects.toMatchObject({ code: 'INVALID_INPUT', field: 'input.n' });
      expect(gateway.seen).toEqual([]);
    });

    it('waits by long polls until there is a result', async () => {
      const running = taskRecordOf({ status: 'running' });
      const completed = taskRecordOf({ status: 'completed', result: { doubled: 4 } });
      gateway.answer({ body: running, afterMs: 100 }, unavailable, { body: completed });

      const result = await client.handle(double, TASK_ID).result();

      expect(result.doubled).toBe(4);
      expect(gateway.seen[0]?.url).toBe(`/v1/tasks/${TASK_ID}?wait=25000`);
    });

    it('gives up waiting when its time is over', async () => {
      gateway.answer({ body: taskRecordOf({ status: 'running' }), afterMs: 110 });
      const waited = client.handle(double, TASK_ID).result({ timeoutMs: 200 });
      await expect(waited).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
    });

    it.each([
      ['failed', TaskFailedError, 'the disk is full'],
      ['cancelled', TaskCancelledError, 'was cancelled'],
      ['blocked', TaskBlockedError, 'is blocked'],
    ] as const)('rejects when the task is %s', async (status, kind, words) => {
      const error = { message: 'the disk is full' };
      gateway.answer({ body: taskRecordOf({ status, error }) });
      const result = client.handle(double, TASK_ID).result();
      await expect(result).rejects.toThrow(kind);
      await expect(result).rejects.toThrow(words);
    });

    it('rejects a result that is not of the definition', async () => {
      gateway.answer({ body: taskRecordOf({ status: 'completed', result: { doubled: 'four' } }) });
      const result = client.handle(double, TASK_ID).result();
      await expect(result).rejects.toMatchObject({
        code: 'INVALID_RESULT',
        field: 'result.doubled',
      });
    });

    it('submits many in one request, and names those that were refused', async () => {
      const both = [{ input: { n: 1 } }, { input: { n: 2 } }];
      const results = [{ taskId: TASK_ID }, { taskId: OTHER_ID }];
      gateway.answer({ status: 201, body: { taskIds: [TASK_ID, OTHER_ID], results, seq: 3 } });
      const handles = await client.submitMany(double, both);
      expect(handles.map((handle) => handle.taskId)).toEqual([TASK_ID, OTHER_ID]);
      expect(gateway.seen).toHaveLength(1);

      const refusal = { code: 'UNKNOWN_DEPENDENCY', detail: 'no such task' };
      const partly = [{ taskId: TASK_ID }, { refusal }];
      gateway.answer({ status: 201, body: { taskIds: [TASK_ID, null], results: partly, seq: 3 } });
      const refused = client.submitMany(double, both);
      await expect(refused).rejects.toThrow(BatchRefusedError);
      await expect(refused).rejects.toMatchObject({ refusals: [{ index: 1, ...refusal }] });
    });
  });
});
