import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StackError } from './errors.mjs';
import { createLock, readJson, readTextOrNull, removeIfUnchanged, replaceJson } from './files.mjs';
import { endProcess, identify, isRunning } from './process-identity.mjs';

const LEFTOVER_GRACE_MS = 10_000;
const CLAIM_ATTEMPTS = 5;

/** @typedef {import('./process-identity.mjs').ProcessIdentity} ProcessIdentity */
/** @typedef {ProcessIdentity & { name: string, stopSignal: NodeJS.Signals }} RecordedProcess */

/**
 * What runs on a data folder: which supervisor (`run/stack.json`) and which processes of it
 * (`run/processes.json`). After a kill -9 the next start reads here what to clean up.
 */
export class RunRecord {
  #stackFile;
  #processesFile;
  /** @type {Map<string, RecordedProcess>} */
  #processes = new Map();
  #written = Promise.resolve();
  #leftoversEnded = false;

  /** @param {string} dataDir */
  constructor(dataDir) {
    this.#stackFile = join(dataDir, 'run', 'stack.json');
    this.#processesFile = join(dataDir, 'run', 'processes.json');
  }

  /**
   * Makes this process the only one that runs a stack on the folder.
   * @param {string} dataDir
   * @returns {Promise<RunRecord>}
   * @throws {StackError} Naming the pid of the one that runs already.
   */
  static async claim(dataDir) {
    const record = new RunRecord(dataDir);
    await mkdir(join(dataDir, 'run'), { recursive: true, mode: 0o700 });
    const own = `${JSON.stringify(await identify(process.pid), null, 2)}\n`;
    for (let attempt = 0; attempt < CLAIM_ATTEMPTS; attempt += 1) {
      if (await createLock(record.#stackFile, own)) return record;
      const text = await readTextOrNull(record.#stackFile);
      if (text === null) continue;
      const holder = JSON.parse(text);
      if (await isRunning(holder)) {
        throw new StackError(
          `a stack already runs on ${dataDir} (pid ${holder.pid}); ` +
            'stop it with Ctrl-C where it runs, or use another --data-dir',
        );
      }
      await removeIfUnchanged(record.#stackFile, text);
    }
    throw new StackError(`${record.#stackFile} cannot be claimed; remove it and start again`);
  }

  /**
   * Ends what an earlier run left behind, last started first. A process is only touched when its
   * pid, start time and command line are the recorded ones.
   * @param {(line: string) => void} report
   */
  async endLeftovers(report) {
    /** @type {RecordedProcess[]} */
    const recorded = (await readJson(this.#processesFile)) ?? [];
    for (const leftover of recorded.reverse()) {
      const { name, pid, stopSignal: signal } = leftover;
      const outcome = await endProcess(leftover, { signal, graceMs: LEFTOVER_GRACE_MS });
      if (outcome !== 'absent')
        report(`ended ${name} (pid ${pid}) that an earlier run left behind`);
    }
    this.#leftoversEnded = true;
    await this.#write();
  }

  /**
   * @param {string} name
   * @param {number} pid
   * @param {NodeJS.Signals} stopSignal
   */
  async add(name, pid, stopSignal) {
    const identity = await identify(pid);
    if (identity === null) return; // It has ended already.
    this.#processes.set(name, { name, ...identity, stopSignal });
    await this.#write();
  }

  /** @param {string} name */
  async remove(name) {
    if (this.#processes.delete(name)) await this.#write();
  }

  /** Lets the next one in. It still finds the leftovers that this one did not come to end. */
  async release() {
    await this.#written;
    if (this.#leftoversEnded) await rm(this.#processesFile, { force: true });
    await rm(this.#stackFile, { force: true });
  }

  #write() {
    const write = () => replaceJson(this.#processesFile, [...this.#processes.values()]);
    this.#written = this.#written.then(write, write);
    return this.#written;
  }
}
