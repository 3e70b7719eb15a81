import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStack } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AthenaProcess } from '../scenarios/athena.scenario.js';

let stack: LocalStack;
let cwd: string;

beforeAll(async () => {
  stack = await LocalStack.start();
  cwd = await mkdtemp(join(tmpdir(), 'athena-tail-'));
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await rm(cwd, { recursive: true, force: true });
});

const athena = (args: string): AthenaProcess => {
  const env = { ATHENA_URL: stack.url, ATHENA_API_KEY: stack.apiKey };
  return new AthenaProcess(args.split(' '), { cwd, env });
};

async function create(): Promise<string> {
  const answer = await stack.request('POST', '/v1/tasks', { content: 1, taskType: 'sum' });
  return ((await answer.json()) as { taskId: string }).taskId;
}

interface Line {
  readonly position: string;
  readonly type: string;
  readonly aggregateId: string;
}
const linesOf = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('athena events tail', () => {
  it('goes on through a restart of the platform, and where it was stopped', async () => {
    const first = await create();
    const tail = athena('events tail --after 0 --type TaskCreated --json');
    await tail.says(first);
    await stack.killApp();
    await stack.startApp();
    const second = await create();
    await tail.says(second);
    tail.interrupt();
    const said = await tail.ended;
    const lines = linesOf(said.stdout);
    expect(said.status).toBe(0);
    expect(lines.map(({ aggregateId }) => aggregateId)).toEqual([first, second]);

    const again = athena(`events tail --after ${lines[0]?.position} --type TaskCreated --json`);
    await again.says(second);
    again.interrupt();
    expect(linesOf((await again.ended).stdout)).toEqual([lines[1]]);
  }, 60_000);

  it('begins with what happens from now on, one line each', async () => {
    const before = await create();
    const { seq } = (await (await stack.request('GET', '/v1/health')).json()) as { seq: number };
    await stack.request('GET', `/v1/events?minSeq=${seq}`);
    const tail = athena('events tail --aggregate task');
    const made: string[] = [];
    while (!tail.stdout) {
      made.push(await create());
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    tail.interrupt();
    const { status, stdout } = await tail.ended;
    expect(status).toBe(0);
    expect(stdout).not.toContain(before);
    const line = /^\d+\.\d+ {2}\S+Z {2}Task[A-Za-z]+ {2}task (\S+) {2}\S+ {2}\{.*\}$/;
    for (const one of stdout.trimEnd().split('\n')) expect(made).toContain(line.exec(one)?.[1]);
  });

  it('is refused with a position of another log, and with a filter that is none', async () => {
    const other = await athena('events tail --after 99999999').ended;
    expect([other.status, other.stderr]).toEqual([
      1,
      expect.stringMatching(/^INVALID_INPUT: after/),
    ]);
    const wrong = await athena('events tail --aggregate key').ended;
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('--aggregate')]);
  });

  it('has a log behind it that is sound', async () => {
    const { status, stdout } = await athena('log verify --json').ended;
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sound: true, findings: [], nextFrom: null });
  });
});
