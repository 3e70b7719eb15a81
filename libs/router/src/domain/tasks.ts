import { Table } from '@athena/event-log';
import { keyOf, type Agent } from './agent.js';
import type { Backlog } from './backlog.js';
import type { Fleet } from './fleet.js';
import type { Quotas } from './quotas.js';
import { ownWaitOf, type Hold, type OwnWait, type Proposal, type Rank, type Task } from './task.js';

/**
 * The unfinished tasks: what each waits for, whom it is with, and what is proposed for it. Every
 * change goes through here, so that backlog, fleet and tallies agree with the tasks.
 */
export class Tasks {
  /** The tasks by id. */
  readonly table = new Table<Task>('task');
  readonly #fleet: Fleet;
  readonly #backlog: Backlog;
  readonly #quotas: Quotas;
  /** Tasks that keep an agent away until it registers anew, by the agent's key. */
  readonly #avoiding = new Map<string, Set<Task>>();
  /** By project: how many tasks wait by themselves, for what. */
  readonly #tallies = new Map<string, Record<OwnWait, number>>();

  constructor(fleet: Fleet, backlog: Backlog, quotas: Quotas) {
    this.#fleet = fleet;
    this.#backlog = backlog;
    this.#quotas = quotas;
  }

  get size(): number {
    return this.table.size;
  }
  tallies(project: string): Readonly<Record<OwnWait, number>> {
    const known = this.#tallies.get(project);
    if (known) return known;
    const none = { dependencies: 0, scheduled: 0, backoff: 0, manual: 0 };
    this.#tallies.set(project, none);
    return none;
  }
  get(id: string): Task | undefined {
    return this.table.get(id);
  }
  values(): IterableIterator<Task> {
    return this.table.values();
  }

  add(task: Task): void {
    this.table.set(task.id, task);
    task.set.tasks++;
    if (task.terms) this.#quotas.join(task.terms);
    this.review(task);
  }

  /** To be called after whatever changes what a task waits for. */
  review(task: Task): void {
    this.table.edit(task.id);
    const waits = task.status === 'pending' ? ownWaitOf(task) : null;
    if (waits !== task.waits) {
      const tallies = this.tallies(task.project) as Record<OwnWait, number>;
      if (task.waits) tallies[task.waits]--;
      if (waits) tallies[waits]++;
      task.waits = waits;
    }
    const offered = task.status === 'pending' && !waits && !task.proposal && task.coolUntil === 0;
    if (offered && !task.group) this.#backlog.add(task);
    else if (!offered && task.group) this.#backlog.remove(task);
  }

  /** A slot of the agent is taken until the proposal's outcome is known. */
  propose(proposal: Proposal): void {
    const { task, agent } = proposal;
    task.proposal = proposal;
    agent.reserved++;
    if (task.terms) this.#quotas.reserve(task.terms, 1);
    this.review(task);
    this.#fleet.refresh(agent);
  }

  /** The reservation ends, once: in the fold the assignment stands, or there will be none. */
  settle(proposal: Proposal): void {
    if (proposal.settled) return;
    proposal.settled = true;
    const { task, agent } = proposal;
    agent.reserved--;
    if (task.terms) this.#quotas.reserve(task.terms, -1);
    if (task.proposal === proposal) {
      task.proposal = null;
      this.review(task);
    }
    this.#fleet.refresh(agent);
    this.#fleet.forgetIfGone(agent);
  }

  assign(task: Task, hold: Hold): void {
    this.#letGo(task);
    task.hold = hold;
    task.status = 'assigned';
    task.assignments++;
    if (task.terms) this.#quotas.hold(task.terms);
    const { agent } = hold;
    agent.held.add(task);
    agent.assignments++;
    this.#fleet.touch(agent);
    if (hold.claimId !== undefined) countClaimed(agent, hold.claimId, 1);
    if (task.proposal) this.settle(task.proposal);
    this.review(task);
    this.#fleet.refresh(agent);
  }

  /** Back to pending, at `now`; `avoid` is the agent that is not to get it again. */
  giveBack(task: Task, now: number, avoid?: string): void {
    this.#letGo(task);
    task.status = 'pending';
    task.offeredAt = now;
    if (avoid !== undefined && !task.avoided.includes(avoid)) {
      task.avoided = [...task.avoided, avoid].sort();
      this.#noteAvoiding(task, avoid);
    }
    this.review(task);
  }

  finish(task: Task): void {
    this.#letGo(task);
    task.status = 'finished';
    this.review(task);
    this.table.delete(task.id);
    for (const agentId of task.avoided) this.#forgetAvoiding(task, agentId);
    if (task.terms) this.#quotas.leave(task.terms);
    if (--task.set.tasks === 0) this.#fleet.released(task.set);
  }

  /** Its age stays: among those of its new rank it stands where it would have stood. */
  reprioritise(task: Task, rank: Rank): void {
    this.#backlog.rank(task, rank);
    this.review(task);
  }

  /** The agent registered anew: nothing is kept from it any more. */
  endAvoidance({ key, agentId }: Agent): void {
    for (const task of this.#avoiding.get(key) ?? []) {
      if (task.group) this.#backlog.remove(task);
      task.avoided = task.avoided.filter((id) => id !== agentId);
      this.review(task);
    }
    this.#avoiding.delete(key);
  }

  /** After a load: what derives from a task's stored fields. */
  restore(task: Task): void {
    this.table.restore(task.id, task);
    task.set.tasks++;
    if (task.terms) this.#quotas.join(task.terms);
    if (task.hold) {
      if (task.terms) this.#quotas.hold(task.terms);
      const { agent, claimId } = task.hold;
      agent.held.add(task);
      if (claimId !== undefined) countClaimed(agent, claimId, 1);
      this.#fleet.refresh(agent);
    }
    for (const agentId of task.avoided) this.#noteAvoiding(task, agentId);
    this.review(task);
  }

  #letGo(task: Task): void {
    const { hold } = task;
    if (!hold) return;
    const { agent, claimId } = hold;
    task.hold = null;
    if (task.terms) this.#quotas.release(task.terms);
    agent.held.delete(task);
    if (claimId !== undefined) countClaimed(agent, claimId, -1);
    this.#fleet.refresh(agent);
    this.#fleet.forgetIfGone(agent);
  }

  #noteAvoiding(task: Task, agentId: string): void {
    const key = keyOf(task.project, agentId);
    const tasks = this.#avoiding.get(key);
    if (tasks) tasks.add(task);
    else this.#avoiding.set(key, new Set([task]));
  }

  #forgetAvoiding(task: Task, agentId: string): void {
    const key = keyOf(task.project, agentId);
    const tasks = this.#avoiding.get(key);
    tasks?.delete(task);
    if (tasks?.size === 0) this.#avoiding.delete(key);
  }
}

function countClaimed({ claimed }: Agent, claimId: string, change: 1 | -1): void {
  const count = (claimed.get(claimId) ?? 0) + change;
  if (count > 0) claimed.set(claimId, count);
  else claimed.delete(claimId);
}
