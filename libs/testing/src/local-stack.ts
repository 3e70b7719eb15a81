import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  startNats,
  startPostgres,
  type RunningNats,
  type RunningPostgres,
} from '../../../tools/stack/servers.mjs';
import { freePort } from './free-port.js';
import { until } from './until.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const API_KEY = 'ak_TestKeyTest1_0123456789abcdefghijklmnopqrstuv';
/** For a machine that runs other tests beside. */
const READY_MS_MAX = 60_000;
const LOGS_KEPT = 200;

/**
 * The whole system as it is run: a nats-server, a Postgres, and the built standalone app in a
 * process of its own. `npm test` builds first; after a change run `npm run build` yourself.
 */
export class LocalStack {
  nats: RunningNats;
  postgres: RunningPostgres;
  readonly apiKey = API_KEY;
  readonly project = 'default';
  readonly #folder: string;
  readonly #ports: { readonly http: number; readonly management: number };
  #app: ChildProcess | null = null;
  #logs: string[] = [];

  private constructor(
    folder: string,
    nats: RunningNats,
    postgres: RunningPostgres,
    ports: { http: number; management: number },
  ) {
    this.#folder = folder;
    this.nats = nats;
    this.postgres = postgres;
    this.#ports = ports;
  }

  static async start(): Promise<LocalStack> {
    const folder = await mkdtemp(join(tmpdir(), 'athena-stack-'));
    // Postgres may have to run as another user, who must be able to reach its folder.
    await chmod(folder, 0o755);
    const [nats, postgres, http, management] = await Promise.all([
      startNats({ dir: join(folder, 'nats') }),
      startPostgres({ dir: join(folder, 'postgres') }),
      freePort(),
      freePort(),
    ]);
    const stack = new LocalStack(folder, nats, postgres, { http, management });
    try {
      await stack.startApp();
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#ports.http}`;
  }
  get managementUrl(): string {
    return `http://127.0.0.1:${this.#ports.management}`;
  }
  get natsUrl(): string {
    return this.nats.url;
  }
  /** The app's last log lines, for the message of a failing test. */
  get logs(): string {
    return this.#logs.join('\n');
  }
  get pid(): number {
    return this.#app?.pid ?? 0;
  }

  /** Starts the app on the same ports and waits until it is ready. */
  async startApp(): Promise<void> {
    this.spawnApp();
    const ready = (): Promise<boolean> => this.ready();
    await until(ready, () => `the app is ready:\n${this.logs}`, READY_MS_MAX);
  }

  /** Starts the app without waiting for anything. */
  spawnApp(): void {
    const main = join(ROOT, 'apps/standalone/dist/main.js');
    this.#app = spawn(process.execPath, [main], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...this.nats.env,
        ...this.postgres.env,
        ATHENA_HOST: '127.0.0.1',
        ATHENA_HTTP_PORT: String(this.#ports.http),
        ATHENA_MANAGEMENT_PORT: String(this.#ports.management),
        ATHENA_BOOTSTRAP_KEY: API_KEY,
      },
    });
    for (const stream of [this.#app.stdout, this.#app.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.#logs = [...this.#logs, ...data.toString().trimEnd().split('\n')].slice(-LOGS_KEPT);
      });
    }
  }

  async ready(): Promise<boolean> {
    const probe = await fetch(`${this.managementUrl}/healthz/ready`).catch(() => null);
    return probe?.ok ?? false;
  }

  /** `kill -9`; resolves when the process is gone. */
  async killApp(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** After `nats.kill()`: the same data on the same port. */
  async restartNats(): Promise<void> {
    this.nats = await startNats({ dir: join(this.#folder, 'nats'), port: this.nats.port });
  }

  /** After `postgres.kill()`: the same data on the same port. */
  async restartPostgres(): Promise<void> {
    const { port } = this.postgres;
    this.postgres = await startPostgres({ dir: join(this.#folder, 'postgres'), port });
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    await Promise.all([this.nats.stop(), this.postgres.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** One request with the stack's key; the body is JSON. */
  async request(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const app = this.#app;
    this.#app = null;
    if (!app || app.exitCode !== null || app.signalCode !== null) return;
    app.kill(signal);
    await once(app, 'exit');
  }
}
