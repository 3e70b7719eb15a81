import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, withLock } from './cache.mjs';
import { unpackDebianPackage } from './debian-package.mjs';
import { reasonOf, StackError } from './errors.mjs';
import { findOnPath, isExecutable, run } from './programs.mjs';
import { formatVersion, isAtLeast, parseVersion } from './versions.mjs';

/** Older servers silently drop stream options that the event log relies on. */
export const NATS_VERSION_MIN = /** @type {const} */ ([2, 12, 0]);

const ARCHIVE_VERSION = '2.15.0';
const ARCHIVES = 'https://github.com/nats-io/nats-server/releases/download';
// The release's own SHA256SUMS, by platform and architecture in Node's words.
/** @type {Readonly<Record<string, { name: string, sha256: string }>>} */
const ARCHIVE_BY_PLATFORM = {
  'linux-x64': {
    name: 'linux-amd64',
    sha256: '5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92',
  },
  'linux-arm64': {
    name: 'linux-arm64',
    sha256: 'cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112',
  },
  'darwin-x64': {
    name: 'darwin-amd64',
    sha256: '5bd8b59ca5bf93fab3da2c5843cf564cd6e2e291e22ae3b861746e7ebe259b95',
  },
  'darwin-arm64': {
    name: 'darwin-arm64',
    sha256: 'e1c4e22d70bd44abfa0bcb3c16f7cf0c66f648c2e728c58924e8a1ce88913cc8',
  },
};
const ARCHIVE_BYTES_MAX = 64 * 1024 * 1024;
const CONNECT_MS_MAX = 10_000;
const DOWNLOAD_MS_MAX = 180_000;
const VERSION_MS_MAX = 10_000;
/** Where Debian's package puts the program. */
const DEBIAN_PATH = 'usr/sbin/nats-server';

/**
 * @typedef {object} Search
 * @property {string} fallbackCacheDir Used when the user's cache folder cannot be written.
 * @property {(line: string) => void} [report] Told each step that takes time.
 * @property {NodeJS.ProcessEnv} [env]
 * @property {AbortSignal} [signal] Gives up what takes long.
 */

/** @typedef {{ report: (line: string) => void, signal: AbortSignal | undefined }} Fetching */

/**
 * Finds or obtains a nats-server: NATS_SERVER_BIN, PATH, the cache, the official archive, Debian.
 * @param {Search} search
 * @returns {Promise<{ path: string, version: string, source: string }>}
 * @throws {StackError} Naming every way out, when none worked.
 */
export async function findNatsServer(search) {
  const { fallbackCacheDir, report = () => {}, env = process.env, signal } = search;
  const named = env['NATS_SERVER_BIN'];
  if (named) return useNamed(named);
  /** @type {string[]} */
  const tried = [];
  const onPath = await findOnPath('nats-server', env);
  if (onPath !== null) {
    const version = await versionOf(onPath);
    if (version.ok) return { path: onPath, version: version.text, source: 'PATH' };
    tried.push(`PATH: ${onPath} ${version.reason}`);
  }
  const folder = join(await cacheFolder(fallbackCacheDir, env), 'nats-server');
  await mkdir(folder, { recursive: true });
  const cached = join(folder, 'nats-server');
  const found = await fromCache(cached);
  if (found) return found;
  return withLock(join(folder, 'lock'), async () => {
    const meanwhile = await fromCache(cached);
    return meanwhile ?? obtain({ folder, cached, tried, report, signal });
  });
}

/** @param {string} path */
async function useNamed(path) {
  const version = await versionOf(path);
  if (!version.ok) throw new StackError(`NATS_SERVER_BIN: ${path} ${version.reason}`);
  return { path, version: version.text, source: 'NATS_SERVER_BIN' };
}

/** @param {string} path */
async function fromCache(path) {
  if (!(await isExecutable(path))) return null;
  const version = await versionOf(path);
  return version.ok ? { path, version: version.text, source: 'cache' } : null;
}

/**
 * @param {string} path
 * @returns {Promise<{ ok: true, text: string } | { ok: false, reason: string }>}
 */
async function versionOf(path) {
  const minimum = formatVersion(NATS_VERSION_MIN);
  try {
    const version = parseVersion(await run(path, ['--version'], { timeoutMs: VERSION_MS_MAX }));
    if (version === null) return { ok: false, reason: 'does not tell its version' };
    const text = formatVersion(version);
    if (isAtLeast(version, NATS_VERSION_MIN)) return { ok: true, text };
    return { ok: false, reason: `is version ${text}, but ${minimum} or newer is needed` };
  } catch (error) {
    return { ok: false, reason: `cannot be run (${reasonOf(error)})` };
  }
}

/**
 * @param {{ folder: string, cached: string, tried: string[] } & Fetching} how
 */
async function obtain({ folder, cached, tried, report, signal }) {
  /** @type {readonly [string, (room: string) => Promise<string>][]} */
  const ways = [
    ['official archive', (room) => fetchArchive(room, { report, signal })],
    ['Debian package', (room) => fetchDebian(room, { report, signal })],
  ];
  for (const [source, fetchInto] of ways) {
    const room = await mkdtemp(join(folder, 'new-'));
    try {
      const program = await fetchInto(room);
      const version = await versionOf(program);
      if (!version.ok) throw new Error(`the program ${version.reason}`);
      await rename(program, cached);
      return { path: cached, version: version.text, source };
    } catch (error) {
      signal?.throwIfAborted();
      tried.push(`${source}: ${reasonOf(error)}`);
    } finally {
      await rm(room, { recursive: true, force: true });
    }
  }
  throw new StackError(noServerMessage(tried));
}

/** @param {readonly string[]} tried @returns {string} */
export function noServerMessage(tried) {
  return [
    'no nats-server could be found or obtained.',
    ...tried.map((line) => `  - ${line}`),
    'Any one of these helps:',
    `  - install nats-server ${formatVersion(NATS_VERSION_MIN)} or newer so that it is on PATH`,
    '  - set NATS_SERVER_BIN to such a program',
    '  - set NATS_URL (and the ATHENA_NATS_* credentials) to use a server that runs elsewhere',
    '  - start once with a network connection, so that it can be downloaded',
  ].join('\n');
}

/** @param {string} room @param {Fetching} fetching @returns {Promise<string>} */
async function fetchArchive(room, { report, signal }) {
  const archive = ARCHIVE_BY_PLATFORM[`${process.platform}-${process.arch}`];
  if (!archive) throw new Error(`none is pinned for ${process.platform}-${process.arch}`);
  const stem = `nats-server-v${ARCHIVE_VERSION}-${archive.name}`;
  report(`downloading nats-server ${ARCHIVE_VERSION}`);
  const bytes = await download(`${ARCHIVES}/v${ARCHIVE_VERSION}/${stem}.tar.gz`, signal);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== archive.sha256) throw new Error(`${stem}.tar.gz has an unexpected checksum`);
  const path = join(room, 'archive.tar.gz');
  await writeFile(path, bytes);
  await run('tar', ['-xzf', path, '-C', room]);
  return join(room, stem, 'nats-server');
}

/** @param {string} url @param {AbortSignal | undefined} signal @returns {Promise<Buffer>} */
async function download(url, signal) {
  const abort = new AbortController();
  const giveUp = () => abort.abort(signal?.reason);
  signal?.addEventListener('abort', giveUp, { once: true });
  const connecting = setTimeout(() => abort.abort(new Error('no connection')), CONNECT_MS_MAX);
  const whole = setTimeout(() => abort.abort(new Error('too slow')), DOWNLOAD_MS_MAX);
  try {
    const response = await fetch(url, { signal: abort.signal });
    clearTimeout(connecting);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const chunks = [];
    let size = 0;
    for await (const chunk of /** @type {AsyncIterable<Uint8Array>} */ (response.body)) {
      size += chunk.length;
      if (size > ARCHIVE_BYTES_MAX) throw new Error('the archive is larger than it may be');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    throw new Error(cause === undefined ? reasonOf(error) : reasonOf(cause), { cause: error });
  } finally {
    clearTimeout(connecting);
    clearTimeout(whole);
    signal?.removeEventListener('abort', giveUp);
  }
}

/** @param {string} room @param {Fetching} fetching @returns {Promise<string>} */
async function fetchDebian(room, { report, signal }) {
  await unpackDebianPackage({ name: 'nats-server', into: room, report, signal });
  const program = join(room, 'program');
  await copyFile(join(room, DEBIAN_PATH), program);
  await chmod(program, 0o755);
  return program;
}
