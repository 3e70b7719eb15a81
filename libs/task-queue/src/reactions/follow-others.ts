import type { TaskEvent } from '@athena/contracts';
import {
  sleep,
  subjectOf,
  type Commit,
  type EventLog,
  type Follower,
  type Partition,
  type Timers,
} from '@athena/event-log';
import { NOT_OWNER } from '@athena/operation';
import { FOLLOWED_APART, Hearing, type Observation } from '../domain/others.js';
import { rowOf, type TaskState } from '../domain/state.js';

/** What is heard is handed on when it is so much, or at the end of a delivery. */
const HEARD_TOGETHER = 500;
const RETRY_MS = 250;
const TASKS = subjectOf('task.');

export interface FollowOthersOptions {
  readonly feed: Pick<EventLog, 'follow'>;
  /** Open here; the number is its own. */
  readonly partition: Partition<TaskState>;
  readonly number: number;
  readonly timers: Timers;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Tells the owner of a partition what the log of the other task partitions says to it (see
 * domain/others.ts), from where the partition's own log says that it has been told.
 */
export class FollowOthers {
  readonly #options: FollowOthersOptions;
  #follower: Follower | null = null;
  #stopped = false;
  #running: Promise<void> | null = null;

  constructor(options: FollowOthersOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#follower?.stop();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { feed, partition, timers, onFailure } = this.#options;
    const own = subjectOf(partition.name);
    const subjects = (subject: string): boolean => subject.startsWith(TASKS) && subject !== own;
    while (!this.#stopped) {
      const from = this.#followed + 1;
      this.#follower = feed.follow({ from, subjects }, (commits, seen) =>
        this.#hear(commits, seen),
      );
      try {
        await this.#follower.done;
      } catch (error) {
        if (this.#stopped) return;
        onFailure(error);
        await this.#follower.stop();
        await sleep(timers, RETRY_MS);
      }
    }
  }

  get #followed(): number {
    return rowOf(this.#options.partition.state).followed ?? 0;
  }

  async #hear(commits: readonly Commit[], seen: number): Promise<void> {
    const hearing = new Hearing(this.#options.number);
    for (const { events, seq } of commits) {
      for (const event of events) hearing.hear(event as TaskEvent);
      if (hearing.size >= HEARD_TOGETHER) await this.#tell(hearing.take(seq));
    }
    if (hearing.size > 0 || seen - this.#followed >= FOLLOWED_APART) {
      await this.#tell(hearing.take(seen));
    }
  }

  /** @throws where it was not taken; it is heard again */
  async #tell(input: Observation): Promise<void> {
    const { partition, number } = this.#options;
    const actor = 'system:task-queue';
    const command = { op: 'task.observe', id: 'task.observe', project: '', actor, input };
    const answer = await partition.ask(command);
    if (!('refusal' in answer)) return;
    this.#stopped ||= answer.refusal.code === NOT_OWNER.code;
    throw new Error(`task.${number}: ${answer.refusal.detail}`);
  }
}
