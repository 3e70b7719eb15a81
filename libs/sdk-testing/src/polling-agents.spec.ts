import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AthenaClient } from '@athena/sdk';
import { TestAthena } from './index.js';

describe('a polling agent', () => {
  let athena: TestAthena;
  let client: AthenaClient;
  let held: { taskId: string; lease: string };

  beforeEach(async () => {
    athena = await TestAthena.start();
    client = await athena.client();
    await client.agents.register({ agentId: 'poller', capabilities: ['render'] });
    const task = { content: 1, taskType: 'render', requirements: ['render'] };
    const { taskId } = await client.tasks.create(task);
    await athena.settle();
    const { tasks } = await client.agents.poll({ agentId: 'poller' });
    held = { taskId, lease: tasks[0]!.lease };
    await client.tasks.start(held);
  });
  afterEach(() => athena.stop());

  const statusOf = async () => (await client.tasks.get({ taskId: held.taskId })).status;

  it('that falls silent loses its work to another, and its late reports change nothing', async () => {
    await athena.agent({ id: 'other', capabilities: ['render'] }, () => 'of the other');
    await athena.advance('50s');
    expect(await statusOf()).toBe('running');
    await athena.advance('15s');

    const task = await athena.until(client.tasks.wait(held.taskId));
    expect(task).toMatchObject({ status: 'completed', assignedTo: 'other', attempt: 2 });
    const late = [
      client.tasks.progress({ ...held, percent: 50 }),
      client.tasks.heartbeat(held),
      client.tasks.complete({ ...held, result: 'late' }),
      client.tasks.fail({ ...held, error: 'late' }),
    ];
    for (const report of late) await expect(report).rejects.toMatchObject({ code: 'STALE_LEASE' });
    const released = athena.events(held.taskId).find(({ type }) => type === 'TaskReleased');
    expect(released?.data).toMatchObject({ agentId: 'poller', exclude: true });
    expect((await client.tasks.get({ taskId: held.taskId })).result).toBe('of the other');
  });

  it.each(['progress', 'heartbeat', 'start'] as const)(
    'keeps its work by %s alone',
    async (verb) => {
      for (let n = 1; n <= 4; n++) {
        await athena.advance('40s');
        await client.tasks[verb](held);
      }
      expect(await statusOf()).toBe('running');
      await athena.advance('70s');
      expect(await statusOf()).toBe('pending');
    },
  );

  it('is told of a cancellation at every poll and heartbeat, until it heard', async () => {
    const { taskId } = held;
    await client.tasks.cancel({ taskId });
    await athena.settle();
    const told = async () => [
      (await client.agents.poll({ agentId: 'poller' })).cancelled,
      (await client.agents.heartbeat({ agentId: 'poller' })).cancelled,
    ];
    expect(await told()).toEqual([[taskId], [taskId]]);
    await client.agents.heartbeat({ agentId: 'poller', heard: [taskId] });
    expect(await told()).toEqual([[], []]);
  });
});
