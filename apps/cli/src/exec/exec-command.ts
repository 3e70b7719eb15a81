import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { clientId, limits } from '@athena/contracts';
import type { AgentNotice } from '@athena/sdk';
import type { Arguments } from '../command/arguments.js';
import {
  type Command,
  CommandError,
  EXIT_INTERRUPTED,
  EXIT_OK,
  UsageError,
} from '../command/command.js';
import { whereNats, whereTo } from '../command/global-flags.js';
import { type Target, WAYS, findTarget } from '../place/target.js';
import { plain } from '../view/plain.js';
import type { World } from '../world.js';
import { ExecAgent, type ExecOptions } from './exec-agent.js';

const CONCURRENCY_DEFAULT = 1;
const DRAIN_MS_DEFAULT = 30_000;

const notes = `For every task the command is run once, with the task's content as JSON on stdin, or
with --stdin one field of it: a text as it is, without a newline added, all else as JSON.
What it writes to stdout is the result: JSON as it is, other text as {"text": …}.
  exit 0          the task is completed
  exit 64 to 78   failed for good (sysexits.h), except 75 (EX_TEMPFAIL)
  any other       failed, and tried again as the task's attempts allow
The last lines of stderr become the error. A line "progress 50 half way" on stderr
reports progress. The environment has ATHENA_TASK_ID, ATHENA_TASK_TYPE and ATHENA_ATTEMPT.
After --timeout, and when the task is cancelled or given to another agent, the command
and all that it started get SIGTERM, and SIGKILL 5 s later; a time-out is tried again.
Ctrl-C takes no new tasks and lets commands finish; a second Ctrl-C kills them, which
counts as a failed attempt.`;

export const execCommand: Command = {
  path: ['agent', 'exec'],
  summary: 'Be an agent whose work is done by a command: JSON on stdin, result on stdout.',
  positionals: [],
  rest: { name: 'command…', summary: 'the program and its arguments' },
  flags: [
    {
      name: 'capability',
      kind: 'list',
      value: 'name,…',
      summary: 'what it can do',
      required: true,
    },
    {
      name: 'task-type',
      kind: 'list',
      value: 'name,…',
      summary: 'tasks of other types are sent back (default: any type)',
    },
    {
      name: 'agent-id',
      kind: 'text',
      value: 'id',
      summary: 'stays registered; default: a new one, which is deregistered at the end',
    },
    {
      name: 'stdin',
      kind: 'text',
      value: 'field',
      summary: 'the field of the content that goes to stdin (default: all of it)',
    },
    { name: 'kind', kind: 'text', value: 'id', summary: 'default: exec- and the program’s name' },
    {
      name: 'concurrency',
      kind: 'number',
      value: 'n',
      summary: `commands at a time, 1 to ${limits.MAX_CONCURRENT_TASKS_MAX} (default: 1)`,
    },
    { name: 'timeout', kind: 'duration', value: 'time', summary: 'for one run (default: none)' },
    {
      name: 'drain-timeout',
      kind: 'duration',
      value: 'time',
      summary: 'how long Ctrl-C lets commands finish (default: 30s)',
    },
    ...whereTo,
    ...whereNats,
  ],
  notes: [notes],
  async run(given, world) {
    const options = await optionsOf(given, world);
    return serve(options, given, world);
  },
};

async function optionsOf(given: Arguments, world: World): Promise<ExecOptions> {
  const target = await findTarget(given, world);
  const concurrency = given.number('concurrency') ?? CONCURRENCY_DEFAULT;
  const { MAX_CONCURRENT_TASKS_MAX: most } = limits;
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > most) {
    throw new UsageError(`--concurrency is 1 to ${most}`);
  }
  const command = given.rest;
  const program = idFrom(`exec-${basename(command[0] ?? '')}`);
  return {
    natsUrl: natsUrlOf(target),
    project: target.project,
    apiKey: target.apiKey,
    agentId: checkedId('agent-id', given) ?? idFrom(`${program}-${hostname()}`) + randomEnd(),
    kind: checkedId('kind', given) ?? program,
    capabilities: given.list('capability'),
    taskTypes: [...new Set(given.list('task-type'))],
    concurrency,
    timeoutMs: given.number('timeout'),
    drainTimeoutMs: given.number('drain-timeout') ?? DRAIN_MS_DEFAULT,
    stdinField: given.text('stdin'),
    command,
    onNotice: teller(given.isOn('json'), world),
  };
}

export function natsUrlOf({ natsUrl, source }: Target): string {
  if (natsUrl !== undefined) return natsUrl;
  throw new CommandError(
    `agents connect over NATS, and ${source} doesn’t say where that is`,
    `Add --nats-url or NATS_URL. ${WAYS}`,
  );
}

function checkedId(flag: string, given: Arguments): string | undefined {
  const id = given.text(flag);
  if (id === undefined || clientId.safeParse(id).success) return id;
  throw new UsageError(`--${flag} is 1–128 of A–Z a–z 0–9 _ -`);
}

const ID_LENGTH_MAX = 100;
const idFrom = (text: string): string =>
  text.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, ID_LENGTH_MAX);
const randomEnd = (): string => `-${randomBytes(4).toString('hex')}`;

/** Serves until Ctrl-C; the second one ends the commands, a third one ends without reporting. */
async function serve(options: ExecOptions, given: Arguments, world: World): Promise<number> {
  const agent = new ExecAgent(options, world);
  const [asked, gaveUp] = [new AbortController(), new AbortController()];
  let times = 0;
  const forget = world.onStop(() => {
    times += 1;
    asked.abort();
    if (times > 1) agent.kill();
    if (times > 2) gaveUp.abort();
  });
  try {
    const ended = agent
      .start()
      .then(() => untilAborted(asked.signal))
      .then(() => agent.stop(!given.has('agent-id')));
    await Promise.race([ended, untilAborted(gaveUp.signal)]);
    return times > 1 ? EXIT_INTERRUPTED : EXIT_OK;
  } finally {
    forget();
  }
}

/** Says what happens: as JSON lines on stdout, or in words on stderr. */
function teller(json: boolean, world: World): (notice: AgentNotice) => void {
  if (json) {
    return (notice) => world.out(JSON.stringify({ at: new Date().toISOString(), ...said(notice) }));
  }
  return (notice) => {
    const { type, ...fields } = said(notice);
    const words = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
    world.err(plain(['agent', type, ...words].join(' ')));
  };
}

/** Errors don't show in JSON by themselves. */
function said(notice: AgentNotice): Record<string, unknown> & { readonly type: string } {
  if (notice.type !== 'trouble') return { ...notice };
  const { error } = notice;
  return { ...notice, error: error instanceof Error ? error.message : String(error) };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
