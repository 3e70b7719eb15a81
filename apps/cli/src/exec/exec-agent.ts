import { Agent, type AgentNotice, type TaskContext } from '@athena/sdk';
import type { World } from '../world.js';
import { ChildCommand } from './child-command.js';
import { resultOf } from './outcome.js';
import { stdinOf } from './stdin.js';

export interface ExecOptions {
  readonly natsUrl: string;
  readonly project: string;
  readonly apiKey: string;
  readonly agentId: string;
  readonly kind: string;
  readonly capabilities: readonly string[];
  /** Empty: any. */
  readonly taskTypes: readonly string[];
  readonly concurrency: number;
  readonly timeoutMs: number | undefined;
  readonly drainTimeoutMs: number;
  /** The field of the content that goes to stdin; undefined: all of it. */
  readonly stdinField: string | undefined;
  readonly command: readonly string[];
  readonly onNotice: (notice: AgentNotice) => void;
}

/** Task ids begin with the time and so look alike; their ends tell them apart. */
const SHORT_ID_LENGTH = 8;
const ANY_TYPE = '*';
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** An agent whose every task is one run of a command. */
export class ExecAgent {
  readonly #options: ExecOptions;
  readonly #world: World;
  readonly #agent: Agent;
  readonly #running = new Set<ChildCommand>();

  constructor(options: ExecOptions, world: World) {
    this.#options = options;
    this.#world = world;
    const { natsUrl, project, apiKey, agentId, kind, capabilities, concurrency } = options;
    const { command, taskTypes, drainTimeoutMs, onNotice } = options;
    this.#agent = new Agent({
      natsUrl,
      project,
      apiKey,
      agentId,
      kind,
      capabilities,
      concurrency,
      drainTimeoutMs,
      onNotice,
      metadata: { exec: command[0] },
      log: quiet,
    });
    for (const type of taskTypes.length > 0 ? taskTypes : [ANY_TYPE]) {
      this.#agent.handle(type, (content, context) => this.#handle(content, context));
    }
  }

  start(): Promise<void> {
    return this.#agent.start();
  }

  /** Takes nothing new and lets commands finish; what lasts too long is ended. */
  async stop(deregister: boolean): Promise<void> {
    await this.#agent.stop({ deregister });
    await Promise.allSettled([...this.#running].map(({ ending }) => ending));
  }

  /** Ends all commands by force; that is reported, so that others can try at once. */
  kill(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }

  async #handle(content: unknown, context: TaskContext): Promise<unknown> {
    const { taskId, taskType, attempt, signal } = context;
    const child = new ChildCommand({
      command: this.#options.command,
      stdin: stdinOf(content, this.#options.stdinField),
      env: {
        ...this.#world.env,
        ATHENA_TASK_ID: taskId,
        ATHENA_TASK_TYPE: taskType,
        ATHENA_ATTEMPT: String(attempt),
      },
      timeoutMs: this.#options.timeoutMs,
      signal,
      onProgress: ({ percent, message }) => context.progress(percent, message),
      onStderr: (line) => this.#world.err(`[${taskId.slice(-SHORT_ID_LENGTH)}] ${line}`),
    });
    this.#running.add(child);
    try {
      return resultOf(await child.ending);
    } finally {
      this.#running.delete(child);
    }
  }
}
