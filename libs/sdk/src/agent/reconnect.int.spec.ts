import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KEY } from '../scenarios/gate.scenario.js';
import { ScriptedPlatform } from '../scenarios/scripted-platform.scenario.js';
import { until } from '../scenarios/until.scenario.js';
import { Agent } from './agent.js';
import type { AgentNotice } from './notices.js';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describe('an agent whose broker dies and comes back', () => {
  let platform: ScriptedPlatform;
  beforeAll(async () => {
    platform = await ScriptedPlatform.start();
  });
  afterAll(() => platform.stop());

  it('repeats its claim, reports what it finished meanwhile and takes new work', async () => {
    const notices: AgentNotice[] = [];
    let finish: (() => void) | undefined;
    const agent = new Agent({
      natsUrl: platform.nats.url,
      project: 'default',
      agentId: 'steadfast',
      apiKey: KEY,
      capabilities: [],
      log: silent,
      drainTimeoutMs: 200,
      onNotice: (notice) => notices.push(notice),
    })
      .handle('slow', () => new Promise<string>((resolve) => (finish = () => resolve('kept'))))
      .handle('quick', () => 'done');
    await agent.start();
    const slow = platform.offer('slow', null);
    await until('the handler runs', () => finish !== undefined);
    await until('a slot is offered again', () => platform.inputs('claim').length === 2);

    const restarted = platform.restartNats();
    await until('it noticed', () => notices.some(({ type }) => type === 'disconnected'));
    finish?.();
    await restarted;
    await until('it is back', () => notices.some(({ type }) => type === 'reconnected'), 10_000);
    const state = (taskId: string) => platform.tasks.get(taskId)?.state;
    await until('the result arrived', () => state(slow) === 'completed', 10_000);
    await until('the claim was repeated', () => platform.inputs('claim').length >= 3, 10_000);
    const quick = platform.offer('quick', null);
    await until('new work was done', () => state(quick) === 'completed', 10_000);
    await agent.stop();

    const claimIds = platform.inputs('claim').map((claim) => claim['claimId']);
    expect(claimIds[2]).toBe(claimIds[1]);
    expect(platform.tasks.get(slow)?.result).toBe('kept');
    expect(platform.inputs('register')).toHaveLength(1);
  });
});
