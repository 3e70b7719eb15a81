import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

const FILE_BYTES_MAX = 16 * 1024 * 1024;
const OLD_FILES_MAX = 3;
const TAIL_CHARACTERS = 4_000;

/**
 * A log of bounded size: `name.log`, and the older `name.log.1` … `.3`. Written at once, so that
 * nothing is lost when we end right after.
 */
export class LogFile {
  #path;
  #bytesMax;
  #file = -1;
  #bytes = 0;
  #tail = '';

  /** @param {string} path @param {{ bytesMax?: number }} [limits] The folder exists. */
  constructor(path, { bytesMax = FILE_BYTES_MAX } = {}) {
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#open();
  }

  /** @param {string} path @returns {Promise<LogFile>} Its folder is made if missing. */
  static async open(path) {
    await mkdir(dirname(path), { recursive: true });
    return new LogFile(path);
  }

  get path() {
    return this.#path;
  }

  /** @param {Buffer} chunk */
  write(chunk) {
    this.#tail = (this.#tail + chunk.toString('utf8')).slice(-TAIL_CHARACTERS);
    if (this.#bytes > 0 && this.#bytes + chunk.length > this.#bytesMax) this.#rotate();
    try {
      this.#bytes += writeSync(this.#file, chunk);
    } catch {
      // A full disk must not end the supervision; the services report it themselves.
    }
  }

  /** @param {number} lines @returns {string} The last lines that were written since the start. */
  tail(lines) {
    return this.#tail.trimEnd().split('\n').slice(-lines).join('\n');
  }

  close() {
    closeSync(this.#file);
  }

  #open() {
    this.#file = openSync(this.#path, 'a', 0o600);
    this.#bytes = fstatSync(this.#file).size;
  }

  #rotate() {
    closeSync(this.#file);
    for (let age = OLD_FILES_MAX - 1; age >= 0; age -= 1) {
      const from = age === 0 ? this.#path : `${this.#path}.${age}`;
      try {
        renameSync(from, `${this.#path}.${age + 1}`);
      } catch {
        // There are not that many yet.
      }
    }
    this.#open();
  }
}
