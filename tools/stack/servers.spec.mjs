import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import pg from 'pg';
import { isPortFree } from './ports.mjs';
import { identify } from './process-identity.mjs';
import { startNats, startPostgres } from './servers.mjs';

const GONE_MS_MAX = 8_000;

/** @param {() => Promise<boolean>} condition */
async function eventually(condition) {
  const until = Date.now() + GONE_MS_MAX;
  while (!(await condition())) {
    assert.ok(Date.now() < until, `not so after ${GONE_MS_MAX} ms`);
    await sleep(50);
  }
}

/** @param {string} url @param {string} sql */
async function query(url, sql) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the stack’s single servers', () => {
  /** @type {string} */
  let room;
  before(async () => {
    room = await mkdtemp(join(tmpdir(), 'athena-servers-'));
  });
  after(() => rm(room, { recursive: true, force: true }));

  it('nats keeps acknowledged messages over kill -9 and a start in the same folder', async () => {
    const dir = join(room, 'nats');
    const first = await startNats({ dir });
    const before = await connect({ servers: first.url, ...login(first.core) });
    await (await jetstreamManager(before)).streams.add({ name: 'S', subjects: ['s'] });
    const ack = await jetstream(before).publish('s', 'kept');
    const closed = before.closed();
    await first.kill();
    await before.close();
    await closed;

    const second = await startNats({ dir, port: first.port });
    const connection = await connect({ servers: second.url, ...login(second.core) });
    const stored = await (
      await jetstreamManager(connection)
    ).streams.getMessage('S', {
      seq: ack.seq,
    });

    assert.equal(stored?.string(), 'kept');
    assert.deepEqual(second.core, first.core, 'the passwords of the folder stay');
    await connection.close();
    await second.stop();
    assert.ok(await isPortFree(second.port));
  });

  it('nats forces every message to the disk before it acknowledges', async () => {
    const nats = await startNats();
    const connection = await connect({ servers: nats.url, ...login(nats.sys) });

    const answer = await connection.request('$SYS.REQ.SERVER.PING.JSZ', '{}', { timeout: 2_000 });

    assert.equal(/** @type {any} */ (answer.json()).data.config.sync_always, true);
    await connection.close();
    await nats.stop();
  });

  it('postgres keeps committed rows over kill -9, with fsync and passwords on', async () => {
    const dir = join(room, 'postgres');
    const first = await startPostgres({ dir });
    await query(first.url, 'CREATE TABLE t AS SELECT 42 AS kept');
    await first.kill();

    const second = await startPostgres({ dir, port: first.port });

    assert.equal(second.url, first.url);
    assert.deepEqual(await query(second.url, 'SELECT kept FROM t'), [{ kept: 42 }]);
    const [settings] = await query(
      second.url,
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
         current_setting('server_encoding') AS encoding`,
    );
    assert.deepEqual(settings, { fsync: 'on', commit: 'on', encoding: 'UTF8' });
    await assert.rejects(
      query(second.url.replace(second.password, 'wrong'), 'SELECT 1'),
      /password authentication failed/,
    );
    await second.stop();
    assert.ok(await isPortFree(second.port));
  });

  it('a secret file can be read by its owner only', async () => {
    const dir = join(room, 'secrets');
    const nats = await startNats({ dir });
    assert.equal((await stat(join(dir, 'secrets.json'))).mode & 0o777, 0o600);
    await nats.stop();
  });

  it('both servers end when the process that started them is killed with -9', async () => {
    const script = `
      import { startNats, startPostgres } from ${JSON.stringify(new URL('./servers.mjs', import.meta.url).href)};
      const [nats, postgres] = await Promise.all([
        startNats({ dir: ${JSON.stringify(join(room, 'orphan-nats'))} }),
        startPostgres({ dir: ${JSON.stringify(join(room, 'orphan-postgres'))} }),
      ]);
      console.log(JSON.stringify([nats.pid, postgres.pid]));
    `;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(/** @type {any} */ (owner.stdout), 'data');
    /** @type {number[]} */
    const pids = JSON.parse(String(line));
    for (const pid of pids) assert.ok(await identify(pid), 'both run');

    owner.kill('SIGKILL');

    for (const pid of pids) await eventually(async () => (await identify(pid)) === null);
  });
});

/** @param {{ user: string, password: string }} user */
function login({ user, password }) {
  return { user, pass: password, reconnect: false };
}
