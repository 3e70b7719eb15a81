import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { httpReady } from './app.mjs';
import { LogFile } from './log-file.mjs';
import { chooseFreePort, isPortFree } from './ports.mjs';
import { identify } from './process-identity.mjs';
import { RunRecord } from './run-record.mjs';
import { Supervisor } from './supervisor.mjs';

const EVENTUALLY_MS_MAX = 8_000;
const FAST = { backoffMs: 50, backoffMsMax: 200, stableMs: 60_000 };
const SUPERVISOR = new URL('./supervisor.mjs', import.meta.url).href;

// A service of a few lines: ready by HTTP, ends on SIGTERM and notes it, dies when asked to.
const APP = `
  import { createServer } from 'node:http';
  import { appendFileSync } from 'node:fs';
  const [port, notes, name] = process.argv.slice(2);
  const server = createServer((request, response) => response.end('ok'));
  server.listen(Number(port), '127.0.0.1', () => console.log(name + ' listens'));
  process.on('SIGTERM', () => {
    appendFileSync(notes, name + ' ');
    server.closeAllConnections();
    server.close();
  });
`;

/** @param {() => Promise<boolean> | boolean} condition */
async function eventually(condition) {
  const until = Date.now() + EVENTUALLY_MS_MAX;
  while (!(await condition())) {
    assert.ok(Date.now() < until, `not so after ${EVENTUALLY_MS_MAX} ms`);
    await sleep(20);
  }
}

describe('the supervisor', () => {
  /** @type {string} */
  let room;
  /** @type {string[]} */
  let lines;
  /** @type {RunRecord} */
  let record;
  /** @type {(() => Promise<void>)[]} */
  let cleanups;

  beforeEach(async () => {
    room = await mkdtemp(join(tmpdir(), 'athena-supervisor-'));
    await writeFile(join(room, 'app.mjs'), APP);
    lines = [];
    cleanups = [];
    record = await RunRecord.claim(room);
  });
  afterEach(async () => {
    for (const cleanup of cleanups) await cleanup();
    await record.release();
    await rm(room, { recursive: true, force: true });
  });

  /** @param {string} name @param {string[]} [dependsOn] @param {string} [script] */
  async function service(name, dependsOn = [], script = 'app.mjs') {
    const port = await chooseFreePort();
    const log = await LogFile.open(join(room, 'logs', `${name}.log`));
    cleanups.push(async () => log.close());
    return {
      name,
      port,
      dependsOn,
      log,
      readyMsMax: 5_000,
      command: async () => ({
        command: process.execPath,
        args: [join(room, script), String(port), join(room, 'notes'), name],
        stopSignal: /** @type {const} */ ('SIGTERM'),
        stopMs: 2_000,
      }),
      ready: (/** @type {AbortSignal} */ signal) =>
        httpReady(`http://127.0.0.1:${port}/healthz/ready`, signal),
    };
  }

  /** @param {readonly import('./supervisor.mjs').Service[]} services */
  function supervise(
    services,
    /** @type {Partial<ConstructorParameters<typeof Supervisor>[0]>} */ more = {},
  ) {
    const supervisor = new Supervisor({
      services,
      record,
      report: (line) => lines.push(line),
      timing: FAST,
      ...more,
    });
    cleanups.unshift(() => supervisor.stop());
    return supervisor;
  }

  it('restarts a killed service on its port, visibly, and tells the new pid', async () => {
    const one = await service('one');
    /** @type {[string, number][]} */
    const told = [];
    const supervisor = supervise([one], {
      onPidChange: async (name, pid) => void told.push([name, pid]),
    });
    await supervisor.start();
    const firstPid = supervisor.pidOf('one');

    process.kill(firstPid, 'SIGKILL');
    await eventually(() => told.length === 1);

    assert.notEqual(supervisor.pidOf('one'), firstPid);
    assert.deepEqual(told, [['one', supervisor.pidOf('one')]]);
    assert.equal((await fetch(`http://127.0.0.1:${one.port}/`)).status, 200);
    assert.ok(lines.includes('one died (SIGKILL)'), lines.join('\n'));
    assert.ok(lines.some((line) => /^one is back \(pid \d+/.test(line)));
  });

  it('waits longer after each death in a row', async () => {
    const supervisor = supervise([await service('one')]);
    await supervisor.start();
    for (const expected of ['0.05', '0.1', '0.2', '0.2']) {
      lines.length = 0;
      process.kill(supervisor.pidOf('one'), 'SIGKILL');
      await eventually(() => lines.some((line) => line.startsWith('one is back')));
      assert.ok(lines.includes(`one restarts in ${expected} s`), lines.join('\n'));
    }
  });

  it('starts what others depend on first, and stops it last', async () => {
    const services = [await service('base'), await service('middle', ['base'])];
    services.push(await service('top', ['middle']));
    const supervisor = supervise(services);

    await supervisor.start();
    const pids = services.map(({ name }) => supervisor.pidOf(name));
    await supervisor.stop();

    assert.deepEqual(
      lines.map((line) => line.split(' ')[0]),
      ['base', 'middle', 'top'],
    );
    assert.equal(await readFile(join(room, 'notes'), 'utf8'), 'top middle base ');
    for (const pid of pids) assert.equal(await identify(pid), null);
    for (const { port } of services) assert.ok(await isPortFree(port));
  });

  it('gives up a first start after three attempts, with the end of the log', async () => {
    await writeFile(join(room, 'broken.mjs'), `console.log('no such table'); process.exit(3);`);
    const supervisor = supervise([await service('one', [], 'broken.mjs')]);
    await assert.rejects(supervisor.start(), (error) => {
      assert.match(String(error), /one could not be started: it ended with status 3/);
      assert.match(String(error), /no such table/);
      return true;
    });
    assert.equal(lines.filter((line) => line.includes('trying again')).length, 2);
  });

  it('can be stopped while it starts and while it waits to restart', async () => {
    await writeFile(join(room, 'silent.mjs'), 'setInterval(() => {}, 1000);');
    const starting = supervise([await service('silent', [], 'silent.mjs')]);
    const outcome = starting.start().then(
      () => 'started',
      () => 'given up',
    );
    await sleep(150);
    await starting.stop();
    assert.equal(await outcome, 'given up');

    const slow = { backoffMs: 60_000, backoffMsMax: 60_000, stableMs: 60_000 };
    const waiting = supervise([await service('two')], { timing: slow });
    await waiting.start();
    process.kill(waiting.pidOf('two'), 'SIGKILL');
    await eventually(() => lines.includes('two restarts in 60 s'));
    await waiting.stop();
  });

  it('kills a service that ignores the request to stop', async () => {
    await writeFile(
      join(room, 'deaf.mjs'),
      `${APP}; process.on('SIGTERM', () => {});
      setInterval(() => {}, 1000);`,
    );
    const deaf = await service('deaf', [], 'deaf.mjs');
    const supervisor = supervise([
      { ...deaf, command: async () => ({ ...(await deaf.command()), stopMs: 200 }) },
    ]);
    await supervisor.start();
    const pid = supervisor.pidOf('deaf');
    await supervisor.stop();
    assert.equal(await identify(pid), null);
  });

  it('finds, after a kill -9 of everything else, what an earlier run left behind', async () => {
    const data = join(room, 'data');
    const port = await chooseFreePort();
    // An earlier run whose watchdogs were killed with it.
    const script = `
      import { spawn } from 'node:child_process';
      import { RunRecord } from ${JSON.stringify(new URL('./run-record.mjs', SUPERVISOR).href)};
      const record = await RunRecord.claim(${JSON.stringify(data)});
      const child = spawn(process.execPath, [${JSON.stringify(join(room, 'app.mjs'))},
        '${port}', ${JSON.stringify(join(room, 'notes'))}, 'orphan'], { detached: true, stdio: 'ignore' });
      await record.add('orphan', child.pid, 'SIGTERM');
      console.log(child.pid);
      setInterval(() => {}, 1000);
    `;
    const earlier = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(/** @type {any} */ (earlier.stdout), 'data');
    const orphan = Number(line);
    await eventually(async () => !(await isPortFree(port)));

    await assert.rejects(
      RunRecord.claim(data),
      new RegExp(`already runs on .* \\(pid ${earlier.pid}\\)`),
    );
    earlier.kill('SIGKILL');
    await once(earlier, 'exit');
    assert.ok(await identify(orphan), 'it outlived its supervisor');
    const next = await RunRecord.claim(data);
    await next.endLeftovers((text) => lines.push(text));

    assert.equal(await identify(orphan), null);
    assert.deepEqual(lines, [`ended orphan (pid ${orphan}) that an earlier run left behind`]);
    assert.ok(await isPortFree(port));
    await next.release();
  });

  it('leaves a process alone whose pid was reused', async () => {
    const data = join(room, 'data');
    const innocent = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const identity = await identify(/** @type {number} */ (innocent.pid));
    const first = await RunRecord.claim(data);
    await first.add('old', /** @type {number} */ (innocent.pid), 'SIGTERM');
    const path = join(data, 'run', 'processes.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(String(identity?.startedAt), '1'));

    await first.endLeftovers((line) => lines.push(line));

    assert.deepEqual(lines, []);
    assert.deepEqual(await identify(/** @type {number} */ (innocent.pid)), identity);
    innocent.kill('SIGKILL');
    await first.release();
  });
});
