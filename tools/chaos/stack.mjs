import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '..', '..');
const STOP_MS_MAX = 30_000;
const PATIENCE_MS = 60_000;
const POLL_MS = 20;
const PROBE_MS_MAX = 2_000;

/** The part of a service that only one of its processes has, and how it says that it has it. */
const LEADING = {
  'task-queue': ['task.0', 'owner'],
  'agent-registry': ['agent.0', 'owner'],
  router: ['router', 'active'],
};

/** Waits until something is so; throws where it never is. */
export async function until(reached, what, ms = PATIENCE_MS) {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await reached();
    if (answer) return answer;
    if (performance.now() > end) {
      throw new Error(`not so within ${ms} ms: ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(POLL_MS);
  }
}

/** `npm start -- --separate` on a folder of its own, and its processes one by one. */
export class SeparateStack {
  #child;
  #folder;

  constructor(child, folder) {
    this.#child = child;
    this.#folder = folder;
  }

  static async start() {
    const folder = await mkdtemp(join(tmpdir(), 'athena-chaos-'));
    const options = ['--no-example', '--separate', '--data-dir', folder];
    const start = join(ROOT, 'tools/stack/start.mjs');
    const stdio = ['ignore', 'pipe', 'inherit'];
    const child = spawn(process.execPath, [start, ...options], { cwd: ROOT, stdio });
    const stack = new SeparateStack(child, folder);
    try {
      await ready(child);
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  get folder() {
    return this.#folder;
  }

  connection() {
    return this.#read('connection.json');
  }

  /** The pid of a process by the name that the stack has for it; undefined while there is none. */
  async pidOf(name) {
    const processes = await this.#read('run/processes.json').catch(() => []);
    return processes.find((one) => one.name === name)?.pid;
  }

  /** The process that does a service's work now, as soon as another one stands by. */
  leaderOf(service) {
    return until(async () => {
      const [leader, standby] = await this.roles(service);
      return leader && (standby || !LEADING[service]) ? leader : null;
    }, `${service} has a leader and a standby`);
  }

  /** Resolves when another process than `pid` does a service's work. */
  untilAnother(service, pid) {
    return until(async () => {
      const [leader] = await this.roles(service).catch(() => []);
      return leader && leader.pid !== pid;
    }, `another process does the work of ${service}`);
  }

  /** `[leader, standby]` of a service by their own word; absent where there is none now. */
  async roles(service) {
    const { services } = await this.connection();
    const led = LEADING[service];
    if (!led) {
      const ready = (await healthOf(services[service].httpUrl)) !== null;
      return [ready ? { name: service, pid: services[service].pid } : undefined, undefined];
    }
    const found = await Promise.all(
      [service, `${service}-2`].map(async (name) => {
        const { httpUrl, pid } = services[name];
        return { name, pid, state: (await healthOf(httpUrl))?.details?.[led[0]]?.state };
      }),
    );
    return [
      found.find(({ state }) => state === led[1]),
      found.find(({ state }) => state === 'standby'),
    ];
  }

  /** Resolves when every process is ready, those that were killed included. */
  async untilWhole() {
    let left = [];
    await until(
      async () => {
        const services = Object.entries((await this.connection()).services);
        const states = await Promise.all(services.map(([, { httpUrl }]) => healthOf(httpUrl)));
        left = services.flatMap(([name], index) => (states[index]?.status === 'ok' ? [] : [name]));
        return left.length === 0;
      },
      () => `every process is ready; ${left.join(', ')}`,
    );
  }

  async stop() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
      await ended;
      clearTimeout(timer);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #read(path) {
    return JSON.parse(await readFile(join(this.#folder, path), 'utf8'));
  }
}

function ready(child) {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('athena: ready ')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the stack ended with ${code}`)));
  });
}

async function healthOf(url) {
  const signal = AbortSignal.timeout(PROBE_MS_MAX);
  const answer = await fetch(`${url}/healthz/ready`, { signal }).catch(() => null);
  return answer?.json().catch(() => null) ?? null;
}
