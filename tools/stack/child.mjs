import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError } from './errors.mjs';

/**
 * @typedef {object} Command
 * @property {string} command The program's path.
 * @property {readonly string[]} args
 * @property {NodeJS.ProcessEnv} [env] The whole environment; ours when left out.
 * @property {string} [cwd]
 * @property {{ uid: number, gid: number }} [account] The account it runs as; ours when left out.
 * @property {NodeJS.Signals} stopSignal What asks it to stop gracefully.
 * @property {number} stopMs How long it may take to, before it is killed.
 */
/** @typedef {{ code: number | null, signal: NodeJS.Signals | null }} Exit */
/** @typedef {(chunk: Buffer) => void} Sink */
/**
 * @typedef {number | Sink | { stdout: Sink, stderr: Sink }} Output A file descriptor or
 * functions.
 */
/**
 * @typedef {object} Child
 * @property {number} pid
 * @property {Promise<Exit>} exited
 * @property {() => Exit | null} exit The exit, once it happened.
 * @property {Promise<unknown>} outputEnded Resolves when the last of its output was handed over.
 * @property {() => Promise<Exit>} stop Graceful, then by force after `stopMs`.
 * @property {(signal?: NodeJS.Signals) => Promise<Exit>} kill At once.
 */

// A shell waits on the read end of a pipe that only we hold. Should we die in any way, even by
// SIGKILL, it reads the end of the pipe and stops the child in our place. It lives in a session of
// its own, so that what kills our process group does not kill it.
const WATCHDOG = `
  while read -r line; do :; done
  kill -"$2" "$1" 2>/dev/null || exit 0
  left="$3"
  while [ "$left" -gt 0 ]; do
    sleep 0.1
    kill -0 "$1" 2>/dev/null || exit 0
    left=$((left - 1))
  done
  kill -KILL "$1" 2>/dev/null
`;
const WATCHDOG_TICK_MS = 100;
// After an orphaning nobody waits for a graceful end; the next start must find a quiet machine.
const ORPHAN_STOP_MS_MAX = 5_000;

/**
 * Starts a process that ends when we end, however we end.
 * @param {Command} command
 * @param {{ output: Output }} options Where its stdout and stderr go.
 * @returns {Promise<Child>} Once the operating system has started it; readiness is another matter.
 */
export async function launch(command, { output }) {
  const sink = typeof output === 'number' ? output : 'pipe';
  const spawned = spawn(command.command, command.args, {
    stdio: ['ignore', sink, sink],
    // Its own session: Ctrl-C in the terminal reaches us, and we stop our children in order.
    detached: true,
    env: command.env ?? process.env,
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    ...command.account,
  });
  /** @type {Exit | null} */
  let exit = null;
  /** @type {Promise<Exit>} */
  const exited = new Promise((resolve) => {
    spawned.once('exit', (code, signal) => resolve((exit = { code, signal })));
  });
  const outputEnded = new Promise((resolve) => spawned.once('close', () => resolve(undefined)));
  await new Promise((resolve, reject) => {
    spawned.once('spawn', () => resolve(undefined));
    spawned.once('error', (error) => {
      reject(new StackError(`${command.command} did not start: ${error.message}`));
    });
  });
  const pid = /** @type {number} */ (spawned.pid);
  spawned.on('error', () => {}); // A signal that came too late; the exit event tells the rest.
  if (typeof output !== 'number') {
    const sinks = typeof output === 'function' ? { stdout: output, stderr: output } : output;
    spawned.stdout?.on('data', sinks.stdout);
    spawned.stderr?.on('data', sinks.stderr);
  }
  const watchdog = watch(pid, command);
  void exited.then(() => watchdog.kill('SIGKILL'));

  /** @param {NodeJS.Signals} [signal] */
  const kill = (signal = 'SIGKILL') => {
    if (exit === null) spawned.kill(signal);
    return exited;
  };
  const stop = async () => {
    void kill(command.stopSignal);
    const abandon = new AbortController();
    const late = sleep(command.stopMs, undefined, { signal: abandon.signal }).then(
      () => kill('SIGKILL'),
      () => exited,
    );
    await Promise.race([exited, late]);
    abandon.abort();
    return exited;
  };
  return { pid, exited, exit: () => exit, outputEnded, stop, kill };
}

/** @param {Exit} exit @returns {string} */
export function describeExit({ code, signal }) {
  return signal === null ? `status ${code}` : signal;
}

/** @param {number} pid @param {Command} command */
function watch(pid, { stopSignal, stopMs }) {
  const ticks = Math.ceil(Math.min(stopMs, ORPHAN_STOP_MS_MAX) / WATCHDOG_TICK_MS);
  const signal = stopSignal.replace(/^SIG/, '');
  const watchdog = spawn('/bin/sh', ['-c', WATCHDOG, 'watchdog', `${pid}`, signal, `${ticks}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watchdog.on('error', () => {}); // Without it we are only less tidy after a kill -9.
  watchdog.stdin?.on('error', () => {});
  watchdog.unref();
  /** @type {import('node:net').Socket} */ (watchdog.stdin)?.unref();
  return watchdog;
}
