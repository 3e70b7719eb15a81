import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, until } from '@athena/testing';

const ROOT = join(import.meta.dirname, '../../..');
const READY_MS_MAX = 50_000;

export interface Connection {
  readonly gatewayUrl: string;
  readonly natsUrl: string;
  readonly project: string;
  readonly apiKey: string;
  readonly services: Readonly<Record<string, { readonly httpUrl: string; readonly pid: number }>>;
}

/** The process of a service that does its work now, where another one stands by. */
export interface Leader {
  readonly name: string;
  readonly pid: number;
}

/** `npm start` as it is, on a data folder of the test's. */
export class StartedStack {
  readonly connection: Connection;
  readonly #process: ChildProcess;
  readonly #dataDir: string;

  private constructor(process: ChildProcess, dataDir: string, connection: Connection) {
    this.#process = process;
    this.#dataDir = dataDir;
    this.connection = connection;
  }

  static async start(
    dataDir: string,
    options: readonly string[],
    env?: NodeJS.ProcessEnv,
  ): Promise<StartedStack> {
    const port = String(await freePort());
    const given = ['--no-example', '--port', port, '--data-dir', dataDir, ...options];
    const stack = spawn(process.execPath, [join(ROOT, 'tools/stack/start.mjs'), ...given], {
      cwd: ROOT,
      ...(env && { env }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [stack.stdout, stack.stderr]) {
      stream.on('data', (data) => (output += String(data)));
    }
    const isReady = (): boolean => {
      if (stack.exitCode !== null) throw new Error(`it ended: ${output}`);
      return /^athena: ready /m.test(output);
    };
    await until(isReady, () => `ready: ${output}`, READY_MS_MAX);
    return new StartedStack(stack, dataDir, await readConnection(dataDir));
  }

  /** Its exit status. */
  async stop(): Promise<number | null> {
    if (this.#process.exitCode !== null) return this.#process.exitCode;
    this.#process.kill('SIGTERM');
    const [status] = (await once(this.#process, 'exit')) as [number | null];
    return status;
  }

  /** Which of a service's two processes has `state` in its part, by their own word. */
  async leaderOf(service: string, part: string, state: string): Promise<Leader> {
    let leader: Leader | null = null;
    const found = async (): Promise<boolean> => {
      const { services } = await readConnection(this.#dataDir);
      const states = await Promise.all(
        [service, `${service}-2`].map(async (name) => {
          const { httpUrl = '', pid = 0 } = services[name] ?? {};
          return { name, pid, state: await stateOf(httpUrl, part) };
        }),
      );
      leader = states.find((one) => one.state === state) ?? null;
      // The other one must be able to follow: it may still be coming back from the kill before.
      return leader !== null && states.some((one) => one.state === 'standby');
    };
    await until(found, `${service} has one ${state} and one standby`);
    return leader as unknown as Leader;
  }

  /** Resolves when whoever runs under the name is another process than `pid`, and ready. */
  async untilBack({ name, pid }: Leader): Promise<void> {
    const back = async (): Promise<boolean> =>
      (await readConnection(this.#dataDir)).services[name]?.pid !== pid;
    await until(back, `${name} is back`);
  }

  /** One request; the body is JSON. Throws where it is not answered with 2xx. */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { gatewayUrl, apiKey } = this.connection;
    const answer = await fetch(`${gatewayUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}

const readConnection = async (dataDir: string): Promise<Connection> =>
  JSON.parse(await readFile(join(dataDir, 'connection.json'), 'utf8')) as Connection;

async function stateOf(managementUrl: string, part: string): Promise<string | undefined> {
  const answer = await fetch(`${managementUrl}/healthz/ready`).catch(() => null);
  const body = (await answer?.json()) as
    { details?: Record<string, { state?: string } | undefined> } | undefined;
  return body?.details?.[part]?.state;
}
