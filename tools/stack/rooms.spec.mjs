import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fromSeed } from '@nats-io/nkeys';
import { cacheFolder, withLock } from './cache.mjs';
import { mirrorsAmong } from './debian-package.mjs';
import { parseResult } from './example.mjs';
import { replaceJson } from './files.mjs';
import { differs, needsInstall } from './install.mjs';
import { LogFile } from './log-file.mjs';
import { findNatsServer, noServerMessage } from './nats-binary.mjs';
import { accountPublicKey, createAccountSeed } from './nkeys.mjs';
import { nodeVersionProblem } from './node-version.mjs';
import { npmCommand } from './npm.mjs';
import { isNpm } from './parent.mjs';
import { chooseFreePort, chooseGatewayPort, isPortFree, keepOrChoosePort } from './ports.mjs';
import { createProgress } from './progress.mjs';
import { createSecrets, loadSecrets } from './secrets.mjs';
import { keepPorts } from './servers-plan.mjs';
import { listenForStop } from './stop-signals.mjs';
import { isAtLeast, parseVersion } from './versions.mjs';

/** @type {string} */
let room;
before(async () => {
  room = await mkdtemp(join(tmpdir(), 'athena-rooms-'));
});
after(() => rm(room, { recursive: true, force: true }));

/** @template T @param {(port: number) => Promise<T>} work @returns {Promise<T>} */
async function withTakenPort(work) {
  const port = await chooseFreePort();
  const server = createServer();
  await new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(undefined)));
  try {
    return await work(port);
  } finally {
    server.close();
  }
}

describe('versions', () => {
  it('are found in what programs print', () => {
    assert.deepEqual(parseVersion('nats-server: v2.15.1'), [2, 15, 1]);
    assert.deepEqual(parseVersion('postgres (PostgreSQL) 15.18 (Debian 15.18-0)'), [15, 18, 0]);
    assert.deepEqual(parseVersion('18\n'), [18, 0, 0]);
    assert.equal(parseVersion('unknown'), null);
  });

  it('are compared by number, not by letter', () => {
    assert.ok(isAtLeast([2, 12, 0], [2, 12, 0]));
    assert.ok(isAtLeast([2, 15, 1], [2, 12, 0]));
    assert.ok(isAtLeast([3, 0, 0], [2, 12, 9]));
    assert.ok(!isAtLeast([2, 9, 10], [2, 12, 0]));
    assert.ok(!isAtLeast([2, 12, 0], [2, 12, 1]));
  });

  it('of Node are checked against the engines field', () => {
    assert.equal(nodeVersionProblem('20.20.2', '>=20.19'), null);
    assert.match(nodeVersionProblem('18.20.0', '>=20.19') ?? '', /Node 20\.19\.0 or newer/);
  });
});

describe('ports', () => {
  it('are kept while they are free, and change when somebody else has them', async () => {
    const free = await chooseFreePort();
    assert.equal(await keepOrChoosePort(free, new Set()), free);
    assert.notEqual(await keepOrChoosePort(free, new Set([free])), free);
    await withTakenPort(async (taken) => {
      assert.equal(await isPortFree(taken), false);
      assert.notEqual(await keepOrChoosePort(taken, new Set()), taken);
    });
  });

  it('of the gateway: the next free one, but never another than the one asked for', async () => {
    await withTakenPort(async (taken) => {
      const none = new Set([taken + 1]);
      const next = await chooseGatewayPort({ standard: taken, taken: none });
      assert.ok(next > taken + 1 && next <= taken + 100);
      const asked = chooseGatewayPort({ asked: taken, standard: 8080, taken: new Set() });
      await assert.rejects(asked, new RegExp(`port ${taken} is already in use`));
    });
  });

  it('of a data folder are the same at the next start', async () => {
    const dir = join(room, 'ports');
    /** @type {string[]} */
    const lines = [];
    const options = {
      names: /** @type {const} */ (['nats', 'postgres', 'management']),
      reserved: undefined,
      report: (/** @type {string} */ line) => lines.push(line),
    };
    const first = await keepPorts(dir, options);
    assert.deepEqual(await keepPorts(dir, options), first);
    assert.equal(new Set(Object.values(first)).size, 3);
    const moved = await keepPorts(dir, { ...options, reserved: first.nats });
    assert.notEqual(moved.nats, first.nats);
    assert.equal(moved.postgres, first.postgres);
    assert.equal(lines.length, 1);
  });

  it('of what rests now are kept for it', async () => {
    const dir = join(room, 'both-forms');
    const options = { reserved: undefined, report: () => {} };
    const standalone = await keepPorts(dir, { ...options, names: ['nats', 'management'] });
    const separate = await keepPorts(dir, { ...options, names: ['nats', 'router', 'router-2'] });
    assert.equal(separate.nats, standalone.nats);
    assert.equal(new Set(Object.values({ ...standalone, ...separate })).size, 4);
    assert.deepEqual(
      await keepPorts(dir, { ...options, names: ['nats', 'management'] }),
      standalone,
    );
    assert.deepEqual(await keepPorts(dir, { ...options, names: Object.keys(separate) }), separate);
  });
});

describe('secrets', () => {
  it('are made once for a data folder', async () => {
    const dir = join(room, 'secrets');
    const first = await loadSecrets(dir);
    assert.deepEqual(await loadSecrets(dir), first);
    assert.notDeepEqual(createSecrets(), first);
    assert.match(first.bootstrapKey, /^ak_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}$/);
    assert.match(first.natsPassword, /^p[0-9A-Za-z]{32}$/);
  });

  it('include account seeds that the nkeys library reads the same way', () => {
    for (let round = 0; round < 50; round += 1) {
      const seed = createAccountSeed();
      const pair = fromSeed(new TextEncoder().encode(seed));
      assert.equal(accountPublicKey(seed), pair.getPublicKey());
    }
    const seed = createAccountSeed();
    const other = seed[20] === 'A' ? 'B' : 'A';
    assert.throws(() => accountPublicKey(seed.slice(0, 20) + other + seed.slice(21)), /nkey|seed/);
  });
});

describe('files', () => {
  it('are replaced whole, for their owner only, without remains', async () => {
    const path = join(room, 'replaced', 'file.json');
    await replaceJson(path, { round: 1 });
    await Promise.all([2, 3, 4, 5].map((round) => replaceJson(path, { round })));
    assert.ok(JSON.parse(await readFile(path, 'utf8')).round >= 2);
    assert.deepEqual(await readdir(join(room, 'replaced')), ['file.json']);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it('of logs stay below their limit, with the newest lines at hand', async () => {
    const dir = join(room, 'logs');
    await mkdir(dir);
    const log = new LogFile(join(dir, 'app.log'), { bytesMax: 100 });
    for (let line = 0; line < 50; line += 1) log.write(Buffer.from(`line number ${line}\n`));
    log.close();
    const names = (await readdir(dir)).sort();
    assert.deepEqual(names, ['app.log', 'app.log.1', 'app.log.2', 'app.log.3']);
    for (const name of names) assert.ok((await stat(join(dir, name))).size <= 100);
    assert.match(await readFile(join(dir, 'app.log'), 'utf8'), /line number 49\n$/);
    assert.equal(log.tail(2), 'line number 48\nline number 49');
  });
});

describe('the cache folder', () => {
  it('is the user’s, or the fallback when that cannot be written', async () => {
    const fallback = join(room, 'fallback');
    const base = join(room, 'xdg');
    assert.equal(await cacheFolder(fallback, { XDG_CACHE_HOME: base }), join(base, 'athena'));
    await writeFile(join(room, 'a-file'), '');
    const unusable = { XDG_CACHE_HOME: join(room, 'a-file') };
    assert.equal(await cacheFolder(fallback, unusable), fallback);
  });

  it('lets one at a time obtain a program, and survives a holder that died', async () => {
    const path = join(room, 'lock');
    let inside = 0;
    let most = 0;
    await writeFile(path, JSON.stringify({ pid: 999_999_999, startedAt: '1', command: 'gone' }));
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    };
    await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)]);
    assert.equal(most, 1);
    await assert.rejects(stat(path), /ENOENT/);
  });
});

describe('finding nats-server', () => {
  it('refuses an old one that was named, and passes over an old one on PATH', async () => {
    const bin = join(room, 'bin');
    await mkdir(bin);
    const old = join(bin, 'nats-server');
    await writeFile(old, '#!/bin/sh\necho "nats-server: v2.9.10"\n', { mode: 0o755 });
    const cache = join(room, 'nats-cache');
    const cached = join(cache, 'athena', 'nats-server', 'nats-server');
    await mkdir(join(cache, 'athena', 'nats-server'), { recursive: true });
    await writeFile(cached, '#!/bin/sh\necho "nats-server: v2.12.0"\n', { mode: 0o755 });
    const env = { PATH: bin, XDG_CACHE_HOME: cache };

    const named = findNatsServer({ fallbackCacheDir: room, env: { NATS_SERVER_BIN: old } });
    await assert.rejects(named, /NATS_SERVER_BIN: .* is version 2\.9\.10, but 2\.12\.0 or newer/);
    assert.deepEqual(await findNatsServer({ fallbackCacheDir: room, env }), {
      path: cached,
      version: '2.12.0',
      source: 'cache',
    });
  });

  it('names every way out when nothing worked', () => {
    const message = noServerMessage(['PATH: too old']);
    for (const way of ['PATH: too old', 'NATS_SERVER_BIN', 'NATS_URL', 'network', 'install']) {
      assert.ok(message.includes(way), way);
    }
  });

  it('takes the machine’s main Debian mirror, and no other archive', () => {
    const targets = `
      Packages http://mirror.example/debian/ main
      Translations http://mirror.example/debian/ main
      Packages http://mirror.example/debian/ contrib
      Packages http://mirror.example/debian-security/ main
      Packages http://tools.example/apt main
      Packages mirror+file:/etc/apt/mirrors/debian.list main
      Packages http://mirror.example/debian/ main`;
    assert.deepEqual(mirrorsAmong(targets), [
      'http://mirror.example/debian/',
      'mirror+file:/etc/apt/mirrors/debian.list',
    ]);
  });
});

describe('installing', () => {
  const wanted = {
    '': { version: '1.0.0' },
    'libs/a': { version: '0.1.0' },
    'node_modules/@athena/a': { resolved: 'libs/a', link: true },
    'node_modules/b': { version: '1.0.0', integrity: 'sha512-b' },
    'node_modules/c-darwin': { version: '1.0.0', integrity: 'sha512-c', optional: true },
  };
  const installed = {
    'node_modules/@athena/a': { resolved: 'libs/a', link: true },
    'node_modules/b': { version: '1.0.0', integrity: 'sha512-b' },
  };

  it('is needed when something is missing or another version, not for other platforms', () => {
    assert.equal(differs(wanted, installed), false);
    assert.equal(differs(wanted, {}), true);
    const other = { ...installed, 'node_modules/b': { version: '1.0.1', integrity: 'sha512-d' } };
    assert.equal(differs(wanted, other), true);
  });

  it('is needed in a fresh clone', async () => {
    const clone = join(room, 'clone');
    await mkdir(join(clone, 'node_modules'), { recursive: true });
    await writeFile(join(clone, 'package-lock.json'), JSON.stringify({ packages: wanted }));
    assert.equal(await needsInstall(clone), true);
    const list = join(clone, 'node_modules', '.package-lock.json');
    await writeFile(list, JSON.stringify({ packages: installed }));
    assert.equal(await needsInstall(clone), false);
    await assert.rejects(needsInstall(join(room, 'nowhere')), /package-lock\.json is missing/);
  });

  it('calls the npm that called us, but not in its folder', () => {
    const env = {
      npm_execpath: '/lib/npm-cli.js',
      npm_config_local_prefix: '/x',
      npm_config_proxy: 'p',
    };
    assert.deepEqual(npmCommand(env), {
      command: process.execPath,
      args: ['/lib/npm-cli.js'],
      env: { npm_execpath: '/lib/npm-cli.js', npm_config_proxy: 'p' },
    });
    assert.equal(npmCommand({}).command, 'npm');
  });
});

describe('the example’s result', () => {
  it('is its last line', () => {
    const result = { report: '/r.md', tasks: 1, agents: 2, ms: 3 };
    assert.deepEqual(parseResult(`working\n${JSON.stringify(result)}\n\n`), result);
  });

  for (const text of ['', 'done', '{"report":"/r.md"}', 'null', '[]']) {
    it(`is refused when it is ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseResult(text), /the example's last line is no result/);
    });
  }
});

describe('asking to stop', () => {
  it('takes what npm passes on for the same request, and a later one for force', () => {
    let now = 10_000;
    const source = /** @type {any} */ (new EventEmitter());
    /** @type {string[]} */
    const lines = [];
    let forced = 0;
    const stop = listenForStop({
      source,
      now: () => now,
      report: (line) => lines.push(line),
      onForce: () => (forced += 1),
    });
    source.emit('SIGINT');
    source.emit('SIGINT');
    assert.equal(stop.signal.aborted, true);
    assert.equal(forced, 0);
    now += 1_500;
    source.emit('SIGINT');
    assert.equal(forced, 1);
    assert.deepEqual(lines, ['interrupted, stopping', 'stopping by force']);
    stop.close();
    assert.equal(source.listenerCount('SIGTERM'), 0);
  });

  it('knows npm by its program, not by a word in the command line', () => {
    assert.ok(isNpm('npm start --once'));
    assert.ok(isNpm('node /usr/bin/npm start'));
    assert.ok(isNpm('/usr/bin/node /lib/node_modules/npm/bin/npm-cli.js start'));
    assert.ok(!isNpm('sh -c node tools/stack/start.mjs --data-dir npm'));
  });
});

describe('progress', () => {
  it('tells the elapsed time, except on lines that programs wait for', () => {
    let text = '';
    let now = 1_000;
    const progress = createProgress({ write: (part) => (text += part), now: () => now });
    now = 2_250;
    progress.report('nats-server is ready');
    progress.announce('ready http://127.0.0.1:8080');
    assert.equal(text, 'athena: 1.3s nats-server is ready\nathena: ready http://127.0.0.1:8080\n');
  });
});
