import { Agent, AthenaClient, defineTask, readConnectionFile } from '@athena/sdk';
import { z } from 'zod';

// One definition, shared by the side that submits and by the agent that handles.
const greet = defineTask({
  name: 'greet',
  requirements: ['greet'],
  input: z.object({ name: z.string() }),
  output: z.object({ text: z.string() }),
});

const { natsUrl, project, apiKey } = await readConnectionFile('.athena/connection.json');
const agent = new Agent({
  natsUrl,
  project,
  apiKey,
  agentId: 'greeter-1',
  capabilities: ['greet'],
});
agent.handle(greet, async ({ name }, { progress, signal }) => {
  progress(50, 'thinking of something kind');
  signal.throwIfAborted(); // Aborts when the task is cancelled or its lease is lost.
  return { text: `Hello, ${name}` };
});
await agent.start();

const athena = await AthenaClient.fromConnectionFile('.athena/connection.json');
const task = await athena.submit(greet, { name: 'Ada' });
console.log(await task.result({ timeoutMs: 10_000 })); // { text: 'Hello, Ada' }

await agent.stop();
await athena.close();
