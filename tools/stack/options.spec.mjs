import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StackError } from './errors.mjs';
import { parseOptions } from './options.mjs';

const PLACE = { env: {}, cwd: '/place', root: '/checkout' };

describe('the options of npm start', () => {
  it('have defaults', () => {
    assert.deepEqual(parseOptions([], PLACE), {
      once: false,
      example: true,
      inputDir: undefined,
      port: undefined,
      dataDir: '/checkout/.athena',
      separate: false,
    });
  });

  it('take values after a blank or an equals sign, relative to where the person is', () => {
    const args = ['--once', '--input', 'docs', '--port=9000', '--data-dir', '../data'];
    args.push('--separate');
    assert.deepEqual(parseOptions(args, PLACE), {
      once: true,
      example: true,
      inputDir: '/place/docs',
      port: 9000,
      dataDir: '/data',
      separate: true,
    });
  });

  it('win over the environment', () => {
    const env = { ATHENA_PORT: '7000', ATHENA_DATA_DIR: '/elsewhere' };
    const fromEnvironment = parseOptions([], { ...PLACE, env });
    const fromBoth = parseOptions(['--port', '9000', '--data-dir', 'here'], { ...PLACE, env });
    assert.deepEqual(pick(fromEnvironment), { port: 7000, dataDir: '/elsewhere' });
    assert.deepEqual(pick(fromBoth), { port: 9000, dataDir: '/place/here' });
  });

  it('ask for help', () => {
    assert.equal(parseOptions(['--help'], PLACE), 'help');
    assert.equal(parseOptions(['-h'], PLACE), 'help');
  });

  /** @type {[string[], NodeJS.ProcessEnv, RegExp][]} */
  const refused = [
    [['--seperate'], {}, /unknown option --seperate/],
    [['--separate=2'], {}, /--separate takes no value/],
    [['start'], {}, /unknown option start/],
    [['--port'], {}, /--port needs a value/],
    [['--input', '--once'], {}, /--input needs a value/],
    [['--port', 'http'], {}, /--port needs a number from 1 to 65535, not http/],
    [['--port', '0'], {}, /--port needs a number/],
    [['--port', '65536'], {}, /--port needs a number/],
    [['--once=yes'], {}, /--once takes no value/],
    [['--once', '--once'], {}, /--once is given twice/],
    [['--once', '--no-example'], {}, /contradict each other: --once runs the example/],
    [['--no-example', '--input', 'docs'], {}, /contradict each other: --input runs the example/],
    [[], { ATHENA_PORT: '-1' }, /ATHENA_PORT needs a number/],
  ];
  for (const [args, env, message] of refused) {
    it(`refuse ${JSON.stringify(args)} ${JSON.stringify(env)} with the usage and status 2`, () => {
      assert.throws(
        () => parseOptions(args, { ...PLACE, env }),
        (error) => {
          assert.ok(error instanceof StackError);
          assert.match(error.message, message);
          assert.match(error.message, /Usage: npm start/);
          assert.equal(error.status, 2);
          return true;
        },
      );
    });
  }
});

/** @param {ReturnType<typeof parseOptions>} options */
function pick(options) {
  assert.ok(options !== 'help');
  return { port: options.port, dataDir: options.dataDir };
}
