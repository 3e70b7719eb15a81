import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TaskRecord, TaskStatus } from '@athena/contracts';
import { AthenaClient } from '@athena/sdk';
import { LocalStack, until } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const MAIN = join(import.meta.dirname, '../dist/main.js');
const PATIENCE_MS = 90_000;
const DOCUMENTS = {
  'tides.md': 'Tides follow the moon.\n\nThe moon pulls the sea twice a day.\n',
  'with space.txt': 'The sea is wide.\nThe moon is far.',
  '-rf.md': 'A name like an option.\n',
  'quote\'"$x`.md': 'A name to be quoted.\n',
  'ünï 日本.md': 'Ünïcode tides of the sea.\n',
  'new\nline.md': 'A name of two lines.\n',
  'folder\n/same.md': 'A folder of two lines.\n',
};

let stack: LocalStack;
let client: AthenaClient;
let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  stack = await LocalStack.start();
  client = await AthenaClient.connect({ url: stack.url, apiKey: stack.apiKey });
  folder = await mkdtemp(join(tmpdir(), 'athena-research-'));
  const { url: gatewayUrl, natsUrl, project, apiKey } = stack;
  const connection = { gatewayUrl, natsUrl, project, apiKey, services: {} };
  await writeFile(at('connection.json'), JSON.stringify(connection));
  await Promise.all(['input/folder\n', 'bin'].map((one) => mkdir(at(one), { recursive: true })));
  for (const [path, text] of Object.entries(DOCUMENTS)) await writeFile(at(`input/${path}`), text);
  await writeFile(at('input/empty.md'), '');
  await writeFile(at('input/binary.txt'), Buffer.from([65, 0, 66]));
}, 60_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The example as `npm start` runs it, with a `cksum` of ours before the machine's. */
async function startResearch(cksum: string) {
  await writeFile(at('bin/cksum'), `#!/bin/sh\n${cksum}\n`);
  await chmod(at('bin/cksum'), 0o755);
  const args = ['--connection', at('connection.json'), '--report', at('report.md')];
  const child = spawn(process.execPath, [MAIN, ...args, '--input', at('input')], {
    env: { ...process.env, PATH: `${at('bin')}:${process.env['PATH']}` },
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => (said.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (said.stderr += data.toString()));
  let status: number | null | undefined;
  child.once('close', (code) => (status = code));
  const ended = async (): Promise<number | null | undefined> => {
    await until(
      () => status !== undefined,
      () => `it ended:\n${said.stderr}`,
      PATIENCE_MS,
    );
    return status;
  };
  return { said, ended, pid: child.pid as number };
}

/** The pid of the `athena agent exec` that the example started. */
async function shellAgentOf(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args=']);
  const [, found] =
    stdout
      .split('\n')
      .map((line) => /^\s*(\d+)\s+(\d+)\s.* agent exec /.exec(line))
      .find((match) => Number(match?.[2]) === pid) ?? [];
  return Number(found);
}

const measures = async (status: TaskStatus): Promise<TaskRecord[]> =>
  (await client.tasks.query({ taskType: 'research.measure', status })).tasks;

describe('the research', () => {
  it('is complete, with one outcome each, when an agent is killed amid its tasks', async () => {
    await writeFile(at('hold'), '');
    const run = await startResearch(
      `while [ -e '${at('hold')}' ]; do sleep 0.1; done\nPATH=\${PATH#*:} exec cksum "$@"`,
    );
    const said = (): string => run.said.stderr;
    await until(async () => (await measures('running')).length > 0, said, PATIENCE_MS);
    const held = await measures('running');

    process.kill(await shellAgentOf(run.pid), 'SIGKILL');
    await rm(at('hold'));

    expect(await run.ended()).toBe(0);
    expect(said()).toMatch(/-measurer-5 died with SIGKILL; starting it again/);
    const count = 3 * Object.keys(DOCUMENTS).length + 3;
    expect(JSON.parse(run.said.stdout)).toMatchObject({ tasks: count, agents: 5 });
    await reportIsRight();
    const { tasks } = await client.tasks.query({ limit: 100 });
    expect(tasks).toHaveLength(count);
    await until(
      async () => {
        const outcomes = await Promise.all(tasks.map(({ taskId }) => outcomesOf(taskId)));
        return outcomes.every((one) => one.join() === 'TaskCompleted');
      },
      'each task has one outcome',
      PATIENCE_MS,
    );
    for (const { taskId, assignedTo } of held) {
      const after = await client.tasks.get({ taskId });
      expect([after.status, after.assignedTo]).toEqual(['completed', expect.any(String)]);
      expect(after.assignedTo).not.toBe(assignedTo);
    }
  }, 200_000);

  it('is given up when its shell command fails, and says what that had to say', async () => {
    const run = await startResearch('echo "no sum today" >&2; exit 3');
    expect(await run.ended()).toBe(1);
    expect(run.said.stderr).toMatch(
      /\(research\.measure\) failed: no sum today\n[^]*can’t be read/,
    );
    const failed = (): Promise<TaskRecord[]> => measures('failed');
    await until(async () => (await failed()).length > 0, 'a failed task');
    const [task] = await failed();
    expect(task).toMatchObject({
      attempt: 1,
      error: { code: 'EXIT_66', message: expect.stringContaining('no sum today') },
    });
  }, 200_000);
});

const OUTCOMES = ['TaskCompleted', 'TaskFailed', 'TaskCancelled'];

async function outcomesOf(taskId: string): Promise<string[]> {
  const { events } = await client.tasks.events({ taskId });
  return events.map(({ type }) => type).filter((type) => OUTCOMES.includes(type));
}

/** Against the figures of the machine's own cksum. */
async function reportIsRight(): Promise<void> {
  const report = await readFile(at('report.md'), 'utf8');
  for (const [path, text] of Object.entries(DOCUMENTS)) {
    const { stdout } = await promisify(execFile)('cksum', [at(`input/${path}`)]);
    const [crc, bytes] = stdout.split(' ');
    const lines = text.split('\n').length - 1;
    const shown = path.replace(/`/g, "'").replace(/\n/g, ' ');
    const line = report.split('\n').find((one) => one.startsWith(`\`${shown}\` · `));
    expect(line).toContain(` · ${lines} lines · ${bytes} bytes · CRC ${crc}`);
  }
  expect(report).toContain('- `empty.md`: empty\n');
  expect(report).toContain('- `binary.txt`: binary\n');
}
