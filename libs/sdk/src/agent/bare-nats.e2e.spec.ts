import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { KEY } from '../scenarios/gate.scenario.js';
import { ScriptedPlatform } from '../scenarios/scripted-platform.scenario.js';
import { until } from '../scenarios/until.scenario.js';

const PROGRAM = fileURLToPath(
  new URL('../../../../examples/agents/bare-nats.mjs', import.meta.url),
);

let platform: ScriptedPlatform;
beforeAll(async () => {
  platform = await ScriptedPlatform.start();
});
afterAll(() => platform.stop());

it('the agent without the SDK works by the same protocol', async () => {
  const env = { ...process.env, NATS_URL: platform.nats.url, ATHENA_API_KEY: KEY };
  const agent = spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(agent, 'exit');
  await once(agent.stdout, 'data');

  const first = platform.offer('greeting', 'hello');
  const state = (taskId: string) => platform.tasks.get(taskId)?.state;
  await until('the task is completed', () => state(first) === 'completed');
  platform.trouble('claim', 1);
  const second = platform.offer('greeting', 'again');
  await until('the next one too', () => state(second) === 'completed');
  agent.kill();
  await exited;

  expect(platform.tasks.get(first)?.result).toBe('HELLO!');
  expect(platform.inputs('register')).toEqual([{ capabilities: ['shout'], maxConcurrentTasks: 1 }]);
});
