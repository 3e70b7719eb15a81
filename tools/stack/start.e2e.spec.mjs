import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chooseFreePort } from './ports.mjs';
import { identify } from './process-identity.mjs';
import { startNats, startPostgres } from './servers.mjs';

// The real `npm start` with real servers, in a checkout whose app and example are a few lines.
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LINE_MS_MAX = 20_000;
const OUTPUT_MS_MAX = 500;

const APP = `
  import { createServer } from 'node:http';
  console.log(JSON.stringify({ msg: 'environment', env: process.env }));
  const answer = (request, response) => response.end('ok');
  const { ATHENA_HOST: host, ATHENA_HTTP_PORT: http, ATHENA_MANAGEMENT_PORT: management } = process.env;
  const servers = [http, management].filter(Boolean).map((port) => createServer(answer).listen(port, host));
  process.on('SIGTERM', () => {
    console.log(JSON.stringify({ msg: 'asked to stop' }));
    for (const server of servers) { server.closeAllConnections(); server.close(); }
  });
`;
const SERVICES = [
  'task-queue',
  'agent-registry',
  'router',
  'episodic-memory',
  'consolidation',
  'gateway',
];
const APPS = ['standalone', ...SERVICES];
const EXAMPLE = `
  import { readFileSync, writeFileSync } from 'node:fs';
  const { argv } = process;
  const value = (name) => argv[argv.indexOf(name) + 1];
  const { gatewayUrl } = JSON.parse(readFileSync(value('--connection'), 'utf8'));
  if ((await fetch(gatewayUrl)).status !== 200) throw new Error('no gateway');
  console.error('example: reading');
  if (argv.includes('--input') && value('--input').endsWith('bad')) process.exit(4);
  writeFileSync(value('--report'), '# Report');
  console.log('working');
  console.log(JSON.stringify({ report: value('--report'), tasks: 7, agents: 3, ms: 12 }));
`;

/** @type {string} */
let checkout;
/** @type {Started[]} */
let started = [];

/**
 * @typedef {object} Started
 * @property {number} pid
 * @property {() => string} output
 * @property {(pattern: RegExp) => Promise<RegExpExecArray>} line
 * @property {Promise<number | NodeJS.Signals>} ended
 * @property {(signal: NodeJS.Signals) => void} signal
 */

/**
 * @param {string[]} args
 * @param {{ npm?: boolean, env?: NodeJS.ProcessEnv }} [how]
 * @returns {Started}
 */
function start(args, { npm = false, env = {} } = {}) {
  const clean = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_TEST)/.test(name));
  const [command, given] = npm
    ? ['npm', ['start', '--', ...args]]
    : [process.execPath, [join(checkout, 'tools/stack/start.mjs'), ...args]];
  const child = spawn(command, given, {
    cwd: checkout,
    env: { ...Object.fromEntries(clean), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  /** @type {Promise<number | NodeJS.Signals>} */
  const ended = new Promise((resolve) => {
    child.once('exit', async (code, signal) => {
      // Its last output follows, unless a process that outlived it holds the pipe.
      await Promise.race([once(child, 'close'), sleep(OUTPUT_MS_MAX)]);
      resolve(signal ?? /** @type {number} */ (code));
    });
  });
  let isOver = false;
  void ended.then(() => (isOver = true));
  const one = {
    pid: /** @type {number} */ (child.pid),
    output: () => output,
    line: async (/** @type {RegExp} */ pattern) => {
      const until = Date.now() + LINE_MS_MAX;
      for (;;) {
        const match = pattern.exec(output);
        if (match) return match;
        assert.ok(!isOver && Date.now() < until, `no ${pattern} in:\n${output}`);
        await sleep(20);
      }
    },
    ended,
    signal: (/** @type {NodeJS.Signals} */ name) => void child.kill(name),
  };
  started.push(one);
  return one;
}

/** @param {string} dataDir @returns {Promise<any>} */
const connectionOf = async (dataDir) =>
  JSON.parse(await readFile(join(dataDir, 'connection.json'), 'utf8'));

/** @param {string} dataDir @returns {Promise<{ name: string, pid: number }[]>} */
const processesOf = async (dataDir) =>
  JSON.parse(await readFile(join(dataDir, 'run/processes.json'), 'utf8'));

/** @param {() => Promise<boolean>} condition */
async function eventually(condition) {
  const until = Date.now() + LINE_MS_MAX;
  while (!(await condition())) {
    assert.ok(Date.now() < until, `not so after ${LINE_MS_MAX} ms`);
    await sleep(50);
  }
}

/** @param {readonly { pid: number }[]} processes */
async function allGone(processes) {
  const found = await Promise.all(processes.map(({ pid }) => identify(pid)));
  return found.every((identity) => identity === null);
}

before(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'athena-start-'));
  /** @type {Record<string, string>} */
  const files = {
    'package.json': JSON.stringify({
      name: 'athena',
      type: 'module',
      engines: { node: '>=20.19' },
      scripts: { start: 'node tools/stack/start.mjs' },
    }),
    'package-lock.json': JSON.stringify({ packages: { '': {} } }),
    'node_modules/.package-lock.json': JSON.stringify({ packages: {} }),
    'tools/build.mjs': `console.log('built 0 projects');`,
    ...Object.fromEntries(APPS.map((app) => [`apps/${app}/dist/main.js`, APP])),
    'examples/research/dist/main.js': EXAMPLE,
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(checkout, path)), { recursive: true });
    await writeFile(join(checkout, path), text);
  }
  await cp(join(ROOT, 'tools/stack'), join(checkout, 'tools/stack'), { recursive: true });
  await cp(join(ROOT, 'docker/nats'), join(checkout, 'docker/nats'), { recursive: true });
});
afterEach(async () => {
  for (const { signal, ended } of started) {
    signal('SIGTERM');
    await ended;
  }
  started = [];
});
after(() => rm(checkout, { recursive: true, force: true }));

describe('npm start', { concurrency: false }, () => {
  it('--once starts everything, runs the example, stops, and leaves nothing running', async () => {
    const dataDir = join(checkout, 'once');
    const run = start(['--once', '--data-dir', dataDir]);
    const [, url] = await run.line(/^athena: ready (http:\/\/127\.0\.0\.1:\d+)$/m);
    const processes = await processesOf(dataDir);
    const connection = await connectionOf(dataDir);

    assert.equal(await run.ended, 0, run.output());

    const [, report = ''] = await run.line(
      /^athena: example completed (\S+) tasks=7 agents=3 ms=12$/m,
    );
    assert.match(run.output(), /example: reading/);
    assert.equal(await readFile(report, 'utf8'), '# Report');
    assert.equal(connection.gatewayUrl, url);
    assert.equal(connection.project, 'default');
    assert.match(connection.apiKey, /^ak_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}$/);
    assert.match(connection.natsUrl, /^nats:\/\/127\.0\.0\.1:\d+$/);
    assert.deepEqual(Object.keys(connection.services), SERVICES);
    assert.equal((await stat(join(dataDir, 'connection.json'))).mode & 0o777, 0o600);
    assert.deepEqual(
      processes
        .map(({ name }) => name)
        .sort()
        .slice(-3),
      ['nats-server', 'postgres', 'standalone'],
    );
    assert.ok(await allGone(processes));
    const log = await readFile(join(dataDir, 'logs/standalone.log'), 'utf8');
    const { env } = JSON.parse(log.split('\n')[0] ?? '');
    assert.equal(env.ATHENA_BOOTSTRAP_KEY, connection.apiKey);
    assert.equal(env.NATS_URL, connection.natsUrl);
    assert.match(env.ATHENA_NATS_CALLOUT_SEED, /^SA[A-Z2-7]{56}$/);
    assert.match(env.DATABASE_URL, /^postgres:\/\/athena:\w+@127\.0\.0\.1:\d+\/athena$/);
    assert.match(log, /asked to stop/);
  });

  it('a failed example makes --once fail with the reason', async () => {
    const bad = join(checkout, 'bad');
    await mkdir(bad, { recursive: true });
    const run = start(['--once', '--input', bad, '--data-dir', join(checkout, 'once')]);
    assert.equal(await run.ended, 1);
    assert.match(run.output(), /the example failed with status 4/);
  });

  it('keeps its addresses and its key, restarts what is killed, and stops on Ctrl-C', async () => {
    const dataDir = join(checkout, 'kept');
    const port = await chooseFreePort();
    const args = ['--no-example', '--port', String(port), '--data-dir', dataDir];
    const run = start(args);
    await run.line(new RegExp(`^athena: ready http://127.0.0.1:${port}$`, 'm'));
    const first = await connectionOf(dataDir);

    for (const name of ['nats-server', 'postgres', 'standalone']) {
      const victim = (await processesOf(dataDir)).find((entry) => entry.name === name);
      process.kill(/** @type {{ pid: number }} */ (victim).pid, 'SIGKILL');
      await run.line(new RegExp(`${name} died \\(SIGKILL\\)`));
      await run.line(new RegExp(`${name} is back`));
    }
    await eventually(async () => {
      const now = await connectionOf(dataDir);
      return now.services.gateway.pid !== first.services.gateway.pid;
    });
    const second = start(args);
    assert.equal(await second.ended, 1);
    assert.match(second.output(), new RegExp(`already runs on .* \\(pid ${run.pid}\\)`));
    const processes = await processesOf(dataDir);
    run.signal('SIGINT');
    assert.equal(await run.ended, 0, run.output());
    assert.ok(await allGone(processes));
    assert.doesNotMatch(run.output(), /running the example/);

    const again = start(args);
    await again.line(/^athena: ready/m);
    const { services, ...addresses } = await connectionOf(dataDir);
    const { services: firstServices, ...firstAddresses } = first;
    assert.deepEqual(addresses, firstAddresses);
    assert.equal(services.gateway.httpUrl, firstServices.gateway.httpUrl);
  });

  it('after a kill -9 of it and of all it started, the next start goes on', async () => {
    const dataDir = join(checkout, 'killed');
    const run = start(['--no-example', '--data-dir', dataDir]);
    await run.line(/^athena: ready/m);
    const processes = await processesOf(dataDir);
    const postgres = processes.find(({ name }) => name === 'postgres');
    // The watchdogs and the supervisor go first, so that only leftovers remain.
    for (const pid of await watchdogsOf(processes)) process.kill(pid, 'SIGKILL');
    run.signal('SIGKILL');
    await run.ended;
    process.kill(/** @type {{ pid: number }} */ (postgres).pid, 'SIGKILL');

    const next = start(['--no-example', '--data-dir', dataDir]);
    await next.line(/ended standalone \(pid \d+\) that an earlier run left behind/);
    await next.line(/ended nats-server \(pid \d+\)/);
    await next.line(/^athena: ready/m);
    assert.ok(await allGone(processes));
  });

  it('--separate gives every service processes of its own, on ports that it keeps', async () => {
    const dataDir = join(checkout, 'separate');
    const args = ['--separate', '--no-example', '--data-dir', dataDir];
    const run = start(args);
    await run.line(/^athena: ready/m);
    const { services: first, apiKey } = await connectionOf(dataDir);
    const doubled = SERVICES.slice(0, 3).map((name) => `${name}-2`);
    assert.deepEqual(Object.keys(first).sort(), [...SERVICES, ...doubled].sort());
    for (const field of ['httpUrl', 'pid']) {
      assert.equal(new Set(Object.values(first).map((one) => one[field])).size, 9);
    }
    const held = await Promise.all(Object.keys(first).map((name) => holdings(dataDir, name)));
    assert.deepEqual(Object.fromEntries(held.filter(([, names]) => names.length > 0)), {
      'agent-registry': ['ATHENA_NATS_SYS_PASSWORD'],
      'agent-registry-2': ['ATHENA_NATS_SYS_PASSWORD'],
      gateway: ['ATHENA_BOOTSTRAP_KEY', 'ATHENA_HTTP_PORT', 'ATHENA_NATS_CALLOUT_SEED'],
    });

    process.kill(first['router-2'].pid, 'SIGKILL');
    await run.line(/router-2 died \(SIGKILL\)/);
    await eventually(async () => {
      const { services } = await connectionOf(dataDir);
      return services['router-2'].pid !== first['router-2'].pid;
    });
    const { services: second } = await connectionOf(dataDir);
    assert.equal(second['router-2'].httpUrl, first['router-2'].httpUrl);
    assert.deepEqual(second.router, first.router);
    const processes = await processesOf(dataDir);
    for (const pid of await watchdogsOf(processes)) process.kill(pid, 'SIGKILL');
    run.signal('SIGKILL');
    await run.ended;

    const standalone = start(args.slice(1));
    for (const name of Object.keys(first)) {
      await standalone.line(new RegExp(`ended ${name} \\(pid \\d+\\) that an earlier run left`));
    }
    await standalone.line(/^athena: ready/m);
    assert.ok(await allGone(processes));
    standalone.signal('SIGTERM');
    assert.equal(await standalone.ended, 0);

    const again = start(args);
    await again.line(/^athena: ready/m);
    const { services: third, apiKey: sameKey } = await connectionOf(dataDir);
    assert.deepEqual(addressesOf(third), addressesOf(first));
    assert.equal(sameKey, apiKey);
    const all = await processesOf(dataDir);
    again.signal('SIGTERM');
    assert.equal(await again.ended, 0, again.output());
    assert.ok(await allGone(all));
  });

  it('run by npm, stops everything when npm is killed with -9', async () => {
    const dataDir = join(checkout, 'by-npm');
    const run = start(['--no-example', '--data-dir', dataDir], { npm: true });
    await run.line(/^athena: ready/m);
    const processes = await processesOf(dataDir);
    const supervisor = JSON.parse(await readFile(join(dataDir, 'run/stack.json'), 'utf8'));
    run.signal('SIGKILL');
    await eventually(() => allGone([...processes, supervisor]));
  });

  it('run by npm, stops on SIGTERM', async () => {
    const dataDir = join(checkout, 'by-npm');
    const run = start(['--no-example', '--data-dir', dataDir], { npm: true });
    await run.line(/^athena: ready/m);
    const processes = await processesOf(dataDir);
    run.signal('SIGTERM');
    await run.ended;
    await eventually(() => allGone(processes));
    await eventually(async () => !(await readdir(join(dataDir, 'run'))).includes('stack.json'));
  });

  it('uses servers that run elsewhere, and leaves them alone', async () => {
    const [nats, postgres] = await Promise.all([startNats(), startPostgres()]);
    const dataDir = join(checkout, 'outside');
    const env = { ...nats.env, ...postgres.env };
    const run = start(['--once', '--data-dir', dataDir], { env });

    assert.equal(await run.ended, 0, run.output());

    assert.equal((await connectionOf(dataDir)).natsUrl, nats.url);
    assert.doesNotMatch(run.output(), /nats-server is ready|postgres is ready/);
    const log = await readFile(join(dataDir, 'logs/standalone.log'), 'utf8');
    const { env: seen } = JSON.parse(log.split('\n')[0] ?? '');
    assert.equal(seen.DATABASE_URL, postgres.url);
    assert.equal(seen.ATHENA_NATS_CALLOUT_SEED, nats.calloutSeed);
    const wrong = { ...env, ATHENA_NATS_SYS_PASSWORD: 'wrong' };
    const refused = start(['--once', '--data-dir', dataDir], { env: wrong });
    assert.equal(await refused.ended, 1);
    assert.match(refused.output(), /refused user sys/);
    assert.ok((await identify(nats.pid)) && (await identify(postgres.pid)));
    await Promise.all([nats.stop(), postgres.stop()]);
  });

  it('says what is wrong: usage, a port in use, missing credentials, an absent server', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = /** @type {import('node:net').AddressInfo} */ (taken.address());
    const dataDir = ['--data-dir', join(checkout, 'wrong')];
    const free = await chooseFreePort();
    /** @type {[string[], NodeJS.ProcessEnv, number, RegExp][]} */
    const cases = [
      [['--seperate'], {}, 2, /unknown option --seperate[^]*Usage/],
      [['--once', '--no-example'], {}, 2, /contradict/],
      [['--input', '/no/such/folder'], {}, 1, /is no folder/],
      [['--port', String(port), ...dataDir], {}, 1, new RegExp(`port ${port} is already in use`)],
      [dataDir, { NATS_URL: `nats://127.0.0.1:${free}` }, 1, /Missing: ATHENA_NATS_USER, /],
      [dataDir, { DATABASE_URL: `postgres://127.0.0.1:${free}/x` }, 1, /cannot be reached/],
      [dataDir, { NATS_SERVER_BIN: '/no/such/program' }, 1, /NATS_SERVER_BIN: .* cannot be run/],
    ];
    for (const [args, env, status, message] of cases) {
      const run = start(args, { env });
      assert.equal(await run.ended, status, run.output());
      assert.match(run.output(), message);
    }
    taken.close();
  });
});

/** @param {Record<string, { httpUrl: string }>} services */
function addressesOf(services) {
  return Object.entries(services).map(([name, { httpUrl }]) => [name, httpUrl]);
}

/**
 * @param {string} dataDir
 * @param {string} name
 * @returns {Promise<[name: string, variables: string[]]>} What of the things that not every process
 *   is given this one was.
 */
async function holdings(dataDir, name) {
  const log = await readFile(join(dataDir, `logs/${name}.log`), 'utf8');
  const { env } = JSON.parse(log.split('\n')[0] ?? '');
  const bound = [
    'ATHENA_BOOTSTRAP_KEY',
    'ATHENA_HTTP_PORT',
    'ATHENA_NATS_CALLOUT_SEED',
    'ATHENA_NATS_SYS_PASSWORD',
  ];
  return [name, bound.filter((variable) => variable in env)];
}

/** @param {readonly { pid: number }[]} processes @returns {Promise<number[]>} */
async function watchdogsOf(processes) {
  const pids = [];
  for (const entry of await readdir('/proc')) {
    const command = /^\d+$/.test(entry) ? ((await identify(Number(entry)))?.command ?? '') : '';
    if (processes.some(({ pid }) => command.includes(` watchdog ${pid} `)))
      pids.push(Number(entry));
  }
  return pids;
}
