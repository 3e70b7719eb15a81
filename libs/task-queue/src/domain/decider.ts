import { limits, taskEvents } from '@athena/contracts';
import type { Command, DecideContext, Decider, Decision } from '@athena/event-log';
import {
  cancelTask,
  completeTask,
  failTask,
  heartbeatTask,
  reprioritiseTask,
  startTask,
  type OnContact,
} from './attempt.js';
import { cascade } from './cascade.js';
import { createTask, createTaskChunk } from './create.js';
import { locate, unchanged } from './decisions.js';
import { due, expire, nextDueAt } from './due.js';
import { evolve } from './evolve.js';
import { observe, outline } from './others.js';
import { activate, adopt, getMap, grow } from './partitions.js';
import { pauseQueue, pausedQueue, resumeQueue } from './pauses.js';
import { heldTasks, openRouter, placeTasks, releaseSession } from './place.js';
import { progressTask } from './progress.js';
import { recordOf } from './record.js';
import { fireSchedule } from './schedule-fire.js';
import {
  createSchedule,
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  previewSchedule,
  resumeSchedule,
  triggerSchedule,
} from './schedules.js';
import { redriveTask } from './redrive.js';
import { reindex } from './reindex.js';
import { initialState, tablesOf, type TaskState } from './state.js';

type Decide = (state: TaskState, command: Command, context: DecideContext) => Decision;

/** Every operation that a task partition decides, its own included. */
const decisions: Readonly<Record<string, Decide>> = {
  'task.create': createTask,
  'task.createChunk': createTaskChunk,
  'task.get': getTask,
  'task.start': startTask,
  'task.heartbeat': heartbeatTask,
  'task.progress': progressTask,
  'task.complete': completeTask,
  'task.fail': failTask,
  'task.cancel': cancelTask,
  'task.reprioritise': reprioritiseTask,
  'task.redrive': redriveTask,
  'task.place': placeTasks,
  'task.held': heldTasks,
  'task.openRouter': openRouter,
  'task.releaseSession': releaseSession,
  'task.expire': expire,
  'task.cascade': cascade,
  'task.observe': observe,
  'task.outline': outline,
  'schedule.create': createSchedule,
  'schedule.get': getSchedule,
  'schedule.list': listSchedules,
  'schedule.pause': pauseSchedule,
  'schedule.resume': resumeSchedule,
  'schedule.delete': deleteSchedule,
  'schedule.trigger': triggerSchedule,
  'schedule.preview': previewSchedule,
  'schedule.fire': fireSchedule,
  'queue.pause': pauseQueue,
  'queue.resume': resumeQueue,
  'queue.paused': pausedQueue,
  'partitions.get': getMap,
  'partitions.grow': grow,
  'partitions.adopt': adopt,
  'partitions.activate': activate,
};

/** Operations by which a holder shows that it is alive. */
const CONTACTS: ReadonlySet<string> = new Set([
  'task.start',
  'task.heartbeat',
  'task.progress',
  'task.complete',
  'task.fail',
]);

/** task.get: one task; with `wait`, not before it is finished or the wait is over. */
function getTask(state: TaskState, command: Command, context: DecideContext): Decision {
  const located = locate(state, command, context);
  if ('decision' in located) return located.decision;
  if ('finished' in located) return unchanged(located.finished.record);
  const { taskId, wait = 0 } = command.input as { taskId: string; wait?: number };
  const until = context.arrivedAt + Math.min(wait, limits.GET_WAIT_MS_MAX);
  if (context.now < until) return { park: taskId, until };
  return unchanged(recordOf(located.live));
}

export interface TaskDeciderOptions {
  readonly partition: number;
  /** Told, outside the log, which agent has just reported. */
  readonly onContact?: OnContact;
}

/** The state machine of one task partition. */
export function taskDecider({ partition, onContact }: TaskDeciderOptions): Decider<TaskState> {
  return {
    version: 2,
    events: taskEvents,
    initial: () => initialState(partition),
    evolve,
    decide(state, command, context) {
      const decide = decisions[command.op];
      if (!decide) throw new Error(`a task partition does not decide ${command.op}`);
      const decision = decide(state, command, context);
      if (onContact && CONTACTS.has(command.op) && 'events' in decision) {
        const { taskId } = command.input as { taskId: string };
        const holder = state.tasks.get(taskId)?.holder;
        if (holder) onContact(command.project, holder.agentId);
      }
      return decision;
    },
    tables: tablesOf,
    reindex,
    nextDueAt,
    due,
    takeWoken(state) {
      const woken = state.finishedSinceTaken;
      if (woken.length > 0) state.finishedSinceTaken = [];
      return woken;
    },
  };
}
