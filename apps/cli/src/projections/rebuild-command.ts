import {
  type ProjectionJob,
  listProjections,
  rebuildProjection,
  rollbackProjection,
} from '@athena/contracts';
import { type AthenaClient, AthenaError } from '@athena/sdk';
import type { Arguments } from '../command/arguments.js';
import { type Command, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK } from '../command/command.js';
import { formatDuration } from '../command/duration.js';
import { CALL_MS_DEFAULT } from '../command/global-flags.js';
import { derive, inputOf, operationCommand } from '../derive/operation-command.js';
import { connected } from '../place/connected.js';
import { type Watched, detach, watch } from '../command/watched-job.js';
import { plain } from '../view/plain.js';
import { asJson, view } from '../view/view.js';
import type { World } from '../world.js';

type Exchange = typeof rebuildProjection | typeof rollbackProjection;

const detachFlag = detach('athena projections list tells how far it is');

/** The operation's own command, which also waits until what it asks for is done. */
const exchangeCommand = (operation: Exchange): Command => {
  const derived = operationCommand(operation);
  return {
    ...derived,
    flags: [detachFlag, ...derived.flags],
    notes: [
      'Shows the progress until it is done; Ctrl-C ends the showing, not the work.\n' +
        'Exit status 1 where it failed.',
      ...(derived.notes ?? []),
    ],
    async run(given, world) {
      if (given.isOn('detach')) return derived.run(given, world);
      const input = inputOf(operation, derive(operation), given) as { name: string };
      const id = given.text('idempotency-key');
      const job = await connected(given, world, async (client) => {
        const timeoutMs = given.number('timeout') ?? CALL_MS_DEFAULT;
        const options = { timeoutMs, ...(id !== undefined && { idempotencyKey: id }) };
        const asked = await client.call(operation, input, options);
        return watch(asked, watched(client, input.name), world);
      });
      return conclude(job, given, world);
    },
  };
};

export const projectionCommands = [rebuildProjection, rollbackProjection].map(exchangeCommand);

const isOver = ({ state }: ProjectionJob): boolean => state !== 'requested' && state !== 'running';

const watched = (client: AthenaClient, name: string): Watched<ProjectionJob> => ({
  isOver,
  look: (job, signal) => look(client, name, job.id, signal),
  share: ({ progress }) => progress,
  line: (job) => progressLine(name, job),
});

/** Undefined: it can't be asked now. @throws AthenaError where asking again won't help */
async function look(
  client: AthenaClient,
  name: string,
  id: string,
  signal: AbortSignal,
): Promise<ProjectionJob | undefined> {
  try {
    const { projections } = await client.call(listProjections, {}, { signal });
    const jobs = projections.flatMap((one) => (one.name === name && one.job ? [one.job] : []));
    return jobs.find((job) => job.id === id) ?? replaced(jobs);
  } catch (error) {
    if (signal.aborted || (error instanceof AthenaError && error.retryable)) return undefined;
    throw error;
  }
}

/** Somebody asked for another one since: ours is over, but how it ended is not known any more. */
function replaced(jobs: readonly ProjectionJob[]): ProjectionJob | undefined {
  const [other] = jobs;
  return other && { ...other, state: 'failed', error: `${other.kind} ${other.id} came after it` };
}

const progressLine = (name: string, job: ProjectionJob): string =>
  plain(
    job.state === 'requested'
      ? `${name}: ${job.kind} requested`
      : `${name}: ${job.kind} ${Math.floor(job.progress * 100)} %, ${job.events} events, ` +
          formatDuration(job.seconds * 1_000),
  );

function conclude(job: ProjectionJob, given: Arguments, world: World): number {
  world.out(given.isOn('json') ? asJson(job) : view(job, world.columns));
  if (!isOver(job)) world.err('It goes on; athena projections list tells how far it is.');
  else if (job.state === 'failed') world.err(`It failed: ${plain(job.error ?? 'for no reason')}`);
  if (!isOver(job)) return EXIT_INTERRUPTED;
  return job.state === 'failed' ? EXIT_FAILED : EXIT_OK;
}
