import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** @param {string} path @returns {Promise<any>} The parsed file, or null when there is none. */
export async function readJson(path) {
  const text = await readTextOrNull(path);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not valid JSON; repair or remove it`, { cause: error });
  }
}

/**
 * @param {string} path @returns {Promise<string | null>} The text, or null when there is no file.
 */
export async function readTextOrNull(path) {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Replaces the file in one step, so that a reader sees the old or the new text and never a part.
 * @param {string} path
 * @param {unknown} value
 */
export async function replaceJson(path, value) {
  await replaceText(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** @param {string} path @param {string} text Written with mode 0600. */
export async function replaceText(path, text) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Removes an abandoned lock, and never the one that somebody else has put there meanwhile.
 * @param {string} path
 * @param {string} text What was read in it.
 */
export async function removeIfUnchanged(path, text) {
  const aside = `${path}.${randomBytes(6).toString('hex')}.old`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return;
    throw error;
  }
  // Should a third have locked in this moment, its lock stays and ours to give back is lost.
  if ((await readFile(aside, 'utf8')) !== text) await link(aside, path).catch(() => {});
  await rm(aside);
}

/**
 * Makes a lock file, whole at once, so that nobody ever reads a lock without its holder.
 * @param {string} path In an existing folder.
 * @param {string} text
 * @returns {Promise<boolean>} False when there is one already.
 */
export async function createLock(path, text) {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await writeFile(temporary, text, { mode: 0o600 });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary);
  }
}
