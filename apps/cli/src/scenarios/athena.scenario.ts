import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const BIN = join(import.meta.dirname, '../../bin/athena.mjs');

export interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin?: string;
}

/** A running `athena`, the built one, as a shell would start it. */
export class AthenaProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<Said>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], { env, cwd, stdin }: RunOptions) {
    const known = { PATH: '/usr/bin:/bin', HOME: cwd, ...env };
    this.#child = spawn(process.execPath, [BIN, ...args], { env: known, cwd, stdio: 'pipe' });
    this.#child.stdout.on('data', (data: Buffer) => (this.stdout += data.toString()));
    this.#child.stderr.on('data', (data: Buffer) => (this.stderr += data.toString()));
    this.#child.stdin.end(stdin ?? '');
    this.ended = once(this.#child, 'close').then(([status]) => ({
      status: status as number | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  /** Waits until stderr or stdout has it. */
  async says(text: string, msMax = 15_000): Promise<void> {
    const until = Date.now() + msMax;
    while (!(this.stderr + this.stdout).includes(text)) {
      if (Date.now() > until) throw new Error(`not said: ${text}\n${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }
}

export const athena = (args: readonly string[], options: RunOptions): Promise<Said> =>
  new AthenaProcess(args, options).ended;
