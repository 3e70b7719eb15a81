import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, until } from '@athena/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  startNats,
  startPostgres,
  type RunningNats,
  type RunningPostgres,
} from '../../../tools/stack/servers.mjs';

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..');
const API_KEY = `ak_${'a'.repeat(12)}_${'b'.repeat(32)}`;
const READY_MS_MAX = 30_000;
const SEPARATE = [
  'task-queue',
  'agent-registry',
  'router',
  'episodic-memory',
  'consolidation',
  'gateway',
];

interface Process {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly managementUrl: string;
  readonly exited: Promise<number | null>;
}

let nats: RunningNats;
let postgres: RunningPostgres;
let gatewayPort: number;
let processes: Process[] = [];

beforeAll(async () => {
  [nats, postgres] = await Promise.all([startNats(), startPostgres()]);
});
afterEach(async () => {
  for (const { child } of processes) child.kill('SIGKILL');
  await Promise.all(processes.map(({ exited }) => exited));
  processes = [];
});
afterAll(async () => {
  await Promise.all([nats.stop(), postgres.stop()]);
});

async function run(app: string, env: Record<string, string> = {}): Promise<Process> {
  const managementPort = await freePort();
  const child = spawn(process.execPath, [join(ROOT, 'apps', app, 'dist/main.js')], {
    env: {
      ...{ ...nats.env, ...postgres.env, ATHENA_BOOTSTRAP_KEY: API_KEY },
      ATHENA_HTTP_PORT: String(gatewayPort),
      ATHENA_MANAGEMENT_PORT: String(managementPort),
      ATHENA_LOG_MAX_BYTES: String(64 * 1024 ** 2),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => lines.push(...String(data).split('\n').filter(Boolean)));
  }
  const exited = new Promise<number | null>((done) => child.once('exit', (status) => done(status)));
  const managementUrl = `http://127.0.0.1:${managementPort}`;
  const started = { child, lines, managementUrl, exited };
  processes.push(started);
  return started;
}

const untilReady = ({ managementUrl, lines }: Process): Promise<void> => {
  const ready = (): Promise<boolean> =>
    fetch(`${managementUrl}/healthz/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  return until(ready, () => `ready: ${lines.join('\n')}`, READY_MS_MAX);
};

const rest = async (method: string, path: string, body?: object): Promise<[number, object]> => {
  const answer = await fetch(`http://127.0.0.1:${gatewayPort}${path}`, {
    method,
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  return [answer.status, (await answer.json()) as object];
};
const createTask = async (): Promise<string> => {
  const [status, task] = await rest('POST', '/v1/tasks', { content: 1, taskType: 'sum' });
  expect(status).toBe(201);
  return (task as { taskId: string }).taskId;
};

describe('a process', () => {
  it('whose environment is incomplete ends at once and says what is missing', async () => {
    gatewayPort = await freePort();
    const { exited, lines } = await run('standalone', { NATS_URL: '', DATABASE_URL: 'x' });

    expect(await exited).toBe(1);
    expect(lines.join()).toMatch(/NATS_URL is not set/);
    expect(lines.join()).toMatch(/DATABASE_URL must look like/);
  });

  it('with every service serves, stops on SIGTERM, and knows everything when it is back', async () => {
    gatewayPort = await freePort();
    const first = await run('standalone');
    await untilReady(first);
    const taskId = await createTask();

    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);
    for (const line of first.lines)
      expect(JSON.parse(line)).toMatchObject({ service: 'standalone' });

    const second = await run('standalone');
    await untilReady(second);
    expect(await rest('GET', `/v1/tasks/${taskId}`)).toMatchObject([200, { taskId }]);
  }, 40_000);

  it('that is killed loses nothing that was acknowledged', async () => {
    gatewayPort = await freePort();
    const first = await run('standalone');
    await untilReady(first);
    const taskIds = await Promise.all(Array.from({ length: 50 }, createTask));

    first.child.kill('SIGKILL');
    await first.exited;
    await untilReady(await run('standalone'));

    const answers = await Promise.all(taskIds.map((id) => rest('GET', `/v1/tasks/${id}`)));
    expect(answers.map(([status]) => status)).toEqual(taskIds.map(() => 200));
  }, 40_000);
});

it('the services run just as well in a process each', async () => {
  gatewayPort = await freePort();
  const started = [];
  for (const app of SEPARATE) started.push(await run(app));
  await Promise.all(started.map(untilReady));

  const taskId = await createTask();
  const [status, health] = await rest('GET', '/v1/health');

  expect(await rest('GET', `/v1/tasks/${taskId}`)).toMatchObject([200, { taskId }]);
  expect([status, health]).toMatchObject([200, { status: 'ok' }]);
  for (const { child } of started) child.kill('SIGTERM');
  expect(await Promise.all(started.map(({ exited }) => exited))).toEqual(SEPARATE.map(() => 0));
}, 60_000);
