import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProjectionJob, ProjectionState } from '@athena/contracts';
import { LocalStack, until } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';
import { type Said, AthenaProcess, athena } from '../scenarios/athena.scenario.js';

const REBUILDABLE = ['agent_records', 'agents', 'attempt_outcomes', 'fleet_activity', 'tasks'];
const TABLES = REBUILDABLE.map((name) => `${name}_v1`);
const TASKS_FIRST = 200;

let stack: LocalStack;
let cwd: string;
let pool: Pool;

beforeAll(async () => {
  stack = await LocalStack.start();
  cwd = await mkdtemp(join(tmpdir(), 'athena-rebuild-'));
  pool = new Pool({ connectionString: stack.postgres.url });
  const tasks = Array.from({ length: TASKS_FIRST }, (_, n) => task(n));
  const batch = await stack.request('POST', '/v1/tasks/batch', { tasks });
  expect(batch.ok).toBe(true);
  await listed();
}, 60_000);
afterAll(async () => {
  await pool?.end();
  await stack?.stop();
  await rm(cwd, { recursive: true, force: true });
});

const task = (n: number) => ({ content: { n }, taskType: `sum-${n % 5}`, autoRoute: false });
const options = () => ({ cwd, env: { ATHENA_URL: stack.url, ATHENA_API_KEY: stack.apiKey } });
const run = (args: string): Promise<Said> => athena(args.split(' '), options());

async function projections(): Promise<ProjectionState[]> {
  const answer = await stack.request('GET', '/v1/projections');
  return ((await answer.json()) as { projections: ProjectionState[] }).projections;
}
const projection = async (name: string): Promise<ProjectionState> =>
  (await projections()).find((one) => one.name === name) as ProjectionState;
/** All services have said what they keep, and all is written. */
const listed = (): Promise<void> =>
  until(async () => {
    const known = await projections();
    const quiet = known.every(({ state, lag }) => state === 'writing' && lag === 0);
    return quiet && known.length === REBUILDABLE.length + 1;
  }, 'every projection is listed and has caught up');

/** Every row of every read model as its text. */
async function rows(): Promise<Record<string, string[]>> {
  await listed();
  const tables = ['(select * from task_counts_v2 where n <> 0)', ...TABLES, ...REBUILDABLE];
  const read = async (table: string): Promise<[string, string[]]> => {
    const text = `select t::text as row from ${table} t order by 1`;
    const found = await pool.query<{ row: string }>(text);
    return [table, found.rows.map(({ row }) => row)];
  };
  return Object.fromEntries(await Promise.all(tables.map(read)));
}

/** Tasks are created and cancelled until it is ended; answers with how many were created. */
function liveTraffic(): () => Promise<number> {
  let on = true;
  const done = (async () => {
    let created = 0;
    for (; on; created++) {
      const answer = await stack.request('POST', '/v1/tasks', task(created));
      const { taskId } = (await answer.json()) as { taskId: string };
      if (created % 2 === 0) await stack.request('POST', `/v1/tasks/${taskId}/cancel`, {});
    }
    return created;
  })();
  return () => {
    on = false;
    return done;
  };
}

describe('athena projections', () => {
  it('rebuild gives the same rows of every read model', async () => {
    const before = await rows();
    for (const name of REBUILDABLE) {
      const said = await run(`projections rebuild ${name} --json`);
      expect(said).toMatchObject({ status: 0 });
      expect(said.stderr).toContain(`${name}: rebuild`);
      const job = JSON.parse(said.stdout) as ProjectionJob;
      expect(job).toMatchObject({ kind: 'rebuild', state: 'switched', progress: 1, error: null });
    }
    expect(await rows()).toEqual(before);
    expect(before['tasks']).toHaveLength(TASKS_FIRST);
    const { stdout } = await run('projections list');
    expect(stdout).toMatch(/^NAME +VERSION +SERVICE +STATE/);
    expect(stdout).toMatch(/\ntasks +\d+ +task-queue +writing .* switched +1/);
  }, 150_000);

  it('rebuild and rollback under live traffic miss nothing', async () => {
    const { tasks = [] } = await rows();
    const endTraffic = liveTraffic();
    expect((await run('projections rebuild tasks')).status).toBe(0);
    expect((await run('projections rebuild attempt_outcomes')).status).toBe(0);
    const created = await endTraffic();
    expect(created).toBeGreaterThan(0);
    const rebuilt = await rows();
    expect(rebuilt['tasks']).toHaveLength(tasks.length + created);

    const endSecond = liveTraffic();
    const back = await run('projections rollback tasks --json');
    expect(JSON.parse(back.stdout)).toMatchObject({ kind: 'rollback', state: 'rolled_back' });
    const createdLater = await endSecond();
    const rolledBack = await rows();
    expect(rolledBack['tasks']).toHaveLength(tasks.length + created + createdLater);
    expect((await projection('tasks')).previousPosition).toBeNull();
    // What the live writer made of it is what the fold from zero makes of it.
    expect((await run('projections rebuild tasks')).status).toBe(0);
    expect(await rows()).toEqual(rolledBack);
  }, 150_000);

  it('rebuild twice at once is one rebuild, and --detach does not wait for it', async () => {
    const detached = await Promise.all([
      run('projections rebuild agents --detach --json'),
      run('projections rebuild agents --detach --json'),
    ]);
    const jobs = detached.map(({ stdout }) => JSON.parse(stdout) as ProjectionJob);
    expect(jobs[0]?.id).toBe(jobs[1]?.id);
    await until(async () => (await projection('agents')).job?.state === 'switched');
  }, 150_000);

  it('refuses names that are none, the archive, and a rollback to nothing', async () => {
    const unknown = await run('projections rebuild taks');
    expect(unknown.status).toBe(1);
    expect(unknown.stderr).toMatch(/^PROJECTION_NOT_FOUND: no projection taks; .*agents.*tasks/);
    const archive = await run('projections rebuild episodic_events');
    expect(archive.status).toBe(1);
    expect(archive.stderr).toMatch(/^PROJECTION_NOT_REBUILDABLE: .*archive itself/);
    expect((await run('projections rollback agents')).status).toBe(0);
    const nothing = await run('projections rollback agents');
    expect([nothing.status, nothing.stderr]).toEqual([
      1,
      expect.stringContaining('NO_PREVIOUS_PROJECTION'),
    ]);
    expect((await run('projections rebuild tasks;drop')).status).toBe(2);
  }, 150_000);

  it('rebuild goes on through a kill of the platform', async () => {
    const before = await rows();
    const rebuild = new AthenaProcess(['projections', 'rebuild', 'tasks', '--json'], options());
    await rebuild.says('rebuild requested');
    await stack.killApp();
    await stack.startApp();
    const { status, stdout } = await rebuild.ended;
    expect([status, JSON.parse(stdout).state]).toEqual([0, 'switched']);
    expect(await rows()).toEqual(before);
  }, 150_000);
});
