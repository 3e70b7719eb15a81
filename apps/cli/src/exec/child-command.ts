import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { CommandFailed, type Ending } from './outcome.js';
import { type Progress, StderrLines } from './stderr-lines.js';

/** Between the request to end and the end by force. */
export const KILL_AFTER_MS = 5_000;
/** Far above what a result may hold, so that the platform's own limit is the one that is met. */
const STDOUT_BYTES_MAX = 1024 ** 2;

export interface ChildOptions {
  readonly command: readonly string[];
  readonly stdin: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number | undefined;
  /** Ends the command, for example because its task was cancelled. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly onStderr: (line: string) => void;
}

/**
 * One run of a command. It has a process group of its own: signals reach what it has started too,
 * and a Ctrl-C at the terminal doesn't reach it before the agent has drained.
 */
export class ChildCommand {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #options: ChildOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  #timedOut = false;
  #overflowed = false;
  #ended = false;
  readonly ending: Promise<Ending>;

  constructor(options: ChildOptions) {
    this.#options = options;
    const [program = '', ...args] = options.command;
    this.#child = spawn(program, args, { env: options.env, detached: true });
    this.ending = this.#run();
  }

  /** SIGTERM, and SIGKILL for what is still there KILL_AFTER_MS later. */
  stop(): void {
    this.kill('SIGTERM');
    this.#after(KILL_AFTER_MS, () => this.kill('SIGKILL'));
  }

  kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#ended) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #run(): Promise<Ending> {
    const { stdin, timeoutMs, signal, onProgress, onStderr } = this.#options;
    const lines = new StderrLines(onProgress, onStderr);
    const stdout = this.#collect();
    const decoder = new StringDecoder('utf8');
    this.#child.stderr.on('data', (data: Buffer) => lines.push(decoder.write(data)));
    // A command need not read its input.
    this.#child.stdin.on('error', () => {});
    this.#child.stdin.end(stdin);
    if (timeoutMs !== undefined) this.#after(timeoutMs, () => this.#timeOut());
    const onAbort = (): void => this.stop();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) this.stop();
    return new Promise<Ending>((resolve, reject) => {
      this.#child.once('error', (error) => reject(notStarted(error, this.#options.command)));
      this.#child.once('close', (status, ended) => {
        lines.end();
        resolve({
          status,
          signal: ended,
          stdout: stdout(),
          complaint: lines.complaint,
          timedOutAfterMs: this.#timedOut ? (timeoutMs ?? 0) : null,
          overflowed: this.#overflowed,
        });
      });
    }).finally(() => {
      this.#ended = true;
      signal.removeEventListener('abort', onAbort);
      for (const timer of this.#timers) clearTimeout(timer);
    });
  }

  #collect(): () => string {
    const chunks: Buffer[] = [];
    let bytes = 0;
    this.#child.stdout.on('data', (data: Buffer) => {
      bytes += data.length;
      if (bytes <= STDOUT_BYTES_MAX) chunks.push(data);
      else if (!this.#overflowed) {
        this.#overflowed = true;
        this.stop();
      }
    });
    return () => Buffer.concat(chunks).toString('utf8');
  }

  #timeOut(): void {
    this.#timedOut = true;
    this.stop();
  }

  #after(ms: number, then: () => void): void {
    const timer = setTimeout(then, ms);
    this.#timers.add(timer);
  }
}

function notStarted(error: Error, command: readonly string[]): CommandFailed {
  const code = (error as NodeJS.ErrnoException).code ?? 'SPAWN';
  return new CommandFailed(code, `${command[0]} can’t be started here: ${error.message}`);
}
