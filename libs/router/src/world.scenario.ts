import { HandedLease, until } from '@athena/testing';
import {
  cancelTask,
  claimTasks,
  completeTask,
  createTask,
  endSession,
  listTaskEvents,
  registerAgent,
  startTask,
  type ClaimedTask,
} from '@athena/contracts';
import {
  MemoryLog,
  MemoryStateStore,
  Partition,
  decodeCommit,
  sleep,
  systemClock,
  systemTimers,
  type Follower,
  type LoggedEvent,
} from '@athena/event-log';
import {
  OUTCOME_UNKNOWN,
  Refused,
  UNAVAILABLE,
  newAggregateId,
  type Input,
  type Operation,
  type Output,
  type RawInput,
} from '@athena/operation';
import type { Called, Caller, OperationCaller, ServiceHandler } from '@athena/service-kit';
import { registry } from '../../agent-registry/src/domain/registry.js';
import type { RegistryState } from '../../agent-registry/src/domain/registry-state.js';
import { taskDecider } from '../../task-queue/src/domain/decider.js';
import type { TaskState } from '../../task-queue/src/domain/state.js';
import type { ClaimAnswer } from './domain/claim-book.js';
import { adviseRoute } from './operations/advise-route.js';
import { assignByHand } from './operations/assign-task.js';
import { dispatch } from './operations/dispatch-task.js';
import { tellOfCancelled } from './operations/tell-cancelled.js';
import { tellWhy } from './operations/explain-task.js';
import { poll } from './operations/poll-tasks.js';
import { tellRoutingStats } from './operations/routing-stats.js';
import { Router } from './router.js';
import type { Routing } from './routing.js';

/** What happens to a call: it is lost on the way there, or its answer is lost or late. */
export type Fault = 'lose-call' | 'lose-answer' | 'late-answer';
const LATE_MS = 60;

/** Routers, the task partition and the agent registry on one log in memory, without a network. */
export class World implements OperationCaller {
  readonly log = new MemoryLog();
  readonly store = new MemoryStateStore();
  readonly contacts: string[] = [];
  /** From which positions routers began to follow. */
  readonly followedFrom: number[] = [];
  /** How far routers' folds lag behind the log. */
  feedDelayMs = 0;
  readonly #routers: Router[] = [];
  readonly #unheard = new Set<Router>();
  readonly #faults = new Map<string, Fault[]>();
  #handlers = new Map<string, ServiceHandler>();
  #tasks!: Partition<TaskState>;
  #agents!: Partition<RegistryState>;
  #ids = 0;

  static async begin(): Promise<World> {
    const world = new World();
    const { log } = world;
    const decider = taskDecider({ partition: 0 });
    world.#tasks = await Partition.open({ name: 'task.0', log, decider, owner: 'w' });
    world.#agents = await Partition.open({ name: 'agent.0', log, decider: registry, owner: 'w' });
    return world;
  }

  async end(): Promise<void> {
    await Promise.all(this.#routers.map((router) => router.close()));
    await Promise.all([this.#tasks.close(), this.#agents.close()]);
  }

  /** A router process; it takes over when its lease is handed to it. */
  async router(name = 'router'): Promise<{ router: Router; lease: HandedLease }> {
    const lease = new HandedLease();
    const router: Router = new Router({
      operations: this,
      log: this.log,
      feed: { follow: (options, onCommits) => this.#follow(options, onCommits) },
      store: this.store,
      lease,
      name,
      clock: systemClock,
      timers: systemTimers,
      onActive: (): void => this.#serve(router),
    });
    this.#routers.push(router);
    router.start();
    await router.loaded;
    return { router, lease };
  }

  /** A router that is the active one. */
  async active(name?: string): Promise<Router> {
    const { router, lease } = await this.router(name);
    lease.hand(true);
    await until(() => router.activity === 'active');
    return router;
  }

  failNext(operation: Operation, ...faults: Fault[]): void {
    this.#faults.set(operation.name, faults);
  }

  async call<T extends Operation>(
    operation: T,
    input: Input<T>,
    caller: Caller,
  ): Promise<Called<Output<T>>> {
    const fault = this.#faults.get(operation.name)?.shift();
    await Promise.resolve();
    if (fault === 'lose-call') throw Refused.because(OUTCOME_UNKNOWN, 'the call was lost');
    const called = await this.#answer(operation, input, caller);
    if (fault === 'late-answer') await sleep(systemTimers, LATE_MS);
    if (fault === 'lose-answer') throw Refused.because(OUTCOME_UNKNOWN, 'the answer was lost');
    return called as Called<Output<T>>;
  }

  /** A call as it comes from outside: its input is checked, its defaults are filled in. */
  ask<T extends Operation>(
    operation: T,
    input: RawInput<T>,
    caller: Partial<Caller> = {},
  ): Promise<Called<Output<T>>> {
    const checked = operation.input.parse(input) as Input<T>;
    return this.call(operation, checked, { project: 'p', actor: 'key:k', ...caller });
  }

  /** Creates a task; returns its id. */
  async task(input: Partial<RawInput<typeof createTask>> = {}): Promise<string> {
    const task = { content: { n: this.#ids }, taskType: 'work', ...input };
    const { output } = await this.ask(createTask, task);
    return output.taskId;
  }

  /** Registers an agent over NATS (it claims), or over REST with a key (it polls). */
  async agent(
    agentId: string,
    input: Partial<RawInput<typeof registerAgent>> = {},
    actor = `agent:${agentId}`,
  ): Promise<number> {
    const registration = { agentId, capabilities: [], ...input };
    const { output } = await this.ask(registerAgent, registration, { actor });
    return output.session;
  }

  async endSession(agentId: string, session: number): Promise<void> {
    await this.ask(endSession, { agentId, session, reason: 'disconnected' });
  }

  /** Its answers to claims reach nobody from now on. */
  silence(router: Router): void {
    this.#unheard.add(router);
  }

  /** Every router hears every claim; whoever answers first has answered. */
  claim(agentId: string, input: Partial<RawInput<typeof claimTasks>> = {}): Promise<ClaimAnswer> {
    const claim = { agentId, capacity: 1, waitMs: 2_000, claimId: `c${++this.#ids}`, ...input };
    const { claimId, capacity, waitMs } = claimTasks.input.parse(claim);
    return new Promise((resolve, reject) => {
      for (const router of this.#routers) {
        router.loaded
          .then((routing) =>
            routing?.claim({ claimId, capacity, waitMs }, { project: 'p', agentId }),
          )
          .then((answer) => answer && !this.#unheard.has(router) && resolve(answer), reject);
      }
    });
  }

  async start({ taskId, lease }: ClaimedTask, agentId: string): Promise<void> {
    await this.ask(startTask, { taskId, lease }, { actor: `agent:${agentId}` });
  }

  async complete({ taskId, lease }: ClaimedTask, agentId: string): Promise<void> {
    const actor = `agent:${agentId}`;
    await this.ask(completeTask, { taskId, lease, result: 'done' }, { actor });
  }

  async cancel(taskId: string): Promise<void> {
    await this.ask(cancelTask, { taskId });
  }

  /** What the first router has folded of the agent's cancelled tasks. */
  cancelledOf(agentId: string): readonly unknown[] {
    return this.#routers[0]?.routing.state.fleet.get('p', agentId)?.cancelled ?? [];
  }

  /** Everything in the log, in order. */
  get events(): LoggedEvent[] {
    return this.log.messages.flatMap(
      ({ seq, subject, payload }) => decodeCommit(seq, subject, payload).events,
    );
  }

  eventsOf(taskId: string): LoggedEvent[] {
    return this.events.filter(({ id }) => id === taskId);
  }

  #follow(...[options, onCommits]: Parameters<MemoryLog['follow']>): Follower {
    this.followedFrom.push(options.from);
    return this.log.follow(options, async (commits, seen) => {
      if (this.feedDelayMs > 0) await sleep(systemTimers, this.feedDelayMs);
      await onCommits(commits, seen);
    });
  }

  #serve(router: Router): void {
    const contacts = { add: (project: string, id: string) => void this.contacts.push(id) };
    const handlers = [
      adviseRoute(router, this),
      assignByHand(router, this),
      dispatch(router, this),
      poll(router, this, contacts as unknown as Parameters<typeof poll>[2]),
      tellOfCancelled(router),
      tellRoutingStats(router),
      tellWhy(router, this),
      this.#archive(),
    ] as ServiceHandler[];
    this.#handlers = new Map(handlers.map((handler) => [handler.operation.name, handler]));
  }

  /** The archive's answer, read from the log itself. */
  #archive(): ServiceHandler<typeof listTaskEvents> {
    return {
      operation: listTaskEvents,
      handle: async ({ taskId }) => ({
        output: {
          events: this.eventsOf(taskId).map(({ type, v, data }, n) => ({
            position: `${n}`,
            type,
            version: v,
            at: '2026-01-01T00:00:00Z',
            actor: null,
            correlation: null,
            data,
          })),
        },
        seq: 0,
      }),
    };
  }

  async #answer(operation: Operation, input: unknown, caller: Caller): Promise<Called<unknown>> {
    const id = caller.id ?? this.#newId();
    const { to, name: op } = operation;
    if ('service' in to) {
      const handler = this.#handlers.get(op);
      if (!handler) throw Refused.because(UNAVAILABLE, `nobody serves ${op}`);
      return handler.handle(input, { ...caller, id });
    }
    const partition = to.partition === 'task' ? this.#tasks : this.#agents;
    const { project, actor } = caller;
    const wire = JSON.parse(JSON.stringify(input)) as unknown;
    const answer = await partition.ask({ op, id, project, actor, input: wire });
    if ('refusal' in answer) throw new Refused(answer.refusal);
    return { output: JSON.parse(JSON.stringify(answer.ok)) as unknown, seq: answer.seq };
  }

  #newId(): string {
    const random = Buffer.from(`${++this.#ids}`.padStart(8, '0'));
    return newAggregateId(Date.now(), 0, random);
  }
}

/** Waits for a condition, a few seconds at most. */

/** What is in the fold of the active router agrees with the log, agent by agent. */
export function heldOf({ state }: Routing, agentId: string): number {
  return state.fleet.get('p', agentId)?.held.size ?? 0;
}
