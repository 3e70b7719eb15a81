import type { TimelineEvent } from '@athena/contracts';
import type { AthenaClient } from '@athena/sdk';
import type { Arguments } from '../command/arguments.js';
import { type Command, EXIT_OK } from '../command/command.js';
import { whereTo } from '../command/global-flags.js';
import { connected } from '../place/connected.js';
import { plain } from '../view/plain.js';
import { shorten } from '../view/table.js';
import type { World } from '../world.js';

const TASK_ID = 'task-id';

export const watchCommand: Command = {
  path: ['task', 'watch'],
  summary: 'Show what happens to a task as it happens, until it is finished or Ctrl-C.',
  positionals: [{ name: TASK_ID, summary: '' }],
  flags: [
    { name: 'after', kind: 'text', value: 'text', summary: 'go on behind this position' },
    ...whereTo,
  ],
  notes: [
    'Begins with the task’s creation: attempts, progress with message and partial output, lines of\n' +
      'log, the outcome. --json prints each event as one line of JSON with its position, which\n' +
      '--after takes to go on there without a gap or a repeat.',
  ],
  async run(given, world) {
    await connected(given, world, (client) => watch(client, given, world));
    return EXIT_OK;
  },
};

async function watch(client: AthenaClient, given: Arguments, world: World): Promise<void> {
  const stopped = new AbortController();
  const forget = world.onStop(() => stopped.abort());
  const { signal } = stopped;
  const taskId = given.positional(TASK_ID) as string;
  try {
    for await (const event of client.tasks.watch(taskId, { after: given.text('after'), signal })) {
      if (given.isOn('json')) world.out(JSON.stringify(event));
      else for (const line of linesOf(event)) world.out(shorten(line, world.columns));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    forget();
  }
}

interface Progressed {
  readonly percent?: number;
  readonly message?: string;
  readonly output?: unknown;
  readonly log?: readonly string[];
}

/** One line for the event, and one for each line of log that it brings. */
function linesOf({ at, type, data }: TimelineEvent): string[] {
  if (type !== 'TaskProgressed') return [plain([at, type, JSON.stringify(data)].join('  '))];
  const { percent, message, output, log = [] } = data as Progressed;
  const told = [
    percent === undefined ? [] : [`${percent} %`],
    message === undefined ? [] : [message],
    output === undefined ? [] : [JSON.stringify(output)],
  ].flat();
  const lines = log.map((line) => `${at}  | ${line}`);
  return [...(told.length > 0 ? [[at, type, ...told].join('  ')] : []), ...lines].map(plain);
}
