import { Ageing } from './ageing.js';
import { Group, groupKeyOf } from './group.js';
import type { Pauses } from './pauses.js';
import type { Concurrency, Rate } from './quota.js';
import type { Quotas } from './quotas.js';
import type { RequirementSet } from './requirement-set.js';
import type { Rank, Task } from './task.js';
import { Line, ProjectTurn, Turns, goesFirst } from './turn.js';

/**
 * The tasks that are offered: by group, and of the groups those that might find an agent now. A
 * group that found none, that waits for a quota, or that is paused is not looked at again before
 * something changed for it.
 */
export class Backlog {
  /** By partition, so that one that takes no proposals stands in nobody's way. */
  readonly #ready = new Map<number, Line>();
  readonly #ageing = new Ageing();
  readonly #turns = new Turns();
  readonly #projects = new Map<string, ProjectTurn>();
  readonly #quotas: Quotas;
  readonly #pauses: Pauses;
  #weights: ReadonlyMap<string, number> = new Map();
  #size = 0;

  constructor(quotas: Quotas, pauses: Pauses) {
    this.#quotas = quotas;
    this.#pauses = pauses;
  }

  get size(): number {
    return this.#size;
  }

  /** The projects' weights; of those that are not named: 1. */
  weigh(weights: ReadonlyMap<string, number>): void {
    this.#weights = weights;
    for (const [project, turn] of this.#projects) turn.weight = weights.get(project) ?? 1;
  }

  add(task: Task): void {
    const key = groupKeyOf(task);
    const known = task.set.groups.get(key);
    const group = known ?? this.#begin(key, task);
    this.#ageing.add(task);
    group.add(task);
    task.group = group;
    this.#size++;
    // Where nobody can take the others, nobody can take this one.
    if (!known) this.#goHome(group);
    else if (group.first === task) this.#reorder(group);
  }

  remove(task: Task): void {
    const { group } = task;
    if (!group) return;
    group.remove(task);
    this.#ageing.remove(task);
    task.group = null;
    this.#size--;
    if (group.size === 0) this.#end(group);
    else if (task.proposal) group.line?.put(group);
    else this.#reorder(group);
  }

  /** Tasks that have waited long count as of a higher class. */
  age(now: number): void {
    for (const task of this.#ageing.aged(now)) this.rank(task, task.rank);
  }

  /** Where the task stands by this rank and its age; its group stays where it is. */
  rank(task: Task, rank: Rank): void {
    const { group } = task;
    if (!group) return void (task.rank = rank);
    group.remove(task);
    this.#ageing.remove(task);
    task.rank = rank;
    this.#ageing.add(task);
    group.add(task);
    this.#reorder(group);
  }

  /** Something changed in favour of the set's tasks. */
  consider(set: RequirementSet): void {
    for (const line of set.lines.values()) line.resume();
    for (const group of set.aside) this.#goHome(group);
  }

  /** Groups come back whose quota has room: as many as could use it, in their order. */
  wake(now: number): void {
    for (const quota of this.#quotas.takeFreed(now)) {
      const room = this.#quotas.room(quota, now);
      for (const [, parked] of quota.parked) {
        for (let woken = 0; woken < room && parked.head; woken++) this.#goHome(parked.head);
      }
      this.#quotas.expect(quota, now);
    }
  }

  /** The group whose first task goes first, of all that might find an agent. */
  next(mayPropose: (partition: number) => boolean): Group | undefined {
    let best: Group | undefined;
    for (const [partition, { head }] of this.#ready) {
      if (!head || (best && goesFirst(best, head)) || !mayPropose(partition)) continue;
      best = head;
    }
    return best;
  }

  /** Its first task is proposed: it has had its turn. */
  taken({ project, turn }: Group): void {
    project.taken();
    turn.taken();
  }

  /** Nobody can take any of the set's tasks now. */
  setAllAside(set: RequirementSet): void {
    for (const line of set.lines.values()) line.setAside();
  }

  /** Nobody can take the group's tasks now. */
  setAside(group: Group): void {
    this.#leave(group);
    group.set.aside.add(group);
  }

  /** Its tasks are paused: it stands nowhere, and its first one has no claim to a quota's room. */
  hold(group: Group): void {
    this.#leave(group);
  }

  /** Perhaps its tasks are paused no more. */
  release(group: Group): void {
    if (!group.line && !group.set.aside.has(group)) this.#goHome(group);
  }

  /** None of the group's tasks can be proposed before the quota has room. */
  park(group: Group, quota: Concurrency | Rate): void {
    this.#leave(group);
    const parked = quota.parked.get(group.home) ?? new Line();
    quota.parked.set(group.home, parked);
    group.quota = quota;
    this.#stand(group, parked);
    this.#quotas.freed(quota);
  }

  /** Its first task may be another: room that it or others were woken for may not be theirs now. */
  #reorder(group: Group): void {
    const { line, terms } = group;
    if (!line) return;
    line.put(group);
    if (terms) this.#quotas.freed(terms.concurrency, terms.rate);
  }

  #goHome(group: Group): void {
    this.#leave(group);
    if (!this.#pauses.holds(group)) this.#stand(group, group.home);
  }

  #stand(group: Group, line: Line): void {
    group.line = line.of(group.turn);
    group.line.put(group);
  }

  /** When one under a quota stands in line no more, others may. */
  #leave(group: Group): void {
    const { line, quota, terms, home } = group;
    group.line = null;
    group.quota = null;
    if (!line) return void group.set.aside.delete(group);
    line.drop(group);
    if (quota && !quota.parked.get(home)?.head) quota.parked.delete(home);
    if (!quota && terms) this.#quotas.freed(terms.concurrency, terms.rate);
  }

  #begin(key: string, task: Task): Group {
    const project = this.#turnOf(task.project);
    const group = new Group(key, task, project, this.#homeOf(task, project));
    task.set.groups.set(key, group);
    group.turn.groups++;
    return group;
  }

  #end(group: Group): void {
    this.#leave(group);
    group.set.groups.delete(group.key);
    if (--group.turn.groups === 0) group.project.forget(group.terms?.fairnessKey ?? null);
  }

  #turnOf(project: string): ProjectTurn {
    const known = this.#projects.get(project);
    if (known) return known;
    const turn = new ProjectTurn(this.#turns, true);
    turn.weight = this.#weights.get(project) ?? 1;
    this.#projects.set(project, turn);
    return turn;
  }

  /** Where tasks of this partition and set stand. */
  #homeOf({ partition, set }: Task, project: ProjectTurn): Line {
    const known = set.lines.get(partition);
    if (known) return known;
    const all = this.#ready.get(partition) ?? new Line();
    this.#ready.set(partition, all);
    const line = new Line(all.of(project));
    set.lines.set(partition, line);
    return line;
  }
}
