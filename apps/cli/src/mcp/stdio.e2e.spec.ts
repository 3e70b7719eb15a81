import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { tools } from '@athena/mcp';
import { GatewayWorld, ROOT_KEY } from '../../../../libs/gateway/src/gateway.scenario.js';
import {
  EXAMPLES,
  HOSTILE,
  TASK,
  type ToolAnswer,
} from '../../../../libs/gateway/src/http/mcp.scenario.js';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../../..');
const ATHENA = join(ROOT, 'apps/cli/bin/athena.mjs');
const PREFIX = 'orchestration_';
const ME = { name: 'spec', version: '1' };

let world: GatewayWorld;
let url: string;
let folder: string;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  world = await GatewayWorld.start();
  url = `http://127.0.0.1:${(await world.gateway()).port}`;
  folder = await mkdtemp(join(tmpdir(), 'athena-mcp-'));
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true });
});
beforeEach(() => world.services.reset());
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});

const programme = (env: Record<string, string>, args: readonly string[] = []) => ({
  command: process.execPath,
  args: [ATHENA, 'mcp', ...args],
  env,
});
const byEnvironment = () => programme({ ATHENA_URL: url, ATHENA_API_KEY: ROOT_KEY });

async function connected(program = byEnvironment()): Promise<Client> {
  const client = new Client(ME, { versionNegotiation: { mode: 'auto' } });
  open.push(client);
  await client.connect(new StdioClientTransport(program));
  return client;
}

async function call(
  client: Client,
  tool: string,
  args: Record<string, unknown>,
): Promise<ToolAnswer> {
  return (await client.callTool({ name: PREFIX + tool, arguments: args })) as ToolAnswer;
}

async function writeConnectionFile(): Promise<void> {
  const natsUrl = 'nats://127.0.0.1:1';
  const connection = { gatewayUrl: url, natsUrl, project: 'default', apiKey: ROOT_KEY };
  await writeFile(join(folder, 'connection.json'), JSON.stringify(connection));
}

type Programme = ReturnType<typeof programme>;

/** What docs/mcp.md has hosts start, with the reader's folders, address and key put in. */
async function documented(): Promise<Programme[]> {
  const page = await readFile(join(ROOT, 'docs/mcp.md'), 'utf8');
  const put = page
    .replaceAll('/path/to/athena/.athena', folder)
    .replaceAll('/path/to/athena', ROOT)
    .replaceAll('http://127.0.0.1:8080', url)
    .replaceAll('${ATHENA_API_KEY}', ROOT_KEY);
  const blocks = [...put.matchAll(/^```json\n([^]*?)^```$/gm)].map(([, text = '']) => text);
  const servers = blocks.flatMap((text) => {
    const { mcpServers = {} } = JSON.parse(text) as { mcpServers?: Record<string, Programme> };
    return Object.values(mcpServers);
  });
  return servers.filter(({ command }) => command !== undefined);
}

describe('athena mcp', () => {
  it('speaks the current revision, and answers every tool as the gateway does', async () => {
    const client = await connected();

    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    expect((await client.listTools()).tools).toHaveLength(tools.length);
    for (const { tool, args, operation, input, output, told } of EXAMPLES) {
      world.services.on(operation, () => output);
      const before = world.services.sent(operation).length;
      expect([tool, (await call(client, tool, args)).structuredContent]).toEqual([tool, told]);
      expect(world.services.sent(operation)[before]).toMatchObject({ input });
    }
  });

  it('speaks to older clients', async () => {
    world.services.on('task.start', () => ({ taskId: TASK, status: 'running' }));
    const client = new OlderClient(ME);
    open.push(client);
    await client.connect(new OlderTransport(byEnvironment()));

    const name = `${PREFIX}start_task`;
    const answer = await client.callTool({ name, arguments: { task_id: TASK } });

    expect((await client.listTools()).tools).toHaveLength(tools.length);
    expect(answer.structuredContent).toEqual({ status: 'running' });
  });

  it('refuses hostile arguments of every tool; none reaches a service', async () => {
    const client = await connected();
    for (const { definition } of tools) {
      for (const [args] of HOSTILE) {
        const tool = definition.name.slice(PREFIX.length);
        const answer = await call(client, tool, args);
        expect([tool, args, answer.structuredContent?.['code']]).toEqual([
          tool,
          args,
          'INVALID_INPUT',
        ]);
      }
    }
    expect(world.services.commands.filter(({ op }) => op !== 'agent.bind')).toEqual([]);
  });

  it('finds the gateway by the connection file of a data folder', async () => {
    await writeConnectionFile();
    const client = await connected(programme({}, ['--data-dir', folder]));

    const health = await call(client, 'get_health', {});

    expect(health.structuredContent).toMatchObject({ services: { gateway: { status: 'ok' } } });
  });

  it('is started by the configurations of hosts in the documentation', async () => {
    await writeConnectionFile();
    const programmes = await documented();
    expect(programmes).toHaveLength(2);
    for (const programme of programmes) {
      const health = await call(await connected(programme), 'get_health', {});
      expect(health.structuredContent).toMatchObject({ services: { gateway: { status: 'ok' } } });
    }
  });

  it('tells a wrong key as a refusal', async () => {
    const wrong = ROOT_KEY.replace('r'.repeat(32), 'q'.repeat(32));
    const client = await connected(programme({ ATHENA_URL: url, ATHENA_API_KEY: wrong }));
    expect(await call(client, 'get_health', {})).toMatchObject({
      isError: true,
      structuredContent: { code: 'UNAUTHENTICATED' },
    });
  });

  it('ends when the host closes its end', () => {
    const { command, args, env } = byEnvironment();
    expect(spawnSync(command, args, { env, input: '', timeout: 10_000 }).status).toBe(0);
  });

  it.each([
    [{ ATHENA_URL: 'http://127.0.0.1:1' }, 'ATHENA_URL is given, but no API key'],
    [{ ATHENA_DATA_DIR: '/nowhere' }, '/nowhere/connection.json'],
  ])('says on standard error what is missing', (env, said) => {
    const run = spawnSync(process.execPath, [ATHENA, 'mcp'], { env, encoding: 'utf8', input: '' });
    expect([run.status, run.stdout]).toEqual([1, '']);
    expect(run.stderr).toContain(said);
  });
});
