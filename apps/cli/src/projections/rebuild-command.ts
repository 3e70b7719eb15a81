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
import { plain } from '../view/plain.js';
import { asJson, view } from '../view/view.js';
import type { World } from '../world.js';

type Exchange = typeof rebuildProjection | typeof rollbackProjection;

const LOOK_MS = 500;
/** Where the output is no terminal, progress is told in steps of this share. */
const STEP = 0.1;

const detachFlag = {
  name: 'detach',
  kind: 'boolean',
  summary: 'only ask for it; athena projections list tells how far it is',
} as const;

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
        return watch(client, input.name, asked, world);
      });
      return conclude(job, given, world);
    },
  };
};

export const projectionCommands = [rebuildProjection, rollbackProjection].map(exchangeCommand);

const isOver = ({ state }: ProjectionJob): boolean => state !== 'requested' && state !== 'running';

/** The job as it stands in the end, or when the watching was stopped. */
async function watch(
  client: AthenaClient,
  name: string,
  asked: ProjectionJob,
  world: World,
): Promise<ProjectionJob> {
  const stopped = new AbortController();
  const forget = world.onStop(() => stopped.abort());
  const show = progressOf(world);
  let job = asked;
  try {
    for (show(name, job); !isOver(job) && !stopped.signal.aborted; show(name, job)) {
      await pause(stopped.signal);
      job = (await look(client, name, asked.id, stopped.signal)) ?? job;
    }
  } finally {
    world.redraw?.('');
    forget();
  }
  return job;
}

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

/** On a terminal one line that is drawn anew; elsewhere a line at each step. */
function progressOf(world: World): (name: string, job: ProjectionJob) => void {
  let told = '';
  return (name, job) => {
    if (isOver(job)) return;
    if (world.redraw) return world.redraw(progressLine(name, job));
    const step = `${job.state} ${Math.floor(job.progress / STEP)}`;
    if (step !== told) world.err(progressLine(name, job));
    told = step;
  };
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

const pause = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => (clearTimeout(timer), resolve());
    const timer = setTimeout(done, LOOK_MS);
    signal.addEventListener('abort', done, { once: true });
  });
