import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskRecord } from '@athena/contracts';
import { AthenaClient } from '@athena/sdk';
import { LocalStack } from '@athena/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AthenaProcess } from './scenarios/athena.scenario.js';

let stack: LocalStack;
let client: AthenaClient;
let cwd: string;
let agents: AthenaProcess[] = [];
let counter = 0;

beforeAll(async () => {
  stack = await LocalStack.start();
  client = await AthenaClient.connect({ url: stack.url, apiKey: stack.apiKey });
  cwd = await mkdtemp(join(tmpdir(), 'athena-exec-'));
}, 60_000);
afterEach(async () => {
  for (const agent of agents) agent.interrupt();
  await Promise.all(agents.map(({ ended }) => ended));
  agents = [];
});
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await rm(cwd, { recursive: true, force: true });
});

/** Starts an agent made of a shell script, with a capability that nobody else has. */
async function agentOf(script: string, options: readonly string[] = []) {
  const skill = `skill-${counter++}`;
  const command = ['sh', '-c', script];
  const env = {
    ATHENA_URL: stack.url,
    ATHENA_API_KEY: stack.apiKey,
    NATS_URL: stack.natsUrl,
  };
  const args = ['agent', 'exec', '--capability', skill, ...options, '--', ...command];
  const agent = new AthenaProcess(args, { cwd, env });
  agents.push(agent);
  await agent.says('agent registered');
  return {
    agent,
    submit: async (content: unknown, maxAttempts = 1): Promise<string> =>
      (await client.tasks.create({ content, taskType: 't', requirements: [skill], maxAttempts }))
        .taskId,
  };
}

const finished = (taskId: string): Promise<TaskRecord> =>
  client.tasks.wait(taskId, { timeoutMs: 20_000 });

async function until(reached: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await reached().catch(() => false))) {
    if (Date.now() > end) throw new Error('it did not come to it in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('athena agent exec', () => {
  it('gives a command the content as JSON, and takes its JSON as the result', async () => {
    const { submit } = await agentOf('cat');
    const content = { text: 'ünï', nested: [1, null] };
    const task = await finished(await submit(content));
    expect(task).toMatchObject({ status: 'completed', result: content });
  });

  it('gives a command one field of the content as it is, and nothing to do without it', async () => {
    const { submit } = await agentOf('wc -c', ['--stdin', 'text']);
    const task = await finished(await submit({ text: 'a "b"\nc', other: 1 }));
    expect(task).toMatchObject({ status: 'completed', result: 7 });
    const without = await finished(await submit({ other: 1 }, 3));
    expect(without).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'INVALID_INPUT' },
    });
  });

  it('takes other output as text, tells the command its task, and shows its progress', async () => {
    const script =
      'echo "progress 50 half way" >&2; sleep 1; echo "$ATHENA_TASK_TYPE $ATHENA_ATTEMPT $ATHENA_TASK_ID"';
    const { submit } = await agentOf(script);
    const taskId = await submit(1);
    await until(async () => (await client.tasks.get({ taskId })).progress?.percent === 50);
    const task = await finished(taskId);
    expect(task.result).toEqual({ text: `t 1 ${taskId}` });
  });

  it('tries again after exit 1, with the last lines of stderr as the error', async () => {
    const script = 'test "$ATHENA_ATTEMPT" = 2 && echo 2 || { echo "not yet" >&2; exit 1; }';
    const { submit, agent } = await agentOf(script);
    const again = await finished(await submit(1, 2));
    expect(again).toMatchObject({ status: 'completed', result: 2, attempt: 2 });
    const once = await finished(await submit(1, 1));
    expect(once).toMatchObject({ status: 'failed', error: { code: 'EXIT_1', message: 'not yet' } });
    expect(agent.stderr).toContain('] not yet');
  });

  it('doesn’t try again after an exit status of sysexits.h', async () => {
    const { submit } = await agentOf('echo "bad input" >&2; exit 65');
    const task = await finished(await submit(1, 3));
    expect(task).toMatchObject({ status: 'failed', attempt: 1, error: { message: 'bad input' } });
  });

  it('ends a command that takes too long, and all that it started', async () => {
    const script = 'trap "echo ended > timeout.txt; exit 0" TERM; sleep 30 & wait';
    const { submit } = await agentOf(script, ['--timeout', '300ms']);
    const task = await finished(await submit(1));
    expect(task).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } });
    expect(await readFile(join(cwd, 'timeout.txt'), 'utf8')).toBe('ended\n');
  });

  it('tells the command by SIGTERM that its task was cancelled', async () => {
    const script = 'trap "echo told > cancel.txt; exit 0" TERM; echo up > up.txt; sleep 30 & wait';
    const { submit, agent } = await agentOf(script);
    const taskId = await submit(1);
    await until(async () => (await readFile(join(cwd, 'up.txt'), 'utf8')) === 'up\n');
    await client.tasks.cancel({ taskId });
    await until(async () => (await readFile(join(cwd, 'cancel.txt'), 'utf8')) === 'told\n');
    await agent.says('agent dropped');
    expect((await client.tasks.get({ taskId })).status).toBe('cancelled');
  });

  it('runs as many at a time as it is told, and no more', async () => {
    // Each counts who is there while it is: two meet, a third never does.
    const script =
      'mkdir -p n; touch n/$ATHENA_TASK_ID; sleep 0.4; ls n | wc -l; rm n/$ATHENA_TASK_ID';
    const { submit } = await agentOf(script, ['--concurrency', '2']);
    const taskIds = await Promise.all([1, 2, 3, 4].map((n) => submit(n)));
    const counts = (await Promise.all(taskIds.map(finished))).map(({ result }) => result);
    expect(Math.max(...(counts as number[]))).toBe(2);
  });

  it('finishes what it has at Ctrl-C, takes nothing new, and leaves', async () => {
    const { submit, agent } = await agentOf('echo up > drain.txt; sleep 1; echo done');
    const taskId = await submit(1);
    await until(async () => (await readFile(join(cwd, 'drain.txt'), 'utf8')) === 'up\n');
    agent.interrupt();
    expect((await agent.ended).status).toBe(0);
    expect(await finished(taskId)).toMatchObject({ status: 'completed', result: { text: 'done' } });
    const { agents: left } = await client.agents.find({ minSeq: client.seq });
    expect(left.filter(({ kind, status }) => kind === 'exec-sh' && status === 'online')).toEqual(
      [],
    );
  });

  it('kills everything at the second Ctrl-C, and says so to the platform', async () => {
    const { submit, agent } = await agentOf('trap "" TERM; echo up > force.txt; sleep 30');
    const taskId = await submit(1, 2);
    await until(async () => (await readFile(join(cwd, 'force.txt'), 'utf8')) === 'up\n');
    agent.interrupt();
    await new Promise((resolve) => setTimeout(resolve, 200));
    agent.interrupt();
    expect((await agent.ended).status).toBe(130);
    const task = await client.tasks.get({ taskId });
    expect(task).toMatchObject({ status: 'pending', error: { code: 'SIGKILL' } });
  });

  it('says at once when NATS doesn’t want it', async () => {
    const env = { ATHENA_URL: stack.url, ATHENA_API_KEY: 'ak_wrong', NATS_URL: stack.natsUrl };
    const said = await new AthenaProcess(['agent', 'exec', '--capability', 'x', '--', 'cat'], {
      cwd,
      env,
    }).ended;
    expect(said).toMatchObject({ status: 1, stderr: expect.stringMatching(/^UNAUTHENTICATED: /) });
  });
});
