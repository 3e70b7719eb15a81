import { createTask, findAgents, getTask, operations, registerAgent } from '@athena/contracts';
import type { Operation } from '@athena/operation';
import { describe, expect, it } from '@jest/globals';
import { everywhere, timeoutFlag, whereTo } from '../command/global-flags.js';
import { commandHelp } from '../command/help.js';
import { allCommands } from '../commands.js';
import { parsed } from '../scenarios/world.scenario.js';
import { JSON_BYTES_MAX } from './flag.js';
import { derive, inputOf, operationCommand } from './operation-command.js';
import { inputSchema } from './schema.js';

const outside = operations.filter(({ scope }) => scope !== undefined);
const named = outside.map((operation): [string, Operation] => [operation.name, operation]);
const input = async (operation: Operation, ...argv: string[]): Promise<unknown> =>
  inputOf(operation, derive(operation), await parsed(operationCommand(operation), argv));

describe('every operation', () => {
  it.each(named)(
    '%s has a command that fills each of its fields, and says so',
    (_name, operation) => {
      const { positionals, flags } = derive(operation);
      const filled = [...positionals, ...flags].map(({ field }) => field);
      const fields = Object.keys(inputSchema(operation).properties ?? {});
      expect(filled.sort()).toEqual(fields.filter((field) => field !== 'idempotencyKey').sort());
      const help = commandHelp(operationCommand(operation));
      for (const { flag } of flags) {
        expect(help).toContain(flag.kind === 'boolean' ? flag.name : `--${flag.name} <`);
      }
      for (const { name } of positionals) expect(help).toContain(`<${name}>`);
    },
  );

  it.each(named)('%s has options that hide none of every command', (_name, operation) => {
    const taken = [...everywhere, ...whereTo, timeoutFlag].map(({ name }) => name);
    const own = derive(operation).flags.flatMap(({ flag }) => [flag.name, flag.alias]);
    expect(own.filter((name) => name !== undefined && taken.includes(name))).toEqual([]);
  });

  it('is reached by noun and verb, and nothing has the name of another', () => {
    const names = allCommands().map(({ path }) => path.join(' '));
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['task create-batch', 'agent learn-capability']));
    for (const name of names) {
      expect(names.filter((other) => other.startsWith(`${name} `))).toEqual([]);
    }
  });
});

describe('an input', () => {
  it('is made of positionals and options', async () => {
    const argv = ['--content', '{"n":1}', '--task-type', 'sum', '--requirements', 'a,b'];
    expect(await input(createTask, ...argv, '--no-auto-route')).toEqual({
      content: { n: 1 },
      taskType: 'sum',
      requirements: ['a', 'b'],
      autoRoute: false,
    });
  });

  it('uses the names of REST’s queries, and knows those of the fields too', async () => {
    expect(await input(findAgents, '--capability', 'a')).toEqual({ requirements: ['a'] });
    expect(await input(findAgents, '--requirements', 'a')).toEqual({ requirements: ['a'] });
  });

  it('that its schema refuses is refused by the option’s name', async () => {
    await expect(input(getTask, 'x')).rejects.toThrow('<taskId>: use a UUID');
    const argv = ['a', '--capabilities', 'x', '--max-concurrent-tasks', '0'];
    await expect(input(registerAgent, ...argv)).rejects.toThrow(/^--max-concurrent-tasks: /);
  });
});

it('the sizes of JSON that the help names are those of the contracts', () => {
  for (const operation of outside) {
    for (const field of Object.keys(JSON_BYTES_MAX)) {
      const shape = (operation.input as { shape?: Record<string, Operation['input']> }).shape;
      const schema = shape?.[field];
      const bytes = JSON_BYTES_MAX[field] ?? 0;
      const flag = derive(operation).flags.find((one) => one.field === field)?.flag;
      if (!schema || flag?.kind !== 'json') continue;
      const value = (size: number) => ({ k: 'x'.repeat(size - '{"k":""}'.length) });
      expect(schema.safeParse(value(bytes)).success).toBe(true);
      expect(schema.safeParse(value(bytes + 1)).success).toBe(false);
    }
  }
});
