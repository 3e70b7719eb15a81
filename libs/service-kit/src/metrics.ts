import { findRefusal } from '@athena/operation';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { Histogram } from './histogram.js';

/** Where a request came in. `internal`: from one of our processes to another. */
export type Surface = 'rest' | 'agent' | 'api' | 'mcp' | 'ws' | 'internal';

export interface WatchedProjection {
  readonly name: string;
  readonly position: number;
  readonly lag: { readonly events: number; readonly seconds: number };
}

const FAST = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];
const SLOW = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000];
const MS = 1_000;

type Counts = Readonly<Record<string, number>>;

/**
 * Every metric of the system, defined once (prefix `athena_`, base units, bounded labels).
 * Services record through these methods and know nothing of the registry behind them.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #appendSeconds = this.#histogram(
    'append_duration_seconds',
    'Log append, until on disk',
    FAST,
    'partition',
  );
  readonly #appendEvents = this.#histogram(
    'append_events',
    'Events in one commit',
    SIZES,
    'partition',
  );
  readonly #appendCommands = this.#histogram(
    'append_commands',
    'Commands answered by one commit',
    SIZES,
    'partition',
  );
  readonly #checkpointSeconds = this.#histogram(
    'checkpoint_duration_seconds',
    'Writing a partition’s state',
    SLOW,
    'partition',
  );
  readonly #requestSeconds = this.#histogram(
    'request_duration_seconds',
    'Requests by operation and surface',
    FAST,
    'operation',
    'surface',
  );
  readonly #projectionSeconds = this.#histogram(
    'projection_write_duration_seconds',
    'Writing one batch',
    FAST,
    'projection',
  );
  readonly #claimSeconds = this.#histogram(
    'claim_wait_seconds',
    'From a claim to its answer',
    SLOW,
  );
  readonly #assignSeconds = this.#histogram(
    'task_assign_seconds',
    'From ready to run to assigned',
    SLOW,
  );
  readonly #runSeconds = this.#histogram('task_run_seconds', 'From start to outcome', SLOW);
  readonly #refusals = this.#counter(
    'refusals_total',
    'Refusals by name and surface',
    'code',
    'surface',
  );
  readonly #transitions = this.#counter(
    'task_transitions_total',
    'Tasks that entered a state',
    'state',
  );
  readonly #decisions = this.#counter(
    'routing_decisions_total',
    'Routing decisions by outcome',
    'outcome',
  );
  readonly #failures = this.#counter(
    'failures_total',
    'What went wrong inside and was tried again',
    'part',
  );
  readonly #archived = this.#counter(
    'projected_events_total',
    'Events written by a projection',
    'projection',
  );

  readonly #projections: WatchedProjection[] = [];

  constructor() {
    this.#watchLag();
    collectDefaultMetrics({ register: this.registry, prefix: 'athena_' });
  }

  /** One commit: latency in milliseconds, and how much shared it. */
  appended(
    partition: string,
    { ms, commands, events }: { ms: number; commands: number; events: number },
  ): void {
    this.#appendSeconds.of(partition).observe(ms / MS);
    this.#appendCommands.of(partition).observe(commands);
    this.#appendEvents.of(partition).observe(events);
  }

  checkpointed(partition: string, ms: number): void {
    this.#checkpointSeconds.of(partition).observe(ms / MS);
  }

  /** One request; `code` is the refusal's where it was refused. */
  requested(surface: Surface, operation: string, ms: number, code?: string): void {
    this.#requestSeconds.of(operation, surface).observe(ms / MS);
    if (code === undefined) return;
    this.#refusals.inc({ code: findRefusal(code) ? code : 'OTHER', surface });
  }

  claimWaited(ms: number): void {
    this.#claimSeconds.of().observe(ms / MS);
  }

  /** From the instant a task could run to its assignment. */
  taskAssigned(ms: number): void {
    this.#assignSeconds.of().observe(ms / MS);
  }

  taskRan(ms: number): void {
    this.#runSeconds.of().observe(ms / MS);
  }

  /** `state`: a task's status. */
  taskEntered(state: string, count = 1): void {
    this.#transitions.inc({ state }, count);
  }

  /** `outcome`: assigned, refused or a waitReason. */
  routingDecided(outcome: string, count = 1): void {
    this.#decisions.inc({ outcome }, count);
  }

  failed(part: string): void {
    this.#failures.inc({ part });
  }

  projected(projection: string, { ms, events }: { ms: number; events: number }): void {
    this.#projectionSeconds.of(projection).observe(ms / MS);
    this.#archived.inc({ projection }, events);
  }

  /** How many tasks are in each state, asked at every scrape. */
  watchTasks(read: () => Counts): void {
    this.#watch(
      'tasks',
      'Tasks by state (finished ones as long as they are in memory)',
      'state',
      read,
    );
  }

  watchAgents(read: () => Counts): void {
    this.#watch('agents', 'Agents by state', 'state', read);
  }

  /** The process's own parts (partitions, projections …): 1 for the state that each is in. */
  watchParts(
    read: () => Iterable<readonly [part: string, told: { readonly state: string }]>,
  ): void {
    const gauge = this.#gauge('part_state', 'State of parts', ['part', 'state'], () => {
      gauge.reset();
      for (const [part, { state }] of read()) gauge.set({ part, state }, 1);
    });
  }

  /** The position of the log's last message; null: it can't be asked now. */
  watchLog(position: () => Promise<number | null>): void {
    const gauge = this.#gauge(
      'log_position',
      'Position of the log’s last message',
      [],
      async () => {
        const at = await position();
        if (at === null) gauge.reset();
        else gauge.set(at);
      },
    );
  }

  /** A projection that this process keeps: how far it is, and how far behind. */
  watchProjection(projection: WatchedProjection): void {
    this.#projections.push(projection);
  }

  #watchLag(): void {
    const of = (name: string, help: string, pick: (one: WatchedProjection) => number): void => {
      const gauge = this.#gauge(name, help, ['projection'], () => {
        for (const one of this.#projections) gauge.set({ projection: one.name }, pick(one));
      });
    };
    of('projection_position', 'Last log position written', ({ position }) => position);
    const events = 'Events that have arrived and are not written';
    of('projection_lag_events', events, ({ lag }) => lag.events);
    of('projection_lag_seconds', 'Age of the oldest event not written', ({ lag }) => lag.seconds);
  }

  #watch(name: string, help: string, label: string, read: () => Counts): void {
    const gauge = this.#gauge(name, help, [label], () => {
      gauge.reset();
      for (const [value, count] of Object.entries(read())) gauge.set({ [label]: value }, count);
    });
  }

  #gauge(
    name: string,
    help: string,
    labelNames: string[],
    collect: () => void | Promise<void>,
  ): Gauge {
    return new Gauge({
      name: `athena_${name}`,
      help,
      labelNames,
      collect,
      registers: [this.registry],
    });
  }

  #counter(name: string, help: string, ...labelNames: string[]): Counter {
    return new Counter({ name: `athena_${name}`, help, labelNames, registers: [this.registry] });
  }

  #histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    ...labels: string[]
  ): Histogram {
    return new Histogram({ name: `athena_${name}`, help, labels, buckets }, this.registry);
  }
}
