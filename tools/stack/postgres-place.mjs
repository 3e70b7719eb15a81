import {
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readTextOrNull, replaceText } from './files.mjs';

/** Where a root-owned stack keeps Postgres' files when nobody can reach the data folder. */
export const REACHABLE_ROOT = '/var/lib/athena';

const POINTER = 'postgres-place';
const PLACE_MODE = 0o711;
const OTHERS_MAY_PASS = 0o001;
const FOLDER_MODE = 0o700;

/** @typedef {{ uid: number, gid: number }} Account */

/**
 * Postgres refuses to run as root, so root runs it as `nobody`.
 * @returns {Promise<Account | null>} Null when it can run under our own account.
 */
export async function postgresAccount() {
  if (process.getuid?.() !== 0) return null;
  const accounts = await readFile('/etc/passwd', 'utf8');
  const line = accounts.split('\n').find((entry) => entry.startsWith('nobody:'));
  const [, , uid, gid] = (line ?? '').split(':');
  if (!Number(uid) || !Number(gid)) {
    throw new Error('Postgres refuses to run as root and /etc/passwd has no usable account nobody');
  }
  return { uid: Number(uid), gid: Number(gid) };
}

/**
 * @param {string} dataDir An existing folder.
 * @param {Account | null} account
 * @returns {Promise<string>} A folder that `account` can reach, for everything of Postgres.
 */
export async function postgresPlace(dataDir, account) {
  const folder = await realpath(dataDir);
  if (account === null) return folder;
  if (await makePassable(folder)) return folder;
  return placeOutside(folder);
}

/**
 * The data folder remembers its place outside, so that removing the one never brings another
 * database under new passwords.
 * @param {string} folder
 * @returns {Promise<string>}
 */
async function placeOutside(folder) {
  const pointer = join(folder, POINTER);
  const known = (await readTextOrNull(pointer))?.trim();
  if (known) {
    await mkdir(known, { recursive: true, mode: PLACE_MODE });
    return known;
  }
  await mkdir(REACHABLE_ROOT, { recursive: true, mode: PLACE_MODE });
  const place = await mkdtemp(join(REACHABLE_ROOT, 'data-'));
  await chmod(place, PLACE_MODE);
  await replaceText(pointer, `${place}\n`);
  return place;
}

/**
 * Lets others pass (not list) the data folder, and temporary folders of ours above it. Any other
 * folder keeps its mode: a home that is closed stays closed.
 * @param {string} folder
 * @returns {Promise<boolean>} Whether every folder on the way can be passed now.
 */
async function makePassable(folder) {
  const temporary = await realpath(tmpdir());
  for (const step of [folder, ...foldersAbove(folder)]) {
    const { mode, uid } = await stat(step);
    if (mode & OTHERS_MAY_PASS) continue;
    const isOurs = step === folder || step.startsWith(`${temporary}/`);
    if (!isOurs || uid !== process.getuid?.()) return false;
    await chmod(step, (mode & 0o7777) | OTHERS_MAY_PASS);
  }
  return true;
}

/** @param {string} path @returns {string[]} From the nearest folder up to the root. */
function foldersAbove(path) {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}

/**
 * Copies the programs out when `account` cannot reach them where they are.
 * @param {{ programs: import('./postgres-binary.mjs').PostgresPrograms, place: string,
 *   account: Account | null }} wanted
 * @returns {Promise<string>} The folder of programs to run.
 */
export async function reachablePrograms({ programs, place, account }) {
  const real = await realpath(programs.bin);
  if (account === null || (await isReachable(real))) return programs.bin;
  const copy = join(place, `postgres-programs-${programs.version}`);
  const isThere = await stat(join(copy, 'bin')).catch(() => null);
  if (isThere === null) {
    const room = `${copy}.new`;
    await rm(room, { recursive: true, force: true });
    await cp(programs.home, room, { recursive: true, verbatimSymlinks: true });
    await rename(room, copy);
  }
  return join(copy, 'bin');
}

/** @param {string} folder @returns {Promise<boolean>} */
async function isReachable(folder) {
  for (const step of [folder, ...foldersAbove(folder)]) {
    if (!((await stat(step)).mode & OTHERS_MAY_PASS)) return false;
  }
  return true;
}

/**
 * @param {string} folder Made if missing, and owned by `account`. @param {Account | null} account
 */
export async function ownedFolder(folder, account) {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (account !== null) await chown(folder, account.uid, account.gid);
}
