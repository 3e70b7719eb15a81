import { describe, expect, it } from '@jest/globals';
import { parsed, saying } from '../scenarios/world.scenario.js';
import type { Command, Flag } from './command.js';

const flags: readonly Flag[] = [
  { name: 'name', kind: 'text', summary: '' },
  { name: 'tags', alias: 'labels', kind: 'list', summary: '' },
  { name: 'size', kind: 'number', summary: '' },
  { name: 'fast', kind: 'boolean', summary: '' },
  { name: 'content', kind: 'json', summary: '' },
  { name: 'error', kind: 'jsonOrText', summary: '' },
  { name: 'wait', kind: 'duration', summary: '' },
];
const command: Command = {
  path: ['thing', 'do'],
  summary: '',
  positionals: [{ name: 'id', summary: '' }],
  flags,
  run: async () => 0,
};
const exec: Command = { ...command, positionals: [], rest: { name: 'command', summary: '' } };

const value = async (flag: string, ...argv: string[]): Promise<unknown> =>
  (await parsed(command, ['x', ...argv])).value(flag);

describe('a command line', () => {
  it('gives positionals and options in any order', async () => {
    const given = await parsed(command, ['--name', 'a', 'x', '--size=3']);
    expect([given.positional('id'), given.text('name'), given.number('size')]).toEqual([
      'x',
      'a',
      3,
    ]);
  });

  it('gathers lists by repetition and by commas, under either name', async () => {
    expect(await value('tags', '--tags', 'a, b', '--labels', 'c')).toEqual(['a', 'b', 'c']);
  });

  it('turns booleans on and off', async () => {
    expect(await value('fast', '--fast')).toBe(true);
    expect(await value('fast', '--no-fast')).toBe(false);
    expect(await value('fast', '--fast=false')).toBe(false);
    expect(await value('fast')).toBeUndefined();
  });

  it('reads JSON, times and errors in words', async () => {
    expect(await value('content', '--content', '[1,{"a":null}]')).toEqual([1, { a: null }]);
    expect(await value('wait', '--wait', '1.5s')).toBe(1_500);
    expect(await value('error', '--error', 'out of disk')).toBe('out of disk');
    expect(await value('error', '--error', '{"message":"m"}')).toEqual({ message: 'm' });
  });

  it('reads stdin for -, files for @, and takes @@ for a letter', async () => {
    const given = await parsed(command, ['x', '--content', '-'], '{"from":"stdin"}');
    expect(given.value('content')).toEqual({ from: 'stdin' });
    expect(await value('name', '--name', '@@home')).toBe('@home');
    await expect(value('name', '--name', '@missing')).rejects.toThrow(
      /--name: .*missing can’t be read/,
    );
  });

  it('leaves what stands behind -- alone', async () => {
    const given = await parsed(exec, ['--name', 'a', '--', 'sh', '-c', '--name b', '--fast']);
    expect([given.rest, given.isOn('fast')]).toEqual([['sh', '-c', '--name b', '--fast'], false]);
  });

  const mistakes: [string[], RegExp][] = [
    [[], /<id> is missing/],
    [['x', 'y'], /one argument too many: y/],
    [['x', '--nmae', 'a'], /no option --nmae; did you mean --name\?/],
    [['x', '--name'], /--name needs a value/],
    [['x', '--name', '--fast'], /--name needs a value/],
    [['x', '--name', 'a', '--name', 'b'], /--name was given twice/],
    [['x', '--size', 'big'], /--size needs a number/],
    [['x', '--fast=maybe'], /--fast is on or off/],
    [['x', '--content', 'word'], /--content is no JSON.*'"word"'/],
    [['x', '--wait', 'soon'], /--wait needs a time/],
    [['x', '--content', '-', '--name', '-'], /can’t both read stdin/],
  ];
  it.each(mistakes)('refuses %j', async (argv, message) => {
    await expect(parsed(command, argv)).rejects.toThrow(message);
  });
});

describe('athena', () => {
  it('shows its commands, those of a noun, and one command', async () => {
    expect((await saying('--help'))[1]).toMatch(/task create +\S/);
    expect((await saying('help', 'key'))[1]).toMatch(/Usage: athena key <command>[^]* create +\S/);
    const help = (await saying('task', 'create', '--help'))[1];
    expect((await saying('help', 'task', 'create'))[1]).toBe(help);
    expect((await saying('--json', 'task', 'create', '-h'))[1]).toBe(help);
  });

  it('calls for a command where there is none, with status 2', async () => {
    expect(await saying()).toMatchObject([0, expect.stringContaining('Usage'), '']);
    expect(await saying('task')).toMatchObject([2, '', expect.stringContaining('Usage')]);
    expect(await saying('tsak')).toMatchObject([2, '', expect.stringContaining('athena task?')]);
  });

  it('completes in bash and in zsh', async () => {
    const [, bash] = await saying('completion', 'bash');
    expect(bash).toContain("'task create --priority') words='low medium high'");
    expect((await saying('completion', 'zsh'))[1]).toContain('#compdef athena');
    expect((await saying('completion', 'fish'))[0]).toBe(2);
  });
});
