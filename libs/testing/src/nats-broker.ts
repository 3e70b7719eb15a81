import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import {
  JetStreamLog,
  STREAM_NAME,
  ensureStream,
  type StreamWatch,
} from '@athena/event-log-jetstream';
import { startNats, type RunningNats } from '../../../tools/stack/servers.mjs';
import { until } from './until.js';

const LOG_BYTES_MAX = 256 * 1024 * 1024;
const RECONNECT_MS = 50;
const STOPPING_MS = 50;

/** A real nats-server of a test's own, with everything that can happen to one. */
export class NatsBroker {
  readonly #dir: string;
  readonly #connections = new Set<NatsConnection>();
  #server: RunningNats;

  private constructor(dir: string, server: RunningNats) {
    this.#dir = dir;
    this.#server = server;
  }

  static async start(): Promise<NatsBroker> {
    const dir = await mkdtemp(join(tmpdir(), 'athena-broker-'));
    return new NatsBroker(dir, await startNats({ dir }));
  }

  get url(): string {
    return this.#server.url;
  }
  get login(): { user: string; pass: string } {
    return { user: this.#server.core.user, pass: this.#server.core.password };
  }

  /** A connection to account CORE that comes back after every interruption. */
  async connect(reconnectMs = RECONNECT_MS): Promise<NatsConnection> {
    const nc = await connect({
      servers: this.url,
      ...this.login,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectMs,
      noAsyncTraces: true,
    });
    this.#connections.add(nc);
    return nc;
  }

  /** Connects to an event log that has nothing in it yet. */
  async emptyLog(maxBytes = LOG_BYTES_MAX): Promise<EmptyLog> {
    const nc = await this.connect();
    const manager = await jetstreamManager(nc);
    await manager.streams.delete(STREAM_NAME).catch(() => false);
    const stream = await ensureStream(nc, { maxBytes, onDrift: () => undefined });
    const log = new JetStreamLog({ nc });
    const end = async (): Promise<void> => {
      stream.stop();
      log.close();
      await this.disconnect(nc);
    };
    return { nc, log, stream, end };
  }

  async disconnect(nc: NatsConnection): Promise<void> {
    this.#connections.delete(nc);
    await nc.close();
  }

  /** `kill -9`; what was acknowledged is on the disk. */
  kill(): Promise<void> {
    return this.#server.kill();
  }

  /** Starts again after `kill`, on the same port and data. */
  async startAgain(): Promise<void> {
    this.#server = await startNats({ dir: this.#dir, port: this.#server.port });
  }

  /** Keeps the data as they are now. Only while the server is not running. */
  async keepData(): Promise<void> {
    await cp(this.#data, this.#kept, { recursive: true });
  }

  /** Back to what was kept, as after a failure that lost the last writes. */
  async restoreData(): Promise<void> {
    await rm(this.#data, { recursive: true });
    await cp(this.#kept, this.#data, { recursive: true });
  }

  get #data(): string {
    return join(this.#dir, 'nats');
  }
  get #kept(): string {
    return join(this.#dir, 'nats-kept');
  }

  /** The server stands still with its connections open. */
  /** Resolves when none of its threads runs any more. */
  async freeze(): Promise<void> {
    process.kill(this.#server.pid, 'SIGSTOP');
    await untilStopped(this.#server.pid);
  }
  thaw(): void {
    process.kill(this.#server.pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    for (const nc of [...this.#connections]) await this.disconnect(nc);
    await this.#server.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** Linux tells; elsewhere a moment has to do. */
async function untilStopped(pid: number): Promise<void> {
  const tasks = `/proc/${pid}/task`;
  const threads = await readdir(tasks).catch(() => null);
  if (!threads) return pass(STOPPING_MS);
  await until(async () => {
    const states = threads.map((id) => readFile(`${tasks}/${id}/stat`, 'utf8'));
    return (await Promise.all(states)).every((stat) => / T /.test(stat));
  }, 'the server has stopped');
}

export interface EmptyLog {
  readonly nc: NatsConnection;
  readonly log: JetStreamLog;
  readonly stream: StreamWatch;
  readonly end: () => Promise<void>;
}
