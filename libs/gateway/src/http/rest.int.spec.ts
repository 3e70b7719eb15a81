import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TASK_NOT_FOUND } from '@athena/contracts';
import { Refused, partitionOfId } from '@athena/operation';
import { GatewayWorld, ROOT_KEY, askAt, type Ask } from '../gateway.scenario.js';

const TASK = '01890000-0000-8000-8000-000000000000';
const ROOT_ID = ROOT_KEY.split('_')[1] as string;

let world: GatewayWorld;
let ask: Ask;
beforeAll(async () => {
  world = await GatewayWorld.start();
  ask = askAt(await world.gateway());
});
afterAll(() => world.stop());
beforeEach(() => {
  world.services.reset();
  world.lines.length = 0;
});

/** A key with these scopes, of project default. */
const keyWith = async (...scopes: string[]): Promise<string> => {
  const { body } = await ask('POST', '/v1/keys', { body: { name: 'spec', scopes } });
  return body['apiKey'] as string;
};

describe('an operation over REST', () => {
  it('is called as the key’s owner, in its project; answers status, output and seq', async () => {
    world.services.on('task.create', ({ id }) => ({
      taskId: id,
      status: 'pending',
      created: true,
    }));

    const answer = await ask('POST', '/v1/tasks', {
      body: { content: { a: 1 }, taskType: 'demo' },
    });

    const [sent] = world.services.sent('task.create');
    expect(sent).toMatchObject({
      project: 'default',
      actor: `key:${ROOT_ID}`,
      correlation: answer.headers.get('x-request-id'),
      input: { content: { a: 1 }, taskType: 'demo', priority: 'medium', maxAttempts: 3 },
    });
    expect(partitionOfId(sent?.id as string)).toBe(0);
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      taskId: sent?.id,
      status: 'pending',
      created: true,
      seq: Number(answer.headers.get('athena-seq')),
    });
  });

  it('takes the fields of its path, and refuses a body that names another thing', async () => {
    const path = `/v1/tasks/${TASK}/cancel`;
    await ask('POST', path, { body: { reason: 'late', taskId: TASK } });
    expect(world.services.sent('task.cancel')[0]?.input).toEqual({ taskId: TASK, reason: 'late' });

    const other = await ask('POST', path, { body: { taskId: TASK.replace('0189', '0190') } });

    expect(other).toMatchObject({ status: 400, body: { code: 'INVALID_INPUT', field: 'taskId' } });
    expect(world.services.commands).toHaveLength(1);
  });

  it('needs no body where every input is in the path', async () => {
    await ask('POST', `/v1/tasks/${TASK}/cancel`);
    await ask('POST', `/v1/tasks/${TASK}/cancel`, { body: '' });
    expect(world.services.sent('task.cancel')).toHaveLength(2);
  });

  it('reads queries by their own names, repeated ones as lists, numbers as numbers', async () => {
    await ask('GET', '/v1/agents?capability=a&capability=b%20c&limit=7&minSeq=3&status=online');
    expect(world.services.sent('agent.find')[0]?.input).toEqual({
      requirements: ['a', 'b c'],
      limit: 7,
      minSeq: 3,
      status: 'online',
    });

    await ask('GET', `/v1/tasks/${TASK}?wait=1ms`);
    expect(world.services.sent('task.get')[0]?.input).toEqual({ taskId: TASK, wait: 1 });
  });

  it.each([
    ['an unknown name', 'nope=1'],
    ['the input’s name of a renamed one', 'requirements=a'],
    ['a number that is none', 'limit=0x10'],
    ['one that may be given once, twice', 'limit=1&limit=2'],
    ['a control character', 'cursor=a%00b'],
    ['a name of the prototype', '__proto__=1'],
  ])('refuses a query with %s', async (_name, query) => {
    expect(await ask('GET', `/v1/agents?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_INPUT' },
    });
    expect(world.services.commands).toEqual([]);
  });

  it('refuses a query on a method that takes a body', async () => {
    const answer = await ask('POST', '/v1/tasks?taskType=demo', {
      body: { content: 1, taskType: 'x' },
    });
    expect(answer).toMatchObject({ status: 400, body: { field: 'taskType' } });
  });

  it('takes the idempotency key from header or body, but not two different ones', async () => {
    const task = { content: 1, taskType: 'demo' };
    const headers = { 'idempotency-key': 'k1' };
    await ask('POST', '/v1/tasks', { body: task, headers });
    await ask('POST', '/v1/tasks', { body: { ...task, idempotencyKey: 'k1' }, headers });
    await ask('POST', '/v1/dispatch', { body: { task }, headers });
    const differs = { body: { ...task, idempotencyKey: 'k2' }, headers };

    expect(await ask('POST', '/v1/tasks', differs)).toMatchObject({ status: 400 });
    const keys = world.services.sent('task.create').map(({ input }) => input);
    expect(keys).toMatchObject([{ idempotencyKey: 'k1' }, { idempotencyKey: 'k1' }]);
    expect(world.services.sent('task.dispatch')[0]?.input).toMatchObject({
      task: { idempotencyKey: 'k1' },
    });
  });

  it('keeps a sane request id and replaces any other', async () => {
    const idOf = async (given: string) =>
      (await ask('GET', '/v1/queue/metrics', { headers: { 'x-request-id': given } })).headers.get(
        'x-request-id',
      );
    expect(await idOf('req-1.a_B')).toBe('req-1.a_B');
    expect(await idOf('two words')).toMatch(/^[\w-]{16}$/);
    expect(await idOf('x'.repeat(65))).toMatch(/^[\w-]{16}$/);
  });

  it('answers a refusal as a problem with its status, code and what to do', async () => {
    world.services.on('task.get', () => {
      throw Refused.because(TASK_NOT_FOUND, `there is no task ${TASK}`, 'taskId');
    });

    const { status, headers, body } = await ask('GET', `/v1/tasks/${TASK}`);

    expect(status).toBe(404);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toEqual({
      type: 'urn:athena:refusal:TASK_NOT_FOUND',
      title: TASK_NOT_FOUND.summary,
      status: 404,
      code: 'TASK_NOT_FOUND',
      detail: `there is no task ${TASK}`,
      field: 'taskId',
      remedy: TASK_NOT_FOUND.remedy,
      requestId: headers.get('x-request-id'),
      retryable: false,
    });
  });

  it('tells when to come back where a service can’t answer', async () => {
    world.services.on('task.get', () => {
      throw new Refused({ code: 'UNAVAILABLE', detail: 'away', retryable: true });
    });
    const { status, headers } = await ask('GET', `/v1/tasks/${TASK}`);
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  });

  it('is answered with headers that forbid storing, sniffing and framing it', async () => {
    const { headers } = await ask('GET', '/v1/queue/metrics');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is told by HEAD as by GET, without the body', async () => {
    const { status, body } = await ask('HEAD', '/v1/queue/metrics');
    expect([status, body]).toEqual([200, { text: '' }]);
  });
});

describe('authentication', () => {
  it.each([
    ['no key', {}],
    ['a key in the wrong place', { 'x-api-key': ROOT_KEY }],
    ['another scheme', { authorization: `Basic ${ROOT_KEY}` }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['what is no key', { authorization: 'Bearer nonsense' }],
    ['a token without signature', { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }],
    ['an unknown id', { authorization: `Bearer ak_unknown12345_${'r'.repeat(32)}` }],
    ['a wrong secret', { authorization: `Bearer ${ROOT_KEY.slice(0, -1)}x` }],
  ])('refuses %s with 401, and says how to do it', async (_name, headers) => {
    const answer = await ask('GET', '/v1/queue/metrics', { key: null, headers });

    expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="athena"');
    expect(world.services.commands).toEqual([]);
    expect(world.lines).toContainEqual(expect.objectContaining({ audit: 'denied', status: 401 }));
  });

  it('never reads the key from the URL', async () => {
    const path = `/v1/queue/metrics?access_token=${ROOT_KEY}`;
    expect((await ask('GET', path, { key: null })).status).toBe(401);
  });

  it('refuses before the body is looked at', async () => {
    const answer = await ask('POST', '/v1/tasks', { key: null, body: '{"broken' });
    expect(answer.status).toBe(401);
  });

  it('refuses a key without the scope and names the scope', async () => {
    const key = await keyWith('tasks:read');
    const task = { content: 1, taskType: 'x' };

    const answer = await ask('POST', '/v1/tasks', { key, body: task });

    expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect(answer.body['detail']).toContain('tasks:write');
    expect((await ask('GET', '/v1/queue/metrics', { key })).status).toBe(200);
  });

  it('lets an agent’s key do what agents do, as an agent', async () => {
    const key = await keyWith('agent');
    const keyId = key.split('_')[1];

    await ask('POST', `/v1/tasks/${TASK}/start`, { key, body: { lease: 'l1' } });

    expect(world.services.sent('task.start')[0]?.actor).toBe(`agent-key:${keyId}`);
    expect((await ask('POST', `/v1/tasks/${TASK}/cancel`, { key })).status).toBe(403);
  });

  it('takes the project from the key alone', async () => {
    const body = { content: 1, taskType: 'x', project: 'other' };
    expect(await ask('POST', '/v1/tasks', { body })).toMatchObject({ status: 400 });
    expect(world.services.commands).toEqual([]);
  });

  it('leaves no key, no hash and no query in the log', async () => {
    await ask('GET', `/v1/tasks?cursor=${ROOT_KEY}`);
    await ask('GET', '/v1/tasks', { key: `${ROOT_KEY.slice(0, -1)}x` });
    const secret = ROOT_KEY.split('_')[2] as string;
    expect(world.lines.length).toBeGreaterThan(1);
    expect(JSON.stringify(world.lines)).not.toContain(secret.slice(0, -1));
  });
});

describe('projects and keys', () => {
  it('a new key works at once, a revoked one at once no more', async () => {
    const made = await ask('POST', '/v1/keys', { body: { name: 'n', scopes: ['tasks:read'] } });
    const { apiKey: key, keyId } = made.body as { apiKey: string; keyId: string };

    expect(made.status).toBe(201);
    expect((await ask('GET', '/v1/tasks', { key })).status).toBe(200);
    expect((await ask('DELETE', `/v1/keys/${keyId}`)).body).toEqual({ keyId, revoked: true });
    const after = await ask('GET', '/v1/tasks', { key });
    expect(after).toMatchObject({ status: 401, body: { detail: 'the API key was revoked' } });
  });

  it('are listed without secrets', async () => {
    const { body } = await ask('GET', '/v1/keys');
    expect(body['keys']).toContainEqual(expect.objectContaining({ keyId: ROOT_ID }));
    expect(JSON.stringify(body)).not.toMatch(/secret|apiKey|ak_/i);
  });

  it('of another project are out of reach for its admin, but not for default’s', async () => {
    await ask('POST', '/v1/projects', { body: { project: 'blue' } });
    const blue = { name: 'blue', scopes: ['admin', 'tasks:read'], project: 'blue' };
    const { apiKey: key } = (await ask('POST', '/v1/keys', { body: blue })).body as never;

    await ask('GET', '/v1/tasks', { key });
    expect(world.services.sent('task.query')[0]?.project).toBe('blue');
    const sneaky = { ...blue, project: 'default' };
    expect((await ask('POST', '/v1/keys', { key, body: sneaky })).status).toBe(403);
    expect((await ask('DELETE', `/v1/keys/${ROOT_ID}`, { key })).status).toBe(404);
    expect((await ask('POST', '/v1/projects', { key, body: { project: 'x' } })).status).toBe(403);
  });
});

describe('the system’s health', () => {
  it('is degraded and names who does not answer', async () => {
    world.services.on('task.query', () => ({}));
    const { status, body } = await ask('GET', '/v1/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ok', services: { gateway: { status: 'ok' } } });

    world.services.close();
    const { body: without } = await ask('GET', '/v1/health');
    expect(without).toMatchObject({
      status: 'degraded',
      services: {
        gateway: { status: 'ok' },
        router: { status: 'down' },
        'task-queue': { status: 'down' },
      },
    });
  });
});
