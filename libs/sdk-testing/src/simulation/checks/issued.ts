import type { Asked } from '../recorder.js';
import type { Execution } from '../workers.js';
import { violation, type AgentFact, type TaskFact, type Violation } from './recorded.js';

type Fields = Readonly<Record<string, unknown>>;

/** C2: whatever is in the log was asked for by somebody. */
export function checkIssued(
  asked: readonly Asked[],
  facts: readonly (TaskFact | AgentFact)[],
): Violation[] {
  const known = new Set(asked.flatMap(wishesOf));
  return facts.flatMap((fact) => {
    const wish = wishBehind(fact);
    if (wish === null || known.has(wish)) return [];
    return [violation('C2', `${fact.type} of ${fact.id} at ${fact.seq}: nobody asked for it`)];
  });
}

const wish = (...parts: readonly unknown[]): string => JSON.stringify(parts);

function wishesOf({ op, by, input }: Asked): string[] {
  const { taskId, result = null, tasks = [input] } = input;
  switch (op) {
    case 'task.create':
    case 'task.createBatch':
      return (tasks as Fields[]).map(({ content }) => wish('create', content));
    case 'task.cancel':
      return [wish('cancel', taskId)];
    case 'agent.complete':
      return [wish('complete', by, taskId, result)];
    case 'agent.fail':
      return [wish('fail', by, taskId)];
    case 'agent.register':
      return [wish('register', by)];
    default:
      return [];
  }
}

/** Null: it may happen without being asked for. */
function wishBehind(fact: TaskFact | AgentFact): string | null {
  switch (fact.type) {
    case 'TaskCreated':
      return wish('create', fact.data.content);
    case 'TaskCancelled':
      return wish('cancel', fact.id);
    case 'TaskCompleted':
      return wish('complete', fact.data.agentId, fact.id, fact.data.result);
    case 'AttemptFailed':
    case 'TaskFailed':
      return fact.actor?.startsWith('agent:') ? wish('fail', fact.data.agentId, fact.id) : null;
    case 'AgentRegistered':
      return wish('register', fact.id);
    default:
      return null;
  }
}

/** C9: what was asked for twice was done once, and both were told the same. */
export function checkOnce(asked: readonly Asked[], facts: readonly TaskFact[]): Violation[] {
  const created = new Map<string, string[]>();
  for (const fact of facts) {
    if (fact.type !== 'TaskCreated') continue;
    const content = JSON.stringify(fact.data.content);
    created.set(content, [...(created.get(content) ?? []), fact.id]);
  }
  const twice = [...created].filter(([, ids]) => ids.length > 1);
  return [
    ...twice.map(([content, ids]) => violation('C9', `${content} was created as ${ids.join()}`)),
    ...differently(asked),
  ];
}

function differently(asked: readonly Asked[]): Violation[] {
  const told = new Map<string, string>();
  return asked.flatMap(({ op, by, input, answers }) => {
    const key = input['idempotencyKey'];
    if (key === undefined) return [];
    return answers.flatMap(({ ok }) => {
      const ids = ok && wish(ok['taskId'] ?? ok['taskIds']);
      const name = wish(op, by, key);
      const before = told.get(name) ?? ids;
      if (before) told.set(name, before);
      if (!ids || ids === before) return [];
      return [
        violation('C9', `${op} with key ${JSON.stringify(key)} made ${before}, and then ${ids}`),
      ];
    });
  });
}

/** C14: what counts as done was done, once, by the one whose completion counts. */
export function checkLedger(ledger: readonly Execution[], facts: readonly TaskFact[]): Violation[] {
  const book = new Map(ledger.map((entry) => [entry.execution, entry]));
  const counted = new Set<number>();
  return facts.flatMap((fact) => {
    if (fact.type !== 'TaskCompleted') return [];
    const { agentId, attempt } = fact.data;
    const { execution } = fact.data.result as { execution: number };
    const entry = book.get(execution);
    const isDone =
      entry?.taskId === fact.id && entry.agentId === agentId && entry.attempt === attempt;
    if (isDone && !counted.has(execution) && counted.add(execution)) return [];
    return [violation('C14', `task ${fact.id}: ${agentId} has no such execution ${execution}`)];
  });
}
