import { AthenaClient } from '@athena/sdk';
import { translate } from './define-a-task.js';

const athena = await AthenaClient.fromConnectionFile('.athena/connection.json');
const sentences = ['High water is at noon.', 'Low water is at six.'];

// One request for all; each task may depend on others, by handle or by id.
const drafts = await athena.submitMany(
  translate,
  sentences.map((text) => ({ input: { text, to: 'fr' as const } })),
);
const review = await athena.tasks.create({
  taskType: 'review',
  requirements: ['review'],
  content: { drafts: drafts.map((draft) => draft.taskId) },
  dependencies: drafts.map((draft) => draft.taskId),
});
const results = await Promise.all(drafts.map((draft) => draft.result()));
console.log(review.taskId, results);
await athena.close();
