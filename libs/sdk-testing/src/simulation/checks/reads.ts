import type { TaskStatus } from '@athena/contracts';
import type { Answered, Asked } from '../recorder.js';
import { violation, type TaskFact, type Violation } from './recorded.js';

type Moments = readonly { readonly seq: number; readonly status: TaskStatus }[];

const LEADS_TO: Readonly<Partial<Record<TaskFact['type'], TaskStatus>>> = {
  TaskCreated: 'pending',
  TaskAssigned: 'assigned',
  TaskStarted: 'running',
  TaskCompleted: 'completed',
  AttemptFailed: 'pending',
  TaskFailed: 'failed',
  TaskReleased: 'pending',
  TaskBlocked: 'blocked',
  TaskCancelled: 'cancelled',
};

/** C12: whatever was read of a task was so at some moment between the question and the answer. */
export function checkReads(asked: readonly Asked[], facts: readonly TaskFact[]): Violation[] {
  const moments = new Map<string, { seq: number; status: TaskStatus }[]>();
  for (const { id, type, seq } of facts) {
    const status = LEADS_TO[type];
    if (status) moments.set(id, [...(moments.get(id) ?? []), { seq, status }]);
  }
  return asked.flatMap((one) => {
    if (one.op !== 'task.get') return [];
    const known = moments.get(String(one.input['taskId'])) ?? [];
    return one.answers.flatMap((answer) => wrong(one, answer, known));
  });
}

function wrong({ input, from }: Asked, { ok, refused, to }: Answered, known: Moments): Violation[] {
  const before = known.findLast(({ seq }) => seq <= from);
  const possible = [before, ...known.filter(({ seq }) => seq > from && seq <= to)];
  const isLost = refused === 'TASK_NOT_FOUND' && before !== undefined;
  const isWrong = ok && !possible.some((moment) => moment?.status === ok['status']);
  if (!isLost && !isWrong) return [];
  const told = String(refused ?? ok?.['status']);
  const could = possible.map((moment) => moment?.status ?? 'unknown').join();
  const detail = `task ${String(input['taskId'])} was told to be ${told}; it was ${could}`;
  return [violation('C12', detail)];
}
