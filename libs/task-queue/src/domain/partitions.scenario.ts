import { createTask, type TaskEvent, type TaskOutline } from '@athena/contracts';
import { partitionOfId } from '@athena/operation';
import type { Outcome } from '@athena/testing';
import { Hearing } from './others.js';
import { Queue } from './queue.scenario.js';
import { rowOf } from './state.js';

/** Several partitions on one log; each hears of the others when the test says so. */
export class Partitions {
  readonly queues: readonly Queue[];
  readonly #log: { readonly partition: number; readonly event: TaskEvent }[] = [];
  readonly #logged: number[];

  constructor(count: number) {
    this.queues = Array.from({ length: count }, (_, partition) => new Queue(partition));
    this.#logged = this.queues.map(() => 0);
    for (const queue of this.queues) {
      queue.when('partitions.adopt', { partition: queue.partition, partitions: count, since: 0 });
    }
    this.#gather();
  }

  of(taskId: string): Queue {
    return this.queues[partitionOfId(taskId)] as Queue;
  }

  /** As the owner does it: what it lacks it asks of the others. */
  create(partition: number, fields: { dependencies?: readonly string[] } = {}): string {
    const queue = this.queues[partition] as Queue;
    const id = queue.newId();
    const { refusal } = this.tryCreate(id, fields);
    if (refusal) throw new Error(refusal.detail);
    return id;
  }

  tryCreate(id: string, fields: object): Outcome {
    const input = createTask.input.parse({ content: 'work', taskType: 'demo', ...fields });
    return this.#ask(id, 'task.create', input, id);
  }

  /** Whether it could be done now. */
  finish(taskId: string, how: 'complete' | 'fail' | 'cancel'): boolean {
    const queue = this.of(taskId);
    if (how === 'cancel') {
      return !this.#done(queue.when('task.cancel', { taskId })).refusal;
    }
    const { task } = queue.place(taskId);
    if (!task) return false;
    const error = { message: 'boom' };
    queue.report(how, taskId, task.lease, how === 'fail' ? { error, shouldRetry: false } : {});
    this.#gather();
    return true;
  }

  /** As the owner does it: what it lacks it asks of the others. */
  redrive(taskId: string): Outcome {
    return this.#ask(taskId, 'task.redrive', { taskId }, taskId);
  }

  /** The partition hears up to so many further events of the others, and does what follows. */
  hear(partition: number, events = Number.POSITIVE_INFINITY): readonly string[] {
    const queue = this.queues[partition] as Queue;
    const from = rowOf(queue.state).followed ?? 0;
    const upTo = Math.min(this.#log.length, from + events);
    const hearing = new Hearing(partition);
    for (const { partition: source, event } of this.#log.slice(from, upTo)) {
      if (source !== partition) hearing.hear(event);
    }
    const { types } = queue.when('task.observe', hearing.take(upTo));
    const then = queue.advance(0);
    this.#gather();
    return [...types, ...then];
  }

  /** Until nobody has anything more to hear. */
  hearAll(): void {
    for (;;) {
      const before = this.#log.length;
      for (const { partition } of this.queues) this.hear(partition);
      if (this.#log.length === before) return;
    }
  }

  reasonOf(taskId: string): string | null {
    return this.of(taskId).record(taskId).reason;
  }

  #ask(taskId: string, op: string, input: object, id: string): Outcome {
    const queue = this.of(taskId);
    const first = queue.when(op, input, { id });
    if (!('needs' in first.decision)) return this.#done(first);
    const fetched = new Map(first.decision.needs.map((need) => [need, this.#outline(need)]));
    return this.#done(queue.when(op, input, { id, fetched }));
  }

  #outline(taskId: string): TaskOutline | null {
    const { answer } = this.of(taskId).when('task.outline', { taskIds: [taskId] });
    return (answer as { tasks: TaskOutline[] } | undefined)?.tasks[0] ?? null;
  }

  #done(outcome: Outcome): Outcome {
    this.#gather();
    return outcome;
  }

  /** What the queues have appended since is behind everything before. */
  #gather(): void {
    for (const { partition, log } of this.queues) {
      for (const { event } of log.slice(this.#logged[partition])) {
        this.#log.push({ partition, event: event as unknown as TaskEvent });
      }
      this.#logged[partition] = log.length;
    }
  }
}
