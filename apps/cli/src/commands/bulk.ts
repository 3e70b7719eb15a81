import { type BulkStatus, bulkStatus, bulkTasks } from '@athena/contracts';
import { type AthenaClient, AthenaError } from '@athena/sdk';
import type { RawInput } from '@athena/operation';
import type { Arguments } from '../command/arguments.js';
import { type Command, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK } from '../command/command.js';
import { CALL_MS_DEFAULT } from '../command/global-flags.js';
import { type Watched, detach, watch } from '../command/watched-job.js';
import { derive, inputOf, operationCommand } from '../derive/operation-command.js';
import { connected } from '../place/connected.js';
import { plain } from '../view/plain.js';
import { asJson, view } from '../view/view.js';
import type { World } from '../world.js';

const derived = operationCommand(bulkTasks);

/** The operation's own command, which also waits until all tasks are done. */
export const bulkCommand: Command = {
  ...derived,
  flags: [detach('athena task bulk-status tells how far it is'), ...derived.flags],
  notes: [
    'Shows the progress until it is done; Ctrl-C ends the showing, not the work.\n' +
      'Begin with --dry-run. Exit status 1 where it failed or a task was refused.',
    ...(derived.notes ?? []),
  ],
  async run(given, world) {
    if (given.isOn('detach') || given.isOn('dry-run')) return derived.run(given, world);
    const input = inputOf(bulkTasks, derive(bulkTasks), given) as RawInput<typeof bulkTasks>;
    const key = given.text('idempotency-key');
    const job = await connected(given, world, async (client) => {
      const timeoutMs = given.number('timeout') ?? CALL_MS_DEFAULT;
      const options = { timeoutMs, ...(key !== undefined && { idempotencyKey: key }) };
      const { bulkId, matched } = await client.call(bulkTasks, input, options);
      const { action } = input;
      const begun: Job = { bulkId: bulkId ?? '', action, state: 'running', matched, done: 0 };
      return watch(begun, watched(client), world);
    });
    return conclude(job, given, world);
  },
};

/** What is known of it before it was looked at, and then. */
type Job = Pick<BulkStatus, 'bulkId' | 'action' | 'state' | 'matched' | 'done'> &
  Partial<BulkStatus>;

const isOver = ({ state }: Job): boolean => state !== 'running';

const watched = (client: AthenaClient): Watched<Job> => ({
  isOver,
  look: ({ bulkId }, signal) => look(client, bulkId, signal),
  share: ({ done, matched }) => done / Math.max(1, matched),
  line: ({ action, done, matched }) => plain(`${action}: ${done} of ${matched} tasks`),
});

/** Undefined: it can't be asked now. @throws AthenaError where asking again won't help */
async function look(
  client: AthenaClient,
  bulkId: string,
  signal: AbortSignal,
): Promise<Job | undefined> {
  try {
    return await client.call(bulkStatus, { bulkId }, { signal });
  } catch (error) {
    if (signal.aborted || (error instanceof AthenaError && error.retryable)) return undefined;
    throw error;
  }
}

function conclude(job: Job, given: Arguments, world: World): number {
  const { bulkId, state, error, done, changed } = job;
  world.out(given.isOn('json') ? asJson(job) : view(job, world.columns));
  if (!isOver(job)) {
    world.err(`It goes on; athena task bulk-status ${bulkId} tells how far it is.`);
    return EXIT_INTERRUPTED;
  }
  if (state === 'failed') world.err(`It failed: ${plain(error ?? 'for no reason')}`);
  return state === 'failed' || changed !== done ? EXIT_FAILED : EXIT_OK;
}
