import { setTimeout as pause } from 'node:timers/promises';
import { limits, type TaskRecord } from '@athena/contracts';
import { AthenaClient } from '@athena/sdk';
import { LocalStack, until } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const EVERY_MS = 1_000;
/** Longer than the grace, so that runs are missed. */
const DOWN_MS = 6_000;
const RUNS_BEFORE = 3;
const RUNS_MS_MAX = 60_000;
const POLICIES = ['skip', 'one', 'all'] as const;

let stack: LocalStack;
let client: AthenaClient;

beforeAll(async () => {
  stack = await LocalStack.start();
  client = await AthenaClient.connect({ url: stack.url, apiKey: stack.apiKey });
}, 90_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
});

interface Run {
  readonly plannedAt: number;
  /** Created so long after the planned instant. */
  readonly lateMs: number;
}

/** Every task that the schedule has created, in the order of the planned instants. */
async function runsOf(scheduleId: string): Promise<Run[]> {
  const minSeq = client.seq;
  const { tasks } = await client.tasks.query({ taskType: scheduleId, limit: 1000, minSeq });
  return tasks.map(runOf).sort((one, other) => one.plannedAt - other.plannedAt);
}

function runOf({ schedule, createdAt }: TaskRecord): Run {
  const plannedAt = Date.parse(schedule?.plannedAt ?? '');
  return { plannedAt, lateMs: Date.parse(createdAt) - plannedAt };
}

const lastRunAt = async (scheduleId: string): Promise<number> =>
  Date.parse((await client.schedules.get({ scheduleId })).lastRunAt ?? '1970-01-01T00:00:00Z');

describe('schedules of an app that is killed', () => {
  it('run each planned instant at most once, and make up for the missed as they say', async () => {
    for (const missedRuns of POLICIES) {
      const task = { content: missedRuns, taskType: missedRuns, autoRoute: false };
      const every = '1s';
      await client.schedules.create({ scheduleId: missedRuns, every, task, missedRuns });
    }
    const began = async (): Promise<boolean> => {
      const counts = await Promise.all(
        POLICIES.map(async (scheduleId) => (await client.schedules.get({ scheduleId })).runs),
      );
      return counts.every((runs) => runs >= RUNS_BEFORE);
    };
    await until(began, () => `the schedules run\n${stack.logs}`, RUNS_MS_MAX);

    await stack.killApp();
    await pause(DOWN_MS);
    await stack.startApp();
    const upAt = Date.now();
    const goesOn = async (): Promise<boolean> => {
      const last = await Promise.all(POLICIES.map(lastRunAt));
      return last.every((at) => at > upAt);
    };
    await until(goesOn, () => `the schedules go on\n${stack.logs}`, RUNS_MS_MAX);
    for (const scheduleId of POLICIES) await client.schedules.pause({ scheduleId });

    const [skip, one, all] = await Promise.all(POLICIES.map(runsOf));
    for (const runs of [skip, one, all]) {
      const steps = stepsOf(runs!);
      expect(steps.filter((ms) => ms <= 0 || ms % EVERY_MS !== 0)).toEqual([]);
    }
    expect(new Set(stepsOf(all!))).toEqual(new Set([EVERY_MS]));
    expect(lateOf(skip!)).toEqual([]);
    expect(Math.max(...stepsOf(skip!))).toBeGreaterThan(EVERY_MS);
    expect(lateOf(one!).length).toBeGreaterThanOrEqual(1);
    expect(lateOf(one!).length).toBeLessThan(lateOf(all!).length);
  }, 180_000);
});

const stepsOf = (runs: readonly Run[]): number[] =>
  runs.slice(1).map(({ plannedAt }, n) => plannedAt - runs[n]!.plannedAt);
const lateOf = (runs: readonly Run[]): Run[] =>
  runs.filter(({ lateMs }) => lateMs > limits.SCHEDULE_GRACE_MS);
