import type { Answered, Asked } from '../recorder.js';
import { violation, type AgentFact, type TaskFact, type Violation } from './recorded.js';

type Fields = Readonly<Record<string, unknown>>;
type Facts = readonly (TaskFact | AgentFact)[];

/** An answer with what it promised. */
interface Promised {
  readonly input: Fields;
  readonly ok: Fields;
  readonly by: string;
}

const same = (left: unknown, right: unknown): boolean =>
  JSON.stringify(left) === JSON.stringify(right);

const created = (facts: Facts, id: unknown, task: Fields): boolean =>
  facts.some(
    (f) => f.type === 'TaskCreated' && f.id === id && same(f.data.content, task['content']),
  );

const assigned = (facts: Facts, { taskId, lease }: Fields, by: string): boolean =>
  facts.some(
    (f) =>
      f.type === 'TaskAssigned' && f.place === lease && f.id === taskId && f.data.agentId === by,
  );

/** By operation: whether the log holds what was acknowledged. */
const HOLDS: Readonly<Record<string, (facts: Facts, promised: Promised) => boolean>> = {
  'task.create': (facts, { input, ok }) => created(facts, ok['taskId'], input),
  'task.createBatch': (facts, { input, ok }) =>
    (ok['taskIds'] as unknown[]).every(
      (id, place) =>
        id === null || created(facts, id, (input['tasks'] as Fields[])[place] as Fields),
    ),
  'task.cancel': (facts, { input }) =>
    facts.some(({ type, id }) => type === 'TaskCancelled' && id === input['taskId']),
  'agent.register': (facts, { ok, by }) =>
    facts.some(
      (f) => f.type === 'AgentRegistered' && f.id === by && f.data.session === ok['session'],
    ),
  'agent.claim': (facts, { ok, by }) =>
    ((ok['tasks'] ?? []) as Fields[]).every((task) => assigned(facts, task, by)),
  // Of an attempt that has ended it is told so, and nothing is recorded.
  'agent.start': (facts, { input, ok, by }) =>
    assigned(facts, input, by) &&
    (ok['status'] !== 'running' ||
      facts.some(
        (f) => f.type === 'TaskStarted' && f.id === input['taskId'] && f.data.agentId === by,
      )),
  'agent.complete': (facts, { input, by }) =>
    facts.some(
      (f) =>
        f.type === 'TaskCompleted' &&
        f.id === input['taskId'] &&
        f.data.agentId === by &&
        same(f.data.result, input['result'] ?? null),
    ),
  'agent.fail': (facts, { input, by }) =>
    facts.some(
      (f) =>
        (f.type === 'AttemptFailed' || f.type === 'TaskFailed') &&
        f.id === input['taskId'] &&
        f.data.agentId === by,
    ),
};

/** C1: whatever was acknowledged is in the log, and was when it was said. */
export const checkAcknowledged = (asked: readonly Asked[], facts: Facts): Violation[] =>
  asked.flatMap((one) => one.answers.flatMap((answer) => lost(one, answer, facts)));

function lost({ op, input, by }: Asked, { ok, to }: Answered, facts: Facts): Violation[] {
  const holds = HOLDS[op];
  if (!ok || !holds) return [];
  const then = facts.filter(({ seq }) => seq <= to);
  if (holds(then, { input, ok, by })) return [];
  const told = JSON.stringify({ input, ok }).slice(0, 300);
  return [
    violation('C1', `${op} of ${by} was acknowledged at ${to}, the log has nothing: ${told}`),
  ];
}
