import type { z } from 'zod';
import { sleep, within } from '../abort.js';
import { CLAIM_SETTLE_MS } from '../limits.js';
import { RequestChannel } from '../nats/request-channel.js';
import { type Surroundings, systemSurroundings } from '../surroundings.js';
import type { TaskDefinition } from '../task/definition.js';
import { Claims } from './claims.js';
import { Handlers, type PlainHandler, type TypedHandler, typedHandler } from './handlers.js';
import { type AgentNotice, logNotice } from './notices.js';
import { type AgentOptions, type AgentSettings, agentSettings } from './options.js';
import { Runner } from './runner.js';
import { Session } from './session.js';
import { AgentVerbs } from './verbs.js';

interface Parts {
  readonly channel: RequestChannel;
  readonly verbs: AgentVerbs;
  readonly runner: Runner;
  readonly session: Session;
  readonly claims: Claims;
}

/**
 * An agent: connects over NATS, registers, claims tasks, runs handlers and reports outcomes, until
 * it is stopped. It survives lost connections and restarts of the platform.
 */
export class Agent {
  readonly #settings: AgentSettings;
  readonly #surroundings: Surroundings;
  readonly #handlers = new Handlers();
  #parts: Parts | undefined;
  #starting: Promise<void> | undefined;
  #draining: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /** @param surroundings where the agent lives; another one than this machine only in tests */
  constructor(options: AgentOptions, surroundings: Surroundings = systemSurroundings) {
    this.#settings = agentSettings(options);
    this.#surroundings = surroundings;
  }

  get agentId(): string {
    return this.#settings.agentId;
  }

  /** Tasks that run now. */
  get running(): number {
    return this.#parts?.runner.size ?? 0;
  }

  /** Says what to do with tasks of a defined type, of a type by name, or of any other (`'*'`). */
  handle<I extends z.ZodType, O extends z.ZodType>(
    definition: TaskDefinition<I, O>,
    handler: TypedHandler<I, O>,
  ): this;
  handle(taskType: string, handler: PlainHandler): this;
  handle(what: string | TaskDefinition, handler: PlainHandler): this {
    if (typeof what === 'string') this.#handlers.add(what, handler);
    else this.#handlers.add(what.name, typedHandler(what, handler));
    return this;
  }

  /**
   * Resolves when the agent is registered and claims work.
   * @throws AthenaError UNAUTHENTICATED, CONNECTION_LOST, or the refusal of the registration
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** Takes no new work; resolves when all that runs is finished. The agent stays registered. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  /**
   * Takes no new work, lets handlers finish for `drainTimeoutMs`, then aborts them, and
   * disconnects. Tasks that were left go to other agents without counting as failed.
   */
  stop(options: { readonly deregister?: boolean } = {}): Promise<void> {
    this.#stopping ??= this.#stop(options.deregister ?? false);
    return this.#stopping;
  }

  readonly #notify = (notice: AgentNotice): void => {
    logNotice(this.#settings.log, notice);
    this.#settings.onNotice?.(notice);
  };

  async #start(): Promise<void> {
    if (this.#handlers.size === 0) throw new Error('give the agent a handler before starting it');
    const { natsUrl, project, agentId, apiKey } = this.#settings;
    const user = `${project}.${agentId}`;
    const channel = await RequestChannel.open({ natsUrl, user, apiKey }, this.#surroundings);
    const parts = this.#assemble(channel);
    try {
      await parts.session.open();
    } catch (error) {
      parts.session.close();
      await channel.close();
      throw error;
    }
    this.#parts = parts;
    channel.watch((connected) => this.#connectionChanged(connected));
    parts.claims.fill();
  }

  #assemble(channel: RequestChannel): Parts {
    const { concurrency } = this.#settings;
    const notify = this.#notify;
    const verbs = new AgentVerbs(channel, this.#settings, (taskIds) =>
      taskIds.forEach((taskId) => runner.drop(taskId, 'cancelled')),
    );
    const runner = new Runner({
      settings: this.#settings,
      handlers: this.#handlers,
      channel,
      verbs,
      notify,
      onFree: () => claims.fill(),
    });
    const session = new Session({
      registration: this.#registration(),
      channel,
      verbs,
      notify,
      load: () => runner.size / concurrency,
      onBeat: ({ sessionChanged }) => runner.checkLeases(sessionChanged ? 0 : session.heartbeatMs),
    });
    const claims = new Claims({
      channel,
      verbs,
      notify,
      concurrency,
      running: () => runner.size,
      onTasks: (tasks) => tasks.forEach((task) => runner.take(task)),
      register: () => session.renew(),
    });
    return { channel, verbs, runner, session, claims };
  }

  #registration() {
    const { capabilities, concurrency, kind, metadata } = this.#settings;
    return {
      capabilities: [...capabilities],
      maxConcurrentTasks: concurrency,
      ...(kind === undefined ? {} : { kind }),
      ...(metadata === undefined ? {} : { metadata }),
    };
  }

  #connectionChanged(connected: boolean): void {
    this.#notify({ type: connected ? 'reconnected' : 'disconnected' });
    if (connected) void this.#parts?.session.beat();
  }

  async #drain(): Promise<void> {
    await this.#starting;
    const parts = this.#parts;
    if (!parts) return;
    parts.claims.end();
    await parts.verbs
      .drain()
      .catch((error: unknown) => this.#notify({ type: 'trouble', doing: 'drain', error }));
    // Tasks that were given before the drain arrived are on their way: they are finished too.
    await Promise.race([parts.claims.answered(), sleep(this.#surroundings.time, CLAIM_SETTLE_MS)]);
    parts.claims.close();
    await parts.runner.idle();
    this.#notify({ type: 'drained' });
  }

  async #stop(deregister: boolean): Promise<void> {
    // A start that failed has cleaned up after itself.
    await this.#starting?.catch(() => {});
    const parts = this.#parts;
    if (!parts) return;
    const inTime = await this.#drainedWithin(this.#settings.drainTimeoutMs);
    parts.claims.close();
    parts.runner.close();
    if (!inTime) await parts.runner.idle();
    if (deregister) {
      await parts.verbs
        .deregister()
        .catch((error: unknown) => this.#notify({ type: 'trouble', doing: 'deregister', error }));
    }
    parts.session.close();
    await parts.channel.close();
    this.#notify({ type: 'stopped' });
  }

  async #drainedWithin(timeoutMs: number): Promise<boolean> {
    const late = new Error('not drained in time');
    const drained = this.drain().then(() => true);
    return within(this.#surroundings.time, drained, timeoutMs, undefined, () => late).catch(
      () => false,
    );
  }
}
