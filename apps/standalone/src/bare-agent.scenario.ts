import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import type { LocalStack } from '@athena/testing';

/** Asks what it reads, line by line, and writes down what it is answered. */
const PROGRAM = `
import { createInterface } from 'node:readline';
import { connect } from '@nats-io/transport-node';
const [servers, pass, user] = process.argv.slice(1);
const nats = await connect({ servers, user, pass, inboxPrefix: '_INBOX.' + user });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, verb, body } = JSON.parse(line);
  nats.request('athena.v1.' + user + '.' + verb, JSON.stringify(body), { timeout: 20_000 }).then(
    (answer) => console.log(JSON.stringify({ id, answer: answer.json() })),
    (error) => console.log(JSON.stringify({ id, answer: { code: error.message } })),
  );
}`;
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface Answer {
  readonly code?: string;
  readonly status?: string;
  readonly session?: number;
  readonly cancelled?: readonly string[];
  readonly tasks?: readonly { readonly taskId: string; readonly lease: string }[];
}

/** An agent with nothing but a NATS client, in a process of its own that can be killed. */
export class BareAgent {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #asked = 0;

  constructor({ natsUrl, apiKey, project }: LocalStack, agentId: string) {
    const user = `${project}.${agentId}`;
    const args = ['--input-type=module', '-e', PROGRAM, natsUrl, apiKey, user];
    this.#process = spawn(process.execPath, args, { cwd: ROOT });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const { id, answer } = JSON.parse(line) as { id: number; answer: Answer };
      this.#waiting.get(id)?.(answer);
    });
  }

  /** Resolves with the answer; of a process that stands still, when it goes on. */
  ask(verb: string, body: object = {}): Promise<Answer> {
    const id = ++this.#asked;
    this.#process.stdin.write(`${JSON.stringify({ id, verb, body })}\n`);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
}
