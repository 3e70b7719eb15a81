import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Agent, defineTask } from '@athena/sdk';
import { TestAthena } from '@athena/sdk/testing';
import { z } from 'zod';

const summarise = defineTask({
  name: 'summarise',
  requirements: ['summaries'],
  input: z.object({ text: z.string() }),
  output: z.object({ summary: z.string() }),
});

// The code under test says what an agent does, and leaves to others where the agent lives.
const summarises = (agent: Agent, model: (text: string) => Promise<string>): Agent =>
  agent.handle(summarise, async ({ text }) => ({ summary: await model(text) }));

void test('a model that is overloaded is asked again later', async () => {
  const athena = await TestAthena.start();
  const client = await athena.client();
  let calls = 0;
  const model = async (): Promise<string> => {
    calls += 1;
    await athena.sleep('20s'); // Virtual: the test does not wait.
    if (calls < 3) throw new Error('overloaded');
    return 'It is about tides.';
  };
  const agent = athena.newAgent({ id: 'summariser-1', capabilities: ['summaries'] });
  await summarises(agent, model).start();

  const task = await client.submit(summarise, { text: 'High water is at noon …' });
  assert.deepEqual(await athena.until(task.result()), { summary: 'It is about tides.' });

  const failures = athena.events(task.taskId).filter(({ type }) => type === 'AttemptFailed');
  assert.equal(failures.length, 2);
  await athena.stop();
});

void test('the work of an agent that dies goes to another', async () => {
  const athena = await TestAthena.start();
  const client = await athena.client();
  const [first, second] = ['summariser-1', 'summariser-2'].map((id) =>
    athena.newAgent({ id, capabilities: ['summaries'] }),
  ) as [Agent, Agent];
  await summarises(first, () => athena.sleep('1h').then(() => 'too late')).start();
  const task = await client.submit(summarise, { text: 'High water is at noon …' });
  await athena.settle();
  assert.equal(await task.status(), 'running');

  await summarises(second, async () => 'It is about tides.').start();
  await athena.kill(first);
  await athena.advance('10s');

  assert.deepEqual(await task.result(), { summary: 'It is about tides.' });
  await athena.stop();
});
