import type { createTasks } from '@athena/contracts';
import {
  DEPENDENCY_CYCLE,
  DEPENDENCY_REFUSED,
  UNKNOWN_DEPENDENCY,
  limits,
} from '@athena/contracts';
import { INVALID_INPUT, Refused, refuse, type Input, type Refusal } from '@athena/operation';

/** One task of a batch as it was sent. */
export type BatchItem = Input<typeof createTasks>['tasks'][number];

/** Bytes of items in one chunk: the chunk's events must fit one message of the log. */
const CHUNK_BYTES_MAX = 512 * 1024;

/** In which order the items of a batch are created. Items are named by their index. */
export interface BatchPlan {
  readonly byRef: ReadonlyMap<string, number>;
  /** Dependencies before what depends on them; without those that are refused. */
  readonly order: readonly number[];
  readonly refusals: ReadonlyMap<number, Refusal>;
}

/** @throws Refused INVALID_INPUT where a ref is used twice */
export function planBatch(tasks: readonly BatchItem[]): BatchPlan {
  const byRef = refsOf(tasks);
  return { byRef, ...dependenciesFirst(tasks, byRef) };
}

/** Items that hang together by refs, each group in the plan's order. */
export function groupsOf(tasks: readonly BatchItem[], { byRef, order }: BatchPlan): number[][] {
  const roots = tasks.map((_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (roots[root] !== root) root = roots[root] = roots[roots[root] as number] as number;
    return root;
  };
  for (const index of order) {
    for (const ref of refsIn(tasks[index] as BatchItem)) {
      roots[rootOf(index)] = rootOf(byRef.get(ref) as number);
    }
  }
  const groups = new Map<number, number[]>();
  for (const index of order) {
    const group = groups.get(rootOf(index));
    if (group) group.push(index);
    else groups.set(rootOf(index), [index]);
  }
  return [...groups.values()];
}

/** Cut by number and by size. */
export function* chunksOf(
  order: readonly number[],
  tasks: readonly BatchItem[],
): Iterable<number[]> {
  let chunk: number[] = [];
  let bytes = 0;
  for (const index of order) {
    const size = Buffer.byteLength(JSON.stringify(tasks[index]));
    if (
      chunk.length >= limits.BATCH_CHUNK_TASKS ||
      (chunk.length > 0 && bytes + size > CHUNK_BYTES_MAX)
    ) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(index);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

function refsOf(tasks: readonly BatchItem[]): Map<string, number> {
  const byRef = new Map<string, number>();
  tasks.forEach(({ ref }, index) => {
    if (ref === undefined) return;
    if (byRef.has(ref)) {
      throw Refused.because(INVALID_INPUT, `the ref ${ref} is used twice`, `tasks.${index}.ref`);
    }
    byRef.set(ref, index);
  });
  return byRef;
}

const refsIn = ({ dependencies }: BatchItem): string[] =>
  dependencies.flatMap((dependency) => (typeof dependency === 'string' ? [] : [dependency.ref]));

/** Kahn's algorithm (1962); what is left over lies on, or behind, a circle. */
function dependenciesFirst(
  tasks: readonly BatchItem[],
  byRef: ReadonlyMap<string, number>,
): { order: number[]; refusals: Map<number, Refusal> } {
  const refusals = new Map<number, Refusal>();
  const dependents: number[][] = tasks.map(() => []);
  const open = tasks.map((task, index) => {
    const refs = [...new Set(refsIn(task))];
    const unknown = refs.find((ref) => !byRef.has(ref));
    if (unknown !== undefined) {
      const detail = `the batch holds no ref ${unknown}`;
      refusals.set(index, refuse(UNKNOWN_DEPENDENCY, detail, `tasks.${index}.dependencies`));
    }
    const known = refs.flatMap((ref) => byRef.get(ref) ?? []);
    known.forEach((dependency) => dependents[dependency]?.push(index));
    return known.length;
  });
  const order = open.flatMap((count, index) => (count === 0 ? [index] : []));
  for (let next = 0; next < order.length; next++) {
    const done = order[next] as number;
    for (const index of dependents[done] ?? []) {
      if (refusals.has(done) && !refusals.has(index)) {
        const detail = `task ${done} of the batch was refused`;
        refusals.set(index, refuse(DEPENDENCY_REFUSED, detail, `tasks.${index}.dependencies`));
      }
      if (--(open[index] as number) === 0) order.push(index);
    }
  }
  const placed = new Set(order);
  tasks.forEach((task, index) => {
    if (placed.has(index)) return;
    const detail = `task ${index} depends on itself through ${refsIn(task).join(', ')}`;
    refusals.set(index, refuse(DEPENDENCY_CYCLE, detail, `tasks.${index}.dependencies`));
  });
  return { order: order.filter((index) => !refusals.has(index)), refusals };
}
