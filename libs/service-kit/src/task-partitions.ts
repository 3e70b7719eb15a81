import { KEY_ELSEWHERE, getPartitions, limits, type PartitionMap } from '@athena/contracts';
import { sleep, type Clock, type Timers } from '@athena/event-log';
import { Refused, UNAVAILABLE, partitionOfId, partitionOfKey } from '@athena/operation';
import type { Caller, OperationCaller } from './calling.js';

/** After this long the map is asked for again, when it is next used. */
export const MAP_FRESH_MS = 5_000;
/** How long somebody waits for a growth to be activated before asking for the map again. */
const RETRY_MS = 100;

export interface TaskPartitionsOptions {
  readonly operations: OperationCaller;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Names this process where it asks. */
  readonly actor: string;
}

/** What a process knows of the task partitions: which there are, and which one takes a new task. */
export class TaskPartitions {
  readonly #options: TaskPartitionsOptions;
  #map: PartitionMap | null = null;
  #askedAt = 0;
  #asking: Promise<PartitionMap> | null = null;
  #turn = 0;

  constructor(options: TaskPartitionsOptions) {
    this.#options = options;
  }

  /** Whether there is such a partition. @throws Refused UNAVAILABLE */
  async has(partition: number): Promise<boolean> {
    if (partition === 0) return true;
    return partition < hosted(await this.#current()) || partition < hosted(await this.#refresh());
  }

  /**
   * The partition for a new task without a key: that of a task it depends on, else one after the
   * other. @throws Refused UNAVAILABLE
   */
  async forNew(dependencies: readonly string[]): Promise<number> {
    const { partitions } = await this.#current();
    const [first] = dependencies;
    const near = first === undefined ? partitions : partitionOfId(first);
    return near < partitions ? near : this.#turn++ % partitions;
  }

  /**
   * Creates by key: asks every partition that may know the key, oldest first; the last is the one
   * that takes it. @throws whatever the partition that takes or knows it throws
   */
  async byKey<T>(
    { project, budgetMs = limits.COMMAND_BUDGET_MS }: Caller,
    key: string,
    create: (partition: number) => Promise<T>,
  ): Promise<T> {
    const { clock, timers } = this.#options;
    const until = clock.now() + budgetMs;
    for (let map = await this.#current(); ; map = await this.#refresh()) {
      for (const partition of holdersOf(map, project, key)) {
        try {
          return await create(partition);
        } catch (error) {
          if (!isElsewhere(error)) throw error;
        }
      }
      if (clock.now() >= until) {
        throw Refused.because(UNAVAILABLE, 'partitions are being added; the key has no place yet');
      }
      await sleep(timers, RETRY_MS);
    }
  }

  /** A map that is somewhat old does for everything but an unknown number or key. */
  async #current(): Promise<PartitionMap> {
    const map = this.#map ?? (await this.#refresh());
    const stale = this.#options.clock.now() - this.#askedAt > MAP_FRESH_MS;
    if (stale) this.#refresh().catch(() => undefined);
    return map;
  }

  #refresh(): Promise<PartitionMap> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask(): Promise<PartitionMap> {
    const { operations, clock, actor } = this.#options;
    this.#askedAt = clock.now();
    const { output } = await operations.call(getPartitions, {}, { project: '', actor });
    this.#map = output;
    return output;
  }
}

/** For whoever has only the first partition. */
export const ONE_PARTITION: Pick<TaskPartitions, 'forNew' | 'byKey'> = {
  forNew: () => Promise.resolve(0),
  byKey: (_caller, _key, create) => create(0),
};

const hosted = ({ partitions, growingTo }: PartitionMap): number => growingTo ?? partitions;

const holdersOf = (
  { partitions, earlier }: PartitionMap,
  project: string,
  key: string,
): number[] =>
  partitions === 1
    ? [0]
    : [
        ...new Set(
          [...earlier, { partitions }].map((map) => partitionOfKey(project, key, map.partitions)),
        ),
      ];

const isElsewhere = (error: unknown): boolean =>
  error instanceof Refused && error.refusal.code === KEY_ELSEWHERE.code;
