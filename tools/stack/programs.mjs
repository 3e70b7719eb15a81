import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const executeFile = promisify(execFile);
const OUTPUT_BYTES_MAX = 8 * 1024 * 1024;

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number,
 *   signal?: AbortSignal | undefined }} [options]
 * @returns {Promise<string>} Its stdout; a failure's message ends with the end of its stderr.
 */
export async function run(command, args, { cwd, env, timeoutMs, signal } = {}) {
  try {
    const { stdout } = await executeFile(command, args, {
      maxBuffer: OUTPUT_BYTES_MAX,
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
      ...(signal === undefined ? {} : { signal }),
    });
    return stdout;
  } catch (error) {
    const { stderr, message } = /** @type {Error & { stderr?: string }} */ (error);
    const last = (stderr || message).trim().split('\n').slice(-3).join(' | ');
    throw new Error(`${command} failed: ${last}`, { cause: error });
  }
}

/** @param {string} path @returns {Promise<boolean>} */
export async function isExecutable(path) {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string | null>} The first such program on PATH.
 */
export async function findOnPath(name, env = process.env) {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await isExecutable(join(folder, name)))) return join(folder, name);
  }
  return null;
}
