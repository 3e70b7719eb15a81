import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit, launch } from './child.mjs';
import { reasonOf, StackError } from './errors.mjs';
import { untilReady } from './readiness.mjs';

const START_ATTEMPTS = 3;
const LOG_TAIL_LINES = 12;

/**
 * @typedef {object} Service One row of the table of processes.
 * @property {string} name
 * @property {readonly string[]} dependsOn Names of services that have to be ready before.
 * @property {() => Promise<import('./child.mjs').Command>} command Made anew for every start.
 * @property {(signal: AbortSignal) => Promise<void>} ready Resolves when it can be used.
 * @property {number} readyMsMax
 * @property {import('./log-file.mjs').LogFile} log
 */
/**
 * @typedef {object} Timing
 * @property {number} backoffMs The wait before the first restart; it doubles with each failure.
 * @property {number} backoffMsMax
 * @property {number} stableMs After so long a life a death counts as the first again.
 */
/** @type {Timing} */
const TIMING = { backoffMs: 250, backoffMsMax: 10_000, stableMs: 30_000 };

/**
 * @typedef {object} Running
 * @property {import('./child.mjs').Child | null} child
 * @property {Promise<void>} kept Resolves when nobody restarts it any more.
 */

/** Starts services in the order of their dependencies, restarts what dies, stops in reverse. */
export class Supervisor {
  #services;
  #record;
  #report;
  #onPidChange;
  #timing;
  #stopping = new AbortController();
  /** @type {Promise<void> | null} */
  #stopped = null;
  /** @type {Map<string, Running>} In the order of their start. */
  #running = new Map();

  /**
   * @param {object} parts
   * @param {readonly Service[]} parts.services
   * @param {import('./run-record.mjs').RunRecord} parts.record
   * @param {(line: string) => void} parts.report
   * @param {(name: string, pid: number) => Promise<void>} [parts.onPidChange] After every restart.
   * @param {Partial<Timing>} [parts.timing]
   */
  constructor({ services, record, report, onPidChange = async () => {}, timing = {} }) {
    this.#services = services;
    this.#record = record;
    this.#report = report;
    this.#onPidChange = onPidChange;
    this.#timing = { ...TIMING, ...timing };
  }

  /** @param {string} name @returns {number} @throws When it does not run. */
  pidOf(name) {
    const pid = this.#running.get(name)?.child?.pid;
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  /**
   * Resolves when all services are ready.
   * @throws {StackError} With the end of the log of the one that did not become ready.
   */
  async start() {
    /** @type {Map<string, Promise<void>>} */
    const started = new Map();
    for (const service of this.#services) {
      const needed = service.dependsOn.map((name) => started.get(name) ?? missing(service, name));
      /** @type {Running} */
      const running = { child: null, kept: Promise.resolve() };
      const ready = Promise.all(needed).then(() => this.#startFirst(service, running));
      running.kept = ready.then(() => this.#keepRunning(service, running)).catch(() => {});
      started.set(service.name, ready);
      this.#running.set(service.name, running);
    }
    const outcomes = await Promise.allSettled(started.values());
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** Stops everything, what was started last first; resolves when nothing is left running. */
  stop() {
    this.#stopped ??= this.#stopInReverse();
    return this.#stopped;
  }

  async #stopInReverse() {
    this.#stopping.abort(new Error('the stack is being stopped'));
    for (const [name, running] of [...this.#running].reverse()) {
      await running.child?.stop();
      await running.kept;
      await running.child?.stop(); // One that was started while we were waiting.
      await this.#record.remove(name);
    }
  }

  /** Kills everything at once. A stop() that is under way then comes to its end. */
  killAll() {
    this.#stopping.abort(new Error('the stack is being stopped'));
    for (const { child } of this.#running.values()) void child?.kill();
  }

  /** @param {Service} service @param {Running} running */
  async #startFirst(service, running) {
    const startedAt = Date.now();
    for (let attempt = 1; ; attempt += 1) {
      this.#stopping.signal.throwIfAborted();
      try {
        const { pid } = await this.#launch(service, running);
        this.#report(`${service.name} is ready (pid ${pid}, ${seconds(startedAt)})`);
        return;
      } catch (error) {
        this.#stopping.signal.throwIfAborted();
        if (attempt === START_ATTEMPTS) throw notStarted(service, error);
        this.#report(`${service.name} did not start (${reasonOf(error)}), trying again`);
        await this.#wait(attempt);
      }
    }
  }

  /**
   * @param {Service} service
   * @param {Running} running
   * @returns {Promise<import('./child.mjs').Child>} Once it is ready.
   */
  async #launch(service, running) {
    const command = await service.command();
    this.#stopping.signal.throwIfAborted();
    const child = await launch(command, { output: (chunk) => service.log.write(chunk) });
    running.child = child;
    await this.#record.add(service.name, child.pid, command.stopSignal);
    try {
      const { ready, readyMsMax: msMax } = service;
      await untilReady(child, { ready, msMax, signal: this.#stopping.signal });
      return child;
    } catch (error) {
      // When we are stopping, stop() ends it in its turn.
      if (!this.#stopping.signal.aborted) await child.stop();
      throw error;
    }
  }

  /** @param {Service} service @param {Running} running */
  async #keepRunning(service, running) {
    let failures = 0;
    while (running.child !== null) {
      const readyAt = Date.now();
      const exit = await running.child.exited;
      if (this.#stopping.signal.aborted) return;
      if (Date.now() - readyAt >= this.#timing.stableMs) failures = 0;
      this.#report(`${service.name} died (${describeExit(exit)})`);
      failures = await this.#bringBack(service, running, failures);
    }
  }

  /**
   * @param {Service} service
   * @param {Running} running
   * @param {number} earlierFailures Deaths in a row before this one.
   * @returns {Promise<number>} The failures in a row by now.
   */
  async #bringBack(service, running, earlierFailures) {
    const { name, log } = service;
    const diedAt = Date.now();
    for (let failures = earlierFailures + 1; ; failures += 1) {
      this.#report(`${name} restarts in ${this.#backoffMs(failures) / 1000} s`);
      await this.#wait(failures);
      try {
        const { pid } = await this.#launch(service, running);
        this.#report(`${name} is back (pid ${pid}, ${seconds(diedAt)} after it died)`);
        await this.#tellPid(name, pid);
        return failures;
      } catch (error) {
        this.#stopping.signal.throwIfAborted();
        this.#report(`${name} did not come back: ${reasonOf(error)}; see ${log.path}`);
      }
    }
  }

  /** @param {string} name @param {number} pid */
  async #tellPid(name, pid) {
    try {
      await this.#onPidChange(name, pid);
    } catch (error) {
      this.#report(`the new pid of ${name} could not be published: ${reasonOf(error)}`);
    }
  }

  /** @param {number} failures @returns {number} */
  #backoffMs(failures) {
    return Math.min(this.#timing.backoffMs * 2 ** (failures - 1), this.#timing.backoffMsMax);
  }

  /** @param {number} failures */
  async #wait(failures) {
    const { signal } = this.#stopping;
    await sleep(this.#backoffMs(failures), undefined, { signal }).catch(() => {});
  }
}

/** @param {Service} service @param {string} name @returns {never} */
function missing(service, name) {
  throw new Error(`${service.name} depends on ${name}, which is not listed before it`);
}

/** @param {Service} service @param {unknown} error @returns {StackError} */
function notStarted(service, error) {
  return new StackError(
    `${service.name} could not be started: ${reasonOf(error)}.\n` +
      `The end of ${service.log.path}:\n${service.log.tail(LOG_TAIL_LINES)}`,
    { cause: error },
  );
}

/** @param {number} since @returns {string} */
function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
