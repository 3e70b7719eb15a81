import { type TimelineEvent, eventTimeline, limits } from '@athena/contracts';
import type { RawInput } from '@athena/operation';
import { type AthenaClient, AthenaError } from '@athena/sdk';
import type { Arguments } from '../command/arguments.js';
import { type Command, EXIT_OK } from '../command/command.js';
import { CALL_MS_DEFAULT, whereTo } from '../command/global-flags.js';
import { derive, inputOf } from '../derive/operation-command.js';
import { connected } from '../place/connected.js';
import { plain } from '../view/plain.js';
import { shorten } from '../view/table.js';
import type { World } from '../world.js';

type Search = RawInput<typeof eventTimeline>;

const FIELDS = ['after', 'since', 'type', 'aggregate', 'aggregateId', 'actor', 'correlation'];
const flags = derive(eventTimeline).flags.filter(({ field }) => FIELDS.includes(field));
const RETRY_MS = 1_000;

export const tailCommand: Command = {
  path: ['events', 'tail'],
  summary: 'Show events as they happen, one line each, until Ctrl-C.',
  positionals: [],
  flags: [...flags.map(({ flag }) => flag), ...whereTo],
  notes: [
    'Begins with what happens from now on, or behind --after, or at --since. Each line begins with\n' +
      'its position: --after with the last one goes on there, without a gap or a repeat.',
    '--json prints each event as one line of JSON. While the platform is away it tries again.',
  ],
  async run(given, world) {
    const search = inputOf(eventTimeline, { positionals: [], flags }, given) as Search;
    await connected(given, world, (client) => tail(client, search, given, world));
    return EXIT_OK;
  },
};

async function tail(
  client: AthenaClient,
  search: Search,
  given: Arguments,
  world: World,
): Promise<void> {
  const stopped = new AbortController();
  const forget = world.onStop(() => stopped.abort());
  const { signal } = stopped;
  const show = given.isOn('json')
    ? (event: TimelineEvent) => world.out(JSON.stringify(event))
    : (event: TimelineEvent) => world.out(shorten(lineOf(event), world.columns));
  try {
    let after = search.after ?? (search.since ? undefined : await now(client, search, signal));
    for (let answered = false; !signal.aborted; answered = true) {
      // The first look is short: whether the platform can be asked at all is told at once.
      const wait = answered ? limits.GET_WAIT_MS_MAX : 0;
      const next = await follow(client, { ...search, ...from(after), wait }, signal).catch(
        (error: unknown) => away(error, answered, signal, world),
      );
      for (const event of next?.events ?? []) show(event);
      after = next?.nextAfter ?? after;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    forget();
  }
}

const from = (after: string | undefined): { after?: string } =>
  after === undefined ? {} : { after };

/** Behind the last event that is there; before any, from the beginning. */
async function now(
  client: AthenaClient,
  search: Search,
  signal: AbortSignal,
): Promise<string | undefined> {
  const last = { ...search, order: 'desc', limit: 1 } as const;
  const answer = await client.call(eventTimeline, last, { signal, timeoutMs: CALL_MS_DEFAULT });
  return answer.nextAfter ?? undefined;
}

const follow = (client: AthenaClient, search: Search, signal: AbortSignal) => {
  const input = { ...search, limit: limits.PAGE_LIMIT_MAX };
  return client.call(eventTimeline, input, {
    signal,
    timeoutMs: CALL_MS_DEFAULT + limits.GET_WAIT_MS_MAX,
  });
};

/** What may pass is waited out, once the platform has answered at all. @throws all else */
async function away(
  error: unknown,
  answered: boolean,
  signal: AbortSignal,
  world: World,
): Promise<null> {
  const passing = error instanceof AthenaError && error.retryable;
  if (signal.aborted || !answered || !passing) throw error;
  world.err(`${plain(error.message)}; trying again`);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, RETRY_MS);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
  return null;
}

function lineOf({
  position,
  at,
  type,
  aggregate,
  aggregateId,
  actor,
  data,
}: TimelineEvent): string {
  const about = `${aggregate} ${aggregateId}`;
  return plain([position, at, type, about, actor ?? '–', JSON.stringify(data)].join('  '));
}
