import { Group, groupKeyOf } from './group.js';
import { Heap } from './heap.js';
import type { Pauses } from './pauses.js';
import type { RequirementSet } from './requirement-set.js';
import type { Task } from './task.js';

const goesFirst = (a: Group, b: Group): boolean =>
  a.rank === b.rank ? a.born < b.born : a.rank < b.rank;

/**
 * The tasks that are offered: by group, and of the groups those that might find an agent now. A
 * group that found none is not looked at again before something changed for it.
 */
export class Backlog {
  /** By partition, so that one that takes no proposals stands in nobody's way. */
  readonly #ready = new Map<number, Heap<Group>>();
  readonly #pauses: Pauses;
  #size = 0;

  constructor(pauses: Pauses) {
    this.#pauses = pauses;
  }

  get size(): number {
    return this.#size;
  }

  add(task: Task): void {
    const key = groupKeyOf(task);
    const known = task.set.groups.get(key);
    const group = known ?? new Group(key, task);
    group.add(task);
    task.group = group;
    this.#size++;
    if (!known) task.set.groups.set(key, group);
    // Where nobody can take the others, nobody can take this one.
    if (!known || (group.slot >= 0 && group.first === task)) this.consider(group);
  }

  remove(task: Task): void {
    const { group } = task;
    if (!group) return;
    group.remove(task);
    task.group = null;
    this.#size--;
    if (group.size === 0) {
      this.setAside(group);
      group.set.groups.delete(group.key);
    } else if (group.slot >= 0) {
      this.#of(group).moved(group);
    }
  }

  /** Something changed in the group's favour. */
  consider(group: Group): void {
    if (this.#pauses.holds(group)) return;
    if (group.slot >= 0) this.#of(group).moved(group);
    else this.#of(group).add(group);
  }

  considerAll(set: RequirementSet): void {
    for (const group of set.groups.values()) this.consider(group);
  }

  /** The group whose first task goes first, of all that might find an agent. */
  next(mayPropose: (partition: number) => boolean): Group | undefined {
    let best: Group | undefined;
    for (const [partition, { first }] of this.#ready) {
      if (!first || (best && goesFirst(best, first)) || !mayPropose(partition)) continue;
      best = first;
    }
    return best;
  }

  /** Nobody can take the group's tasks now. */
  setAside(group: Group): void {
    this.#of(group).remove(group);
  }

  #of({ partition }: Group): Heap<Group> {
    const known = this.#ready.get(partition);
    if (known) return known;
    const heap = new Heap<Group>(goesFirst);
    this.#ready.set(partition, heap);
    return heap;
  }
}
