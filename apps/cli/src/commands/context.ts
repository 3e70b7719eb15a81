import { clientId } from '@athena/contracts';
import type { Arguments } from '../command/arguments.js';
import {
  type Command,
  CommandError,
  EXIT_OK,
  type Positional,
  UsageError,
} from '../command/command.js';
import { whereNats } from '../command/global-flags.js';
import { type Contexts, checkedContext, readContexts, writeContexts } from '../place/contexts.js';
import { table } from '../view/table.js';
import { asJson } from '../view/view.js';
import type { World } from '../world.js';

const nameOf: Positional = { name: 'name', summary: 'a name of your choice' };

const add: Command = {
  path: ['context', 'add'],
  summary: 'Store a platform and its key under a name; the first one is used at once.',
  positionals: [nameOf],
  flags: [
    { name: 'url', kind: 'text', value: 'url', summary: 'the gateway', required: true },
    {
      name: 'api-key',
      kind: 'text',
      value: 'key',
      summary: 'better as @file or - (stdin): command lines are seen by others',
      required: true,
    },
    ...whereNats,
    { name: 'use', kind: 'boolean', summary: 'use it from now on' },
  ],
  async run(given, world) {
    const name = given.positional('name') ?? '';
    if (!clientId.safeParse(name).success) {
      throw new UsageError('a context’s name is 1–128 of A–Z a–z 0–9 _ -');
    }
    const stored = await readContexts(world);
    const natsUrl = given.text('nats-url');
    const project = given.text('project');
    const context = checkedContext({
      url: given.text('url'),
      apiKey: given.text('api-key')?.trim(),
      ...(natsUrl === undefined ? {} : { natsUrl }),
      ...(project === undefined ? {} : { project }),
    });
    const first = Object.keys(stored.contexts).length === 0;
    const current = given.isOn('use') || first ? name : stored.current;
    const contexts = { ...stored.contexts, [name]: context };
    await writeContexts({ ...stored, current, contexts });
    return tell(given, world, { added: name, current });
  },
};

const use: Command = {
  path: ['context', 'use'],
  summary: 'Use a stored context from now on, where the command line names no other.',
  positionals: [{ ...nameOf, summary: 'a stored context' }],
  flags: [],
  async run(given, world) {
    const [stored, name] = await existing(given, world);
    await writeContexts({ ...stored, current: name });
    return tell(given, world, { current: name });
  },
};

const remove: Command = {
  path: ['context', 'remove'],
  summary: 'Forget a context and its key.',
  positionals: [{ ...nameOf, summary: 'a stored context' }],
  flags: [],
  async run(given, world) {
    const [stored, name] = await existing(given, world);
    const { [name]: _forgotten, ...contexts } = stored.contexts;
    const current = stored.current === name ? null : stored.current;
    await writeContexts({ ...stored, current, contexts });
    return tell(given, world, { removed: name, current });
  },
};

const list: Command = {
  path: ['context', 'list'],
  summary: 'The stored contexts, without their keys.',
  positionals: [],
  flags: [],
  async run(given, world) {
    const { current, contexts, path } = await readContexts(world);
    const shown = Object.entries(contexts).map(([name, { apiKey: _secret, ...rest }]) => ({
      name,
      current: name === current,
      ...rest,
    }));
    if (given.isOn('json')) world.out(asJson({ path, contexts: shown }));
    else if (shown.length === 0) world.out('no contexts; athena context add stores one');
    else {
      const head = ['', 'name', 'url', 'project', 'nats url'];
      const rows = shown.map((one) => [
        one.current ? '*' : '',
        one.name,
        one.url,
        one.project ?? '–',
        one.natsUrl ?? '–',
      ]);
      world.out(table(head, rows, world.columns));
    }
    return EXIT_OK;
  },
};

async function existing(given: Arguments, world: World): Promise<[Contexts, string]> {
  const name = given.positional('name') ?? '';
  const stored = await readContexts(world);
  if (Object.hasOwn(stored.contexts, name)) return [stored, name];
  const known = Object.keys(stored.contexts).join(', ') || 'none';
  throw new CommandError(`there is no context ${name}; known: ${known}`);
}

function tell(given: Arguments, world: World, done: Record<string, string | null>): number {
  const text = Object.entries(done).map(([what, name]) => `${what}: ${name ?? 'none'}`);
  world.out(given.isOn('json') ? asJson(done) : text.join('\n'));
  return EXIT_OK;
}

export const contextCommands: readonly Command[] = [add, use, list, remove];
