import {
  type TaskRecord,
  type TimelineEvent,
  cancelTask,
  createTask,
  createTasks,
  eventTimeline,
  getTask,
  waitTime,
} from '@athena/contracts';
import type { Operation, Output, RawInput } from '@athena/operation';
import type { z } from 'zod';
import { readConnectionFile } from './connection-file.js';
import { BatchRefusedError } from './errors.js';
import { type CallOptions, type Group, bindGroup, groups } from './groups.js';
import { type HttpOptions, HttpTransport } from './http/http-transport.js';
import { withIdempotencyKey } from './idempotency.js';
import { CALL_BUDGET_MS } from './limits.js';
import { type NatsClientOptions, NatsTransport } from './nats/nats-transport.js';
import { retrying } from './retry.js';
import { type Surroundings, systemSurroundings } from './surroundings.js';
import type { TaskDefinition } from './task/definition.js';
import { type TaskAccess, TaskHandle } from './task/handle.js';
import { type SubmitOptions, batchesOf, newTaskOf } from './task/submission.js';
import { Turns } from './task/turns.js';
import { type WaitOptions, waitForTask } from './task/wait.js';
import { type ReadTimeline, type WatchOptions, watchTask } from './task/watch.js';
import type { Transport } from './transport.js';

export type TaskGroup = Group<(typeof groups)['tasks']> & {
  /** Waits until the task is finished or blocked, by long polls. */
  wait(taskId: string, options?: WaitOptions): Promise<TaskRecord>;
  /**
   * Tells what happens to the task, live and in order, until it is finished. Takes the scope
   * `events:read`. @throws AthenaError TASK_NOT_FOUND
   */
  watch(taskId: string, options?: WatchOptions): AsyncIterable<TimelineEvent>;
};

/**
 * Calls the platform's operations, over HTTP or over NATS alike. What fails in passing (refusals
 * marked retryable, lost connections) is retried for CALL_BUDGET_MS, commands with the same
 * idempotency key; what could have happened twice is not repeated but thrown.
 */
export class AthenaClient {
  readonly tasks: TaskGroup;
  readonly schedules: Group<(typeof groups)['schedules']>;
  readonly queue: Group<(typeof groups)['queue']>;
  readonly agents: Group<(typeof groups)['agents']>;
  readonly routing: Group<(typeof groups)['routing']>;
  readonly insights: Group<(typeof groups)['insights']>;
  readonly events: Group<(typeof groups)['events']>;
  readonly partitions: Group<(typeof groups)['partitions']>;
  readonly log: Group<(typeof groups)['log']>;
  readonly projections: Group<(typeof groups)['projections']>;
  readonly keys: Group<(typeof groups)['keys']>;
  readonly projects: Group<(typeof groups)['projects']>;
  readonly system: Group<(typeof groups)['system']>;
  readonly #transport: Transport;
  readonly #surroundings: Surroundings;
  readonly #turns: Turns;
  #seq = 0;

  private constructor(transport: Transport, surroundings = systemSurroundings) {
    this.#transport = transport;
    this.#surroundings = surroundings;
    this.#turns = new Turns(transport.waitsMax);
    const call = (operation: Operation, input: unknown, options?: CallOptions) =>
      this.call(operation, input, options);
    this.tasks = {
      ...bindGroup(groups.tasks, call),
      wait: (taskId, options = {}) => this.#access.wait(taskId, options),
      watch: (taskId, options = {}) => this.#access.watch(taskId, options),
    };
    this.schedules = bindGroup(groups.schedules, call);
    this.queue = bindGroup(groups.queue, call);
    this.agents = bindGroup(groups.agents, call);
    this.routing = bindGroup(groups.routing, call);
    this.insights = bindGroup(groups.insights, call);
    this.events = bindGroup(groups.events, call);
    this.log = bindGroup(groups.log, call);
    this.partitions = bindGroup(groups.partitions, call);
    this.projections = bindGroup(groups.projections, call);
    this.keys = bindGroup(groups.keys, call);
    this.projects = bindGroup(groups.projects, call);
    this.system = bindGroup(groups.system, call);
  }

  /** Over HTTP; nothing is sent before the first call. */
  static async connect(options: HttpOptions): Promise<AthenaClient> {
    return new AthenaClient(new HttpTransport(options));
  }

  /**
   * Over NATS.
   * @param surroundings where the client lives; another one than this machine only in tests
   * @throws AthenaError UNAUTHENTICATED, CONNECTION_LOST
   */
  static async connectNats(
    options: NatsClientOptions,
    surroundings: Surroundings = systemSurroundings,
  ): Promise<AthenaClient> {
    return new AthenaClient(await NatsTransport.open(options, surroundings), surroundings);
  }

  /** Over HTTP, to the stack that wrote this `connection.json`. */
  static async fromConnectionFile(path: string): Promise<AthenaClient> {
    const { gatewayUrl, apiKey } = await readConnectionFile(path);
    return AthenaClient.connect({ url: gatewayUrl, apiKey });
  }

  /** The highest log position that an answer has shown; as `minSeq` it reads one's own writes. */
  get seq(): number {
    return this.#seq;
  }

  /** Calls any operation of @athena/contracts. @throws AthenaError */
  async call<T extends Operation>(
    operation: T,
    input: RawInput<T>,
    options: CallOptions = {},
  ): Promise<Output<T>> {
    const { signal } = options;
    const surroundings = this.#surroundings;
    const { newId } = surroundings;
    const prepared = withIdempotencyKey(operation, input, options.idempotencyKey, newId);
    const waitMs = waitTime.safeParse((input as { wait?: unknown }).wait).data ?? 0;
    const budgetMs = options.timeoutMs ?? CALL_BUDGET_MS + waitMs;
    const { repeatable, key: idempotencyKey } = prepared;
    const answer = await retrying(
      { repeatable, budgetMs, waitMs, signal, surroundings },
      (tryMs) => {
        const attempt = { timeoutMs: tryMs, signal, idempotencyKey };
        return this.#transport.call(operation, prepared.input, attempt);
      },
    );
    if (answer.seq !== undefined && answer.seq > this.#seq) this.#seq = answer.seq;
    return answer.output as Output<T>;
  }

  /** Creates a task of a defined type. @throws AthenaError INVALID_INPUT, or a refusal */
  async submit<I extends z.ZodType, O extends z.ZodType>(
    definition: TaskDefinition<I, O>,
    input: z.input<I>,
    options: SubmitOptions & CallOptions = {},
  ): Promise<TaskHandle<O>> {
    const { idempotencyKey, signal, timeoutMs, ...own } = options;
    const task = await newTaskOf(definition, input, own);
    const { taskId } = await this.call(
      createTask,
      task,
      given({ idempotencyKey, signal, timeoutMs }),
    );
    return new TaskHandle(taskId, definition.output, this.#access);
  }

  /**
   * Creates many tasks of one type, in order, in as few requests as the limits allow.
   * @throws BatchRefusedError if some were refused (the others exist), AthenaError
   */
  async submitMany<I extends z.ZodType, O extends z.ZodType>(
    definition: TaskDefinition<I, O>,
    items: readonly { readonly input: z.input<I>; readonly options?: SubmitOptions }[],
    { idempotencyKey = this.#surroundings.newId(), ...options }: CallOptions = {},
  ): Promise<TaskHandle<O>[]> {
    const tasks = await Promise.all(
      items.map((item) => newTaskOf(definition, item.input, item.options ?? {})),
    );
    const taskIds: (string | null)[] = [];
    const refusals: { index: number; code: string; detail: string }[] = [];
    for (const [number, batch] of batchesOf(tasks).entries()) {
      const keyed = { ...options, idempotencyKey: `${idempotencyKey}-${number}` };
      const answer = await this.call(createTasks, { tasks: batch }, keyed);
      for (const [index, result] of answer.results.entries()) {
        if ('refusal' in result)
          refusals.push({ index: taskIds.length + index, ...result.refusal });
      }
      taskIds.push(...answer.taskIds);
    }
    if (refusals.length) throw new BatchRefusedError(taskIds, refusals);
    return taskIds.map((id) => new TaskHandle(id as string, definition.output, this.#access));
  }

  /** A handle for a task that was submitted before, perhaps by another process. */
  handle<I extends z.ZodType, O extends z.ZodType>(
    definition: TaskDefinition<I, O>,
    taskId: string,
  ): TaskHandle<O> {
    return new TaskHandle(taskId, definition.output, this.#access);
  }

  /** Ends open calls with CLOSED. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async *#watch(taskId: string, options: WatchOptions): AsyncGenerator<TimelineEvent> {
    // The timeline of nothing is empty for ever.
    await this.#access.get(taskId, options.signal);
    const read: ReadTimeline = (input, calling) => this.call(eventTimeline, input, calling);
    yield* watchTask(this.#surroundings.time, read, taskId, options);
  }

  readonly #access: TaskAccess = {
    get: (taskId, signal) => this.call(getTask, { taskId }, given({ signal })),
    wait: (taskId, options) =>
      waitForTask(
        this.#surroundings.time,
        (input, callOptions) => this.call(getTask, input, callOptions),
        this.#turns,
        taskId,
        options,
      ),
    watch: (taskId, options) => this.#watch(taskId, options),
    cancel: async (taskId, reason) =>
      (await this.call(cancelTask, reason === undefined ? { taskId } : { taskId, reason })).status,
  };
}

/** Leaves out what is undefined, as optional properties are declared. */
const given = (options: {
  idempotencyKey?: string | undefined;
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
}): CallOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
