import { access, constants, mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLock, readTextOrNull, removeIfUnchanged } from './files.mjs';
import { identify, isRunning } from './process-identity.mjs';

const LOCK_POLL_MS = 200;
const LOCK_WAIT_MS_MAX = 10 * 60_000;

/**
 * Where obtained programs are kept for every checkout of this user.
 * @param {string} fallback Used when the user's cache folder cannot be written.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string>} An existing, writable folder.
 */
export async function cacheFolder(fallback, env = process.env) {
  const base = env['XDG_CACHE_HOME'];
  const folder = join(base && isAbsolute(base) ? base : join(homedir(), '.cache'), 'athena');
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    return folder;
  } catch {
    await mkdir(fallback, { recursive: true });
    return fallback;
  }
}

/**
 * Runs the work while no other process of this machine holds the same lock, so that ten test
 * processes that start together obtain a program once.
 * @template T
 * @param {string} path The lock's file.
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, work) {
  const until = Date.now() + LOCK_WAIT_MS_MAX;
  const holder = JSON.stringify(await identify(process.pid));
  while (!(await createLock(path, holder))) {
    const abandoned = await readAbandoned(path);
    if (abandoned !== null) await removeIfUnchanged(path, abandoned);
    else if (Date.now() >= until) throw new Error(`waited too long for ${path}; remove it`);
    else await sleep(LOCK_POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** @param {string} path @returns {Promise<string | null>} Its text, when its holder is gone. */
async function readAbandoned(path) {
  const text = await readTextOrNull(path);
  if (text === null) return null;
  return (await isRunning(JSON.parse(text))) ? null : text;
}
