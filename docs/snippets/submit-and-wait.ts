import { AthenaClient, TaskFailedError } from '@athena/sdk';
import { translate } from './define-a-task.js';

const athena = await AthenaClient.fromConnectionFile('.athena/connection.json');

const task = await athena.submit(translate, { text: 'The tide is out.', to: 'de' });
console.log((await athena.tasks.why({ taskId: task.taskId })).detail);

try {
  const { text } = await task.result({ timeoutMs: 60_000 });
  console.log(text);
} catch (error) {
  if (!(error instanceof TaskFailedError)) throw error;
  console.error(`no attempt succeeded: ${error.error?.message}`);
}
await athena.close();
