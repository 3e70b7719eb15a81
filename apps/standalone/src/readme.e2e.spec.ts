import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LocalStack } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../../..');
/** Inside the checkout, so that `@athena/sdk` is found from there, and ignored by git. */
const PLACE = join(ROOT, 'node_modules/.cache/athena');

let stack: LocalStack;
let folder: string;

beforeAll(async () => {
  stack = await LocalStack.start();
  folder = await mkdtemp(join(tmpdir(), 'athena-readme-'));
  await mkdir(join(folder, '.athena'));
  await mkdir(PLACE, { recursive: true });
  const { url: gatewayUrl, natsUrl, project, apiKey } = stack;
  const connection = { gatewayUrl, natsUrl, project, apiKey, services: {} };
  await writeFile(join(folder, '.athena/connection.json'), JSON.stringify(connection));
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('what the README shows', () => {
  it('greets', async () => {
    const script = join(PLACE, `greet-${process.pid}.mjs`);
    await writeFile(script, await readFile(join(ROOT, 'docs/snippets/greet.ts')));
    const { stdout } = await promisify(execFile)(process.execPath, [script], { cwd: folder });
    await rm(script);
    expect(stdout).toContain("{ text: 'Hello, Ada' }");
  }, 30_000);

  it('has an agent with nothing but a NATS client', async () => {
    const env = { ...process.env, NATS_URL: stack.natsUrl, ATHENA_API_KEY: stack.apiKey };
    const agent = spawn(process.execPath, [join(ROOT, 'examples/agents/bare-nats.mjs')], { env });
    const body = { content: { text: 'quietly' }, taskType: 'shout', requirements: ['shout'] };
    const { taskId } = (await (await stack.request('POST', '/v1/tasks', body)).json()) as {
      taskId: string;
    };
    const task = await (await stack.request('GET', `/v1/tasks/${taskId}?wait=20s`)).json();
    agent.kill('SIGTERM');
    await once(agent, 'exit');
    expect(task).toMatchObject({ status: 'completed', assignedTo: 'bare-1' });
  }, 40_000);

  it('is documented: the page, its script and the OpenAPI document', async () => {
    const [page, script, document] = await Promise.all(
      ['/docs', '/docs/swagger-ui-init.js', '/openapi.json'].map((path) =>
        fetch(`${stack.url}${path}`),
      ),
    );
    expect([page?.status, script?.status, document?.status]).toEqual([200, 200, 200]);
    expect(await document?.json()).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
  });

  it('answers probes, and metrics as Prometheus wants them', async () => {
    for (const probe of ['live', 'ready', 'startup']) {
      expect((await fetch(`${stack.managementUrl}/healthz/${probe}`)).status).toBe(200);
    }
    const metrics = await fetch(`${stack.managementUrl}/metrics`);
    expect(metrics.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const text = await metrics.text();
    for (const name of [
      'athena_tasks{',
      'athena_task_transitions_total{',
      'athena_append_duration_seconds_bucket{',
      'athena_request_duration_seconds_bucket{',
      'athena_log_position',
      'athena_projection_lag_seconds{',
      'athena_agents{',
    ]) {
      expect(text).toContain(name);
    }
  });
});
