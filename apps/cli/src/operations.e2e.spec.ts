import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStack } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type Said, athena } from './scenarios/athena.scenario.js';

const { Client } = pg;
const UNKNOWN = '01900000-0000-8000-8000-000000000000';

let stack: LocalStack;
let cwd: string;
/** As in a shell where ATHENA_URL and ATHENA_API_KEY are exported. */
let here: Record<string, string>;

beforeAll(async () => {
  stack = await LocalStack.start();
  cwd = await mkdtemp(join(tmpdir(), 'athena-cli-'));
  here = { ATHENA_URL: stack.url, ATHENA_API_KEY: stack.apiKey };
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await rm(cwd, { recursive: true, force: true });
});

const run = (args: string, options: { env?: Record<string, string>; stdin?: string } = {}) =>
  athena(args.split(' '), { cwd, env: here, ...options });

async function json<T>(args: string, stdin?: string): Promise<T> {
  const said = await run(`${args} --json`, stdin === undefined ? {} : { stdin });
  expect(said).toMatchObject({ status: 0, stderr: '' });
  return JSON.parse(said.stdout) as T;
}

const create = async (more = ''): Promise<string> =>
  (await json<{ taskId: string }>(`task create --content {"n":1} --task-type sum${more}`)).taskId;

describe('operations', () => {
  it('create a task and read it, as JSON and in words', async () => {
    const taskId = await create(' --requirements add,carry --priority high --no-auto-route');
    const shape = { content: { n: 1 }, requirements: ['add', 'carry'], autoRoute: false };
    expect(await json(`task get ${taskId}`)).toMatchObject({ taskId, priority: 'high', ...shape });
    const { stdout } = await run(`task get ${taskId}`);
    expect(stdout).toMatch(new RegExp(`^taskId +${taskId}\\ncontent\\.n +1\\n`));
  });

  it('take JSON from stdin and from files', async () => {
    const { taskId } = await json<{ taskId: string }>(
      'task create --content - --task-type sum',
      '{"from":"stdin"}',
    );
    expect(await json(`task get ${taskId}`)).toMatchObject({ content: { from: 'stdin' } });
    const tasks = [1, 2].map((content) => ({ content, taskType: 'sum', batchId: 'from-file' }));
    await writeFile(join(cwd, 'tasks.json'), JSON.stringify(tasks));
    const batch = await json<{ taskIds: string[] }>('task create-batch --tasks @tasks.json');
    expect(batch.taskIds).toHaveLength(2);
  });

  it('list what was written, as a table and page by page', async () => {
    for (let n = 0; n < 3; n++) await create(' --batch-id listed');
    const { seq } = await json<{ seq: number }>('system health');
    const page = await run(`task query --batch-id listed --limit 2 --min-seq ${seq}`);
    expect(page.stdout).toMatch(/^TASKID +STATUS +TASKTYPE +PRIORITY/);
    const cursor = /more: --cursor (\S+)/.exec(page.stdout)?.[1] ?? '';
    const rest = await json<{ tasks: unknown[] }>(
      `task query --batch-id listed --cursor ${cursor}`,
    );
    expect(rest.tasks).toHaveLength(1);
    expect((await run('task query --batch-id nothing')).stdout).toBe('no tasks\n');
  });

  it('wait for a task to be finished', async () => {
    const taskId = await create();
    const waiting = json<{ status: string }>(`task get ${taskId} --wait 10s`);
    await json(`task cancel ${taskId} --reason enough`);
    expect((await waiting).status).toBe('cancelled');
  });

  it('do a whole task by hand', async () => {
    await json('agent register by-hand --capabilities add --max-concurrent-tasks 50');
    const found = await json<{ agents: { agentId: string }[] }>('agent find --capability add');
    expect(found.agents.map(({ agentId }) => agentId)).toContain('by-hand');
    const taskId = await create(' --requirements add --no-auto-route');
    await json(`task assign ${taskId} --agent-id by-hand`);
    await json(`task start ${taskId}`);
    await json(`task complete ${taskId} --result {"sum":3} --metrics {"durationMs":5}`);
    const done = { status: 'completed', result: { sum: 3 }, executionDurationMs: 5 };
    expect(await json(`task get ${taskId}`)).toMatchObject(done);
    const said = await run(`task events ${taskId}`);
    expect(said.stdout).toMatch(/TaskCreated[^]*TaskAssigned[^]*TaskStarted[^]*TaskCompleted/);
  });

  it('create once, however often they are repeated with one idempotency key', async () => {
    const args = 'task create --content 1 --task-type sum --idempotency-key once';
    const first = await json<{ taskId: string; created: boolean }>(args);
    const second = await json<{ taskId: string; created: boolean }>(args);
    expect([first.created, second.created]).toEqual([true, false]);
    expect(second.taskId).toBe(first.taskId);
  });
});

describe('log verify', () => {
  const archive = async (text: string): Promise<void> => {
    const client = new Client({ connectionString: stack.postgres.url });
    await client.connect();
    await client.query(text);
    await client.end();
  };

  it('ends with 0 for a sound log, and with 1 for one that is not', async () => {
    await create();
    expect(await json('log verify')).toMatchObject({ sound: true, findings: [] });
    await archive("update episodic_events set actor = actor || 'x' where seq = 1");
    const said = await run('log verify --json');
    const rest = await stack.request('POST', '/v1/log/verify', {});
    await archive("update episodic_events set actor = rtrim(actor, 'x') where seq = 1");
    expect(said).toMatchObject({ status: 1, stderr: '' });
    expect([rest.status, await rest.json()]).toEqual([200, JSON.parse(said.stdout)]);
    expect(JSON.parse(said.stdout)).toMatchObject({
      sound: false,
      findings: [{ seq: 1, flaw: 'archive_fields' }],
    });
    expect((await run('log verify')).status).toBe(0);
  });
});

describe('what can’t be', () => {
  it('is refused with code, detail and remedy on stderr, and status 1', async () => {
    const said = await run(`task get ${UNKNOWN} --json`);
    expect(said).toMatchObject({ status: 1, stdout: '' });
    expect(said.stderr).toMatch(/^TASK_NOT_FOUND: .+\n {2}\S.+\n {2}Request \S+\n$/);
  });

  it('is told by what holds the option, with status 2, before anything is sent', async () => {
    const wrong: [string, RegExp][] = [
      ['task create --content {"n":1}', /--task-type is missing/],
      ['task create --content word --task-type t', /no JSON.+'"word"'/],
      ['task create --content 1 --task-type t --priority urgent', /--priority: .*"high"/],
      ['task create --content 1 --task-type t --taks-type t', /did you mean --task-type\?/],
      ['task get nonsense', /<taskId>: use a UUID/],
      ['task crate', /did you mean athena task create\?/],
      ['context frobnicate x', /no command athena context frobnicate/],
    ];
    for (const [args, message] of wrong) {
      const said = await athena(args.split(' '), {
        cwd,
        env: { ATHENA_URL: 'http://127.0.0.1:1' },
      });
      expect([args, said.status, said.stdout]).toEqual([args, 2, '']);
      expect(said.stderr).toMatch(message);
    }
  });

  it('names every way to say where the platform is', async () => {
    const said = await run('task query', { env: {} });
    expect(said.status).toBe(1);
    for (const way of ['--url', 'ATHENA_URL', '--context', '--data-dir']) {
      expect(said.stderr).toContain(way);
    }
  });

  it('says soon that nobody is there', async () => {
    const said = await run('task query --url http://127.0.0.1:1 --timeout 500ms');
    expect(said).toMatchObject({ status: 1, stderr: expect.stringMatching(/^CONNECTION_LOST: /) });
  });
});

describe('contexts', () => {
  const bare = (args: string, stdin?: string): Promise<Said> =>
    run(args, { env: {}, ...(stdin === undefined ? {} : { stdin }) });

  it('are kept for their owner only, used by name or by default, and forgotten', async () => {
    const added = await bare(`context add lab --url ${stack.url} --api-key -`, stack.apiKey);
    expect(added.stdout).toBe('added: lab\ncurrent: lab\n');
    await bare('context add gone --url http://127.0.0.1:1 --api-key x');
    const { mode } = await stat(join(cwd, '.config/athena/contexts.json'));
    expect(mode & 0o777).toBe(0o600);
    expect((await bare('system health')).status).toBe(0);
    expect((await bare('system health --context gone --timeout 300ms')).status).toBe(1);
    await bare('context use gone');
    const listed = await bare('context list');
    expect(listed.stdout).toMatch(/\* +gone/);
    expect(listed.stdout).not.toContain(stack.apiKey);
    await bare('context remove gone');
    const unknown = await bare('system health --context gone');
    expect(unknown.stderr).toMatch(/no context gone; known: lab/);
    await bare('context remove lab');
  });
});

describe('status and doctor', () => {
  it('show the platform on one screen', async () => {
    const said = await run('status');
    expect(said).toMatchObject({ status: 0, stderr: '' });
    for (const row of [/^platform +http.+ ok$/m, /^tasks +.*pending \d/m, /^agents +\d+: /m]) {
      expect(said.stdout).toMatch(row);
    }
    expect(await json('status')).toMatchObject({ health: { status: 'ok' } });
  });

  it('find nothing wrong with a local stack and its connection file', async () => {
    const file = await connectionFile('good', stack.apiKey);
    const said = await run('doctor --data-dir good', { env: {} });
    expect(said).toMatchObject({ status: 0, stderr: '' });
    expect(said.stdout).not.toMatch(/^(fail|warn)/m);
    for (const check of ['node', 'connection', 'gateway', 'key', 'clock', 'nats']) {
      expect(said.stdout).toMatch(new RegExp(`^ok +${check}: `, 'm'));
    }
    await chmod(file, 0o644);
    const open = await run('doctor --data-dir good', { env: {} });
    expect([open.status, open.stdout]).toEqual([0, expect.stringMatching(/^warn +connection: /m)]);
  });

  it('say what is wrong with a key and with an address', async () => {
    await connectionFile('bad', `${stack.apiKey.slice(0, -4)}oops`);
    const bad = await run('doctor --data-dir bad', { env: {} });
    expect(bad.status).toBe(1);
    expect(bad.stdout).toMatch(/^fail +key: .*\n +→ /m);
    expect(bad.stdout).toMatch(/^fail +nats: .*\n +→ /m);
    const nobody = await run('doctor --url http://127.0.0.1:1 --api-key x', { env: {} });
    expect([nobody.status, nobody.stdout]).toEqual([1, expect.stringMatching(/^fail +gateway: /m)]);
  });

  it('look at the NATS that services would be started with', async () => {
    const outside = stack.nats.env as Record<string, string>;
    const good = await run('doctor', { env: { ...here, ...outside } });
    expect(good.stdout).not.toMatch(/^fail/m);
    expect(good.stdout.match(/^ok +outside nats/gm)?.length).toBe(6);
    const wrong = { ...here, ...outside, ATHENA_NATS_SYS_PASSWORD: 'wrong' };
    const bad = await run('doctor', { env: wrong });
    expect([bad.status, bad.stdout]).toEqual([
      1,
      expect.stringMatching(/^fail +outside nats SYS/m),
    ]);
  });

  async function connectionFile(folder: string, apiKey: string): Promise<string> {
    await mkdir(join(cwd, folder), { recursive: true });
    const { url: gatewayUrl, natsUrl, project } = stack;
    const file = join(cwd, folder, 'connection.json');
    const text = JSON.stringify({ gatewayUrl, natsUrl, project, apiKey, services: {} });
    await writeFile(file, text, { mode: 0o600 });
    return file;
  }
});
