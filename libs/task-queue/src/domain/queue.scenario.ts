import {
  createSchedule,
  createTask,
  type ClaimedTask,
  type TaskEvent,
  type TaskRecord,
} from '@athena/contracts';
import { newAggregateId } from '@athena/operation';
import { DeciderScenario, type Outcome } from '@athena/testing';
import { taskDecider } from './decider.js';
import type { TaskState } from './state.js';

const decision = {
  policy: 'base@1',
  reason: 'the only candidate',
  candidates: [{ agentId: 'ada', score: 1, successRate: 1, utilisation: 0 }],
  considered: 1,
  registrySeq: 1,
  probability: 1,
};

/** The queue of one partition, spoken to in the language of its users. */
export class Queue extends DeciderScenario<TaskState> {
  readonly partition: number;
  readonly began: number;
  #ids = 0;

  constructor(partition = 0) {
    super(taskDecider({ partition }));
    this.partition = partition;
    this.began = this.now;
    this.when('task.openRouter', { router: 'r1' });
  }

  newId(): string {
    return newAggregateId(
      this.now,
      this.partition,
      Buffer.from(String(++this.#ids).padStart(8, '0')),
    );
  }

  create(fields: Record<string, unknown> = {}, id = this.newId()): string {
    this.tryCreate(fields, id);
    return id;
  }

  tryCreate(fields: Record<string, unknown> = {}, id = this.newId()): Outcome {
    const input = createTask.input.parse({ content: 'work', taskType: 'demo', ...fields });
    return this.when('task.create', input, { id });
  }

  /** Every second, unless the fields say otherwise. */
  schedule(fields: Record<string, unknown> = {}): Outcome {
    const every = 'cron' in fields ? {} : { every: '1s' };
    const task = { content: 'again', taskType: 'demo' };
    const given = { scheduleId: 'tick', task, ...every, ...fields };
    return this.when('schedule.create', createSchedule.input.parse(given));
  }

  /** The runs of schedules so far: planned instants as milliseconds from the first instant. */
  runs(scheduleId = 'tick'): number[] {
    return this.log.flatMap(({ event }) => {
      const created = event as unknown as TaskEvent;
      const { scheduleId: of, plannedAt } =
        (created.type === 'TaskCreated' && created.data.schedule) || {};
      return of === scheduleId && plannedAt ? [Date.parse(plannedAt) - this.began] : [];
    });
  }

  assign(taskId: string, agentId = 'ada', session = 1, more: Record<string, unknown> = {}): string {
    const { task } = this.place(taskId, agentId, session, more);
    return (task as ClaimedTask).lease;
  }

  place(
    taskId: string,
    agentId = 'ada',
    session = 1,
    more: Record<string, unknown> = {},
  ): { task?: ClaimedTask; refusal?: { code: string } } {
    const placements = [{ taskId, agentId, kind: agentId, session, decision, ...more }];
    const { answer } = this.when('task.place', { partition: 0, routerEpoch: 1, placements });
    return (answer as { results: { task?: ClaimedTask; refusal?: { code: string } }[] })
      .results[0]!;
  }

  record(taskId: string): TaskRecord {
    return this.when('task.get', { taskId }).answer as TaskRecord;
  }

  /** An agent's report with its lease. */
  report(verb: string, taskId: string, lease: string, more = {}, agent = 'ada'): Outcome {
    return this.when(`task.${verb}`, { taskId, lease, ...more }, { actor: `agent:${agent}` });
  }
}
