import { Agent, NonRetryable, readConnectionFile } from '@athena/sdk';
import { translate } from './define-a-task.js';

const { natsUrl, project, apiKey } = await readConnectionFile('.athena/connection.json');
const agent = new Agent({
  natsUrl,
  project,
  apiKey,
  agentId: 'translator-1',
  kind: 'translator',
  capabilities: ['translation'],
  concurrency: 3,
});

agent.handle(translate, async ({ text, to }, { signal, progress, log }) => {
  if (text.length > 5_000) throw new NonRetryable('texts may have 5,000 characters');
  progress(10, 'asking the model');
  const response = await fetch('http://127.0.0.1:9000/translate', {
    method: 'POST',
    body: JSON.stringify({ text, to }),
    signal, // Ends the work when the task is cancelled or the lease is lost.
  });
  if (!response.ok) throw new Error(`the model answered ${response.status}`); // Tried again.
  log.info('translated', { to });
  return { text: await response.text() };
});

await agent.start();
process.once('SIGTERM', () => void agent.stop());
