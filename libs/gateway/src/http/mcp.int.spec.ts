import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TASK_NOT_FOUND } from '@athena/contracts';
import { tools } from '@athena/mcp';
import { Refused } from '@athena/operation';
import { GatewayWorld, ROOT_KEY, askAt, type Ask } from '../gateway.scenario.js';
import type { Gateway } from '../gateway.js';
import { EXAMPLES, HOSTILE, HOSTS, TASK, type Host } from './mcp.scenario.js';

let world: GatewayWorld;
let gateway: Gateway;
let ask: Ask;
const hosts: Host[] = [];
beforeAll(async () => {
  world = await GatewayWorld.start();
  gateway = await world.gateway();
  ask = askAt(gateway);
});
afterAll(() => world.stop());
beforeEach(() => {
  world.services.reset();
  world.lines.length = 0;
});
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

const [[, connectCurrent]] = HOSTS as [(typeof HOSTS)[number]];

async function hostWith(key = ROOT_KEY, connect = connectCurrent): Promise<Host> {
  const url = new URL(`http://127.0.0.1:${gateway.port}/mcp`);
  const host = await connect(url, { authorization: `Bearer ${key}` });
  hosts.push(host);
  return host;
}

const keyWith = async (...scopes: string[]): Promise<string> => {
  const { body } = await ask('POST', '/v1/keys', { body: { name: 'spec', scopes } });
  return body['apiKey'] as string;
};

const rpc = (method: string, params: object = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
const ACCEPT = { accept: 'application/json, text/event-stream' };

describe.each(HOSTS)('MCP with %s', (_name, connect, version) => {
  it(`speaks ${version}, and lists every tool`, async () => {
    const host = await hostWith(ROOT_KEY, connect);

    const listed = await host.list();

    expect(host.version()).toBe(version);
    expect(listed.map(({ name }) => name)).toEqual(tools.map(({ definition }) => definition.name));
  });

  it('calls every tool as its operation, and tells what was asked for', async () => {
    const host = await hostWith(ROOT_KEY, connect);
    for (const { tool, args, operation, input, output, told } of EXAMPLES) {
      world.services.on(operation, () => output);
      const before = world.services.sent(operation).length;

      const answer = await host.call(tool, args);

      expect([tool, answer.structuredContent]).toEqual([tool, told]);
      expect(JSON.parse(answer.content[0]?.text ?? '')).toEqual(told);
      expect([tool, answer.isError ?? false]).toEqual([tool, false]);
      if (operation === 'system.health') continue;
      expect(world.services.sent(operation)[before]).toMatchObject({ input, project: 'default' });
    }
  });

  it('tells a refusal with its code, in the names of the tool', async () => {
    world.services.on('task.get', () => {
      throw Refused.because(TASK_NOT_FOUND, 'there is no such taskId', 'taskId');
    });
    const host = await hostWith(ROOT_KEY, connect);

    const answer = await host.call('get_task_status', { task_id: TASK });

    const told = { code: 'TASK_NOT_FOUND', detail: 'there is no such task_id', field: 'task_id' };
    expect(answer).toMatchObject({ isError: true, structuredContent: told });
  });

  it('answers an unknown tool with an error of the protocol', async () => {
    const host = await hostWith(ROOT_KEY, connect);
    await expect(host.call('no_such_tool', {})).rejects.toMatchObject({ code: -32602 });
  });
});

describe('MCP', () => {
  it('has an example of every tool but the health, which the gateway answers itself', async () => {
    const covered = new Set(EXAMPLES.map(({ tool }) => `orchestration_${tool}`));
    const missing = tools.map(({ definition }) => definition.name).filter((n) => !covered.has(n));
    expect(missing).toEqual(['orchestration_get_health']);

    const health = await (await hostWith()).call('get_health', {});

    expect(health.structuredContent).toMatchObject({ services: { gateway: { status: 'ok' } } });
  });

  it('refuses hostile arguments of every tool and names one of them', async () => {
    const host = await hostWith();
    for (const { definition } of tools) {
      const known = Object.keys(definition.inputSchema.properties ?? {});
      for (const [args, field] of HOSTILE) {
        const tool = definition.name.slice('orchestration_'.length);
        const answer = await host.call(tool, args);
        const { code, detail } = answer.structuredContent as { code: string; detail: string };
        expect([tool, args, answer.isError]).toEqual([tool, args, true]);
        expect([tool, code]).toEqual([tool, 'INVALID_INPUT']);
        if (!known.includes(field.split('.')[0] as string)) expect(detail).toContain(field);
      }
    }
    expect(world.services.commands.filter(({ op }) => op !== 'agent.bind')).toEqual([]);
  });

  it('refuses an argument under the operation’s name, and one that is given twice', async () => {
    const host = await hostWith();
    const nested = { tasks: [{ content: 1, taskType: 'demo' }] };
    expect((await host.call('create_tasks', nested)).structuredContent).toMatchObject({
      field: 'tasks.0.taskType',
      detail: 'tasks.0.taskType: is called task_type here',
    });
    const twice = { task_id: TASK, taskId: TASK };
    expect((await host.call('get_task_status', twice)).structuredContent).toMatchObject({
      field: 'taskId',
      detail: 'taskId: is called task_id here',
    });
  });

  it('lists and calls only what the key’s scopes permit', async () => {
    const host = await hostWith(await keyWith('tasks:read'));

    const names = (await host.list()).map(({ name }) => name);
    const refused = await host.call('create_task', { content: 1, task_type: 'demo' });

    expect(names).toContain('orchestration_query_tasks');
    expect(names).not.toContain('orchestration_create_task');
    expect(refused).toMatchObject({ isError: true, structuredContent: { code: 'FORBIDDEN' } });
    expect(world.services.sent('task.create')).toHaveLength(0);
    expect(world.lines).toContainEqual(expect.objectContaining({ audit: 'denied' }));
  });

  it('acts as an agent for a key that may only be one', async () => {
    world.services.on('agent.poll', () => ({ tasks: [], cancelled: [TASK] }));
    const host = await hostWith(await keyWith('agent'));

    const polled = await host.call('poll_tasks', { agent_id: 'a1' });

    expect(polled.structuredContent).toEqual({ tasks: [], cancelled: [TASK] });
    expect(world.services.sent('agent.poll')[0]?.actor).toMatch(/^agent-key:/);
  });

  it('counts calls as MCP’s, with the refusal’s code', async () => {
    const seen: unknown[] = [];
    const observed = await world.gateway({}, undefined, {
      mcp: (operation, _ms, code) => seen.push([operation, code]),
      rest: (operation) => seen.push(['rest', operation]),
    });
    world.services.on('task.start', () => ({ taskId: TASK, status: 'running' }));
    const url = new URL(`http://127.0.0.1:${observed.port}/mcp`);
    const host = await connectCurrent(url, { authorization: `Bearer ${ROOT_KEY}` });
    hosts.push(host);

    await host.call('start_task', { task_id: TASK });
    await host.call('start_task', { task_id: 'x' });

    expect(seen).toEqual([
      ['task.start', undefined],
      ['task.start', 'INVALID_INPUT'],
    ]);
  });

  it('says of an error inside only that it happened; the log has the rest', async () => {
    world.services.on('task.createBatch', () => ({ taskIds: 'no list', results: 'neither' }));
    const host = await hostWith();

    const answer = await host.call('create_tasks', { tasks: [{ content: 1, task_type: 'demo' }] });

    expect(answer).toMatchObject({ isError: true, structuredContent: { code: 'INTERNAL' } });
    expect(answer.content[0]?.text).not.toContain('flatMap');
    expect(world.lines).toContainEqual(
      expect.objectContaining({ level: 'error', requestId: expect.any(String) }),
    );
  });
});

describe('POST /mcp', () => {
  it('needs a key, as every route', async () => {
    const answer = await ask('POST', '/mcp', { body: rpc('tools/list'), key: null });
    expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  });

  it.each(['GET', 'DELETE', 'PUT', 'OPTIONS'])(
    'has no %s: there are no sessions',
    async (method) => {
      const answer = await ask(method, '/mcp');
      expect(answer).toMatchObject({ status: 405 });
      expect(answer.headers.get('allow')).toBe('POST');
      expect(answer.headers.get('mcp-session-id')).toBeNull();
    },
  );

  it.each(['2025-11-25', '2025-06-18', '2025-03-26'])('still speaks %s', async (version) => {
    const body = rpc('initialize', {
      protocolVersion: version,
      capabilities: {},
      clientInfo: { name: 'spec', version: '1' },
    });
    const { status, body: answered } = await ask('POST', '/mcp', { body, headers: ACCEPT });
    expect(status).toBe(200);
    expect(answered['text']).toContain(`"protocolVersion":"${version}"`);
  });

  it('does not answer web pages of other hosts, nor under other names', async () => {
    const body = rpc('tools/list');
    const from = (origin: string) => ask('POST', '/mcp', { body, headers: { ...ACCEPT, origin } });
    expect(await from('https://evil.example')).toMatchObject({ status: 403 });
    expect(await from('null')).toMatchObject({ status: 403 });
    expect(await from('http://localhost:6274')).toMatchObject({ status: 200 });
  });

  it.each([
    ['no JSON', '{', 400],
    ['a bare value', '7', 400],
    ['no JSON-RPC', '{}', 400],
    ['a prototype', '{"__proto__":{}}', 400],
    ['too much', ' '.repeat(1024 * 1024 + 1), 413],
  ])('refuses %s', async (_what, body, status) => {
    expect((await ask('POST', '/mcp', { body, headers: ACCEPT })).status).toBe(status);
  });

  it('refuses other media types', async () => {
    const headers = { ...ACCEPT, 'content-type': 'text/plain' };
    expect((await ask('POST', '/mcp', { body: rpc('ping'), headers })).status).toBe(415);
  });
});
