import type { Priority, RoutingDecision } from '@athena/contracts';
import { partitionOfId } from '@athena/operation';
import type { Agent } from './agent.js';
import type { Claim } from './claim-book.js';
import type { Group } from './group.js';
import type { Slotted } from './heap.js';
import type { RequirementSet } from './requirement-set.js';
import type { Terms, TermsRow } from './terms.js';

/** The one empty list, shared by nearly all tasks. */
export const NOBODY: readonly string[] = [];

/** 0 goes first. */
export type Rank = 0 | 1 | 2;
export const RANKS: Readonly<Record<Priority, Rank>> = { high: 0, medium: 1, low: 2 };

/** What a pending task waits for by itself, whoever is there to take it. */
export type OwnWait = 'dependencies' | 'scheduled' | 'backoff' | 'manual';

/** Whom an unfinished task is with. */
export interface Hold {
  readonly agent: Agent;
  readonly session: number;
  readonly claimId: string | undefined;
  /** Log position of the assignment. */
  readonly seq: number;
  /** The decision's. */
  readonly reason: string;
}

/** An assignment that was proposed and is not known to be in the log or refused. */
export interface Proposal {
  readonly task: Task;
  readonly agent: Agent;
  readonly session: number;
  readonly decision: RoutingDecision;
  /** Whose answer it goes out with; null: the agent polls, or will be told with its next claim. */
  readonly claim: Claim | null;
  /** By an operator's hand. */
  readonly manual: boolean;
  /** Its reservation is over: the fold has the assignment, or there is none. */
  settled: boolean;
}

/** What a task is from its creation on. */
export interface TaskOrigin {
  readonly id: string;
  /** Counts tasks in the order of the log: the smaller, the older. */
  readonly born: number;
  readonly rank: Rank;
  readonly taskType: string;
  /** Size of its creation in the log: no claim's answer may grow too large. */
  readonly bytes: number;
  readonly autoRoute: boolean;
  readonly set: RequirementSet;
  /** Agents that never get it. Sorted. */
  readonly excluded: readonly string[];
  /** What its options say about order and limits; null: nothing. */
  readonly terms: Terms | null;
}

/** Not before TaskDue; `until` in milliseconds. */
export interface Gate {
  readonly why: 'scheduled' | 'backoff';
  readonly until: number;
}

export type Standing = 'pending' | 'assigned' | 'running' | 'blocked' | 'finished';

/** An unfinished task, without anything that routing doesn't need (content above all). */
export class Task implements Slotted, TaskOrigin {
  readonly id: string;
  readonly born: number;
  rank: Rank;
  readonly taskType: string;
  readonly bytes: number;
  readonly autoRoute: boolean;
  readonly set: RequirementSet;
  readonly excluded: readonly string[];
  readonly terms: Terms | null;
  readonly partition: number;
  /** Agents that vanished with it: they don't get it while someone else capable is present. */
  avoided: readonly string[] = NOBODY;
  status: Standing = 'pending';
  /** How often it was assigned, as far as the fold has seen. */
  assignments = 0;
  waitsFor: Set<string> | null = null;
  gate: Gate | null = null;
  hold: Hold | null = null;
  /** When it last became free to be routed, milliseconds. */
  offeredAt = 0;
  /** The last look at what it waits for by itself; null: nothing. */
  waits: OwnWait | null = null;
  /** A proposal was refused although the fold sees no reason: not offered until then. */
  coolUntil = 0;
  proposal: Proposal | null = null;
  /** Where it queues while it is offered. */
  group: Group | null = null;
  slot = -1;
  /** The class that it counts as while it is offered; when it counts as of the next higher one. */
  agedRank: Rank;
  ageSlice = 0;

  constructor(origin: TaskOrigin) {
    this.id = origin.id;
    this.born = origin.born;
    this.rank = origin.rank;
    this.taskType = origin.taskType;
    this.bytes = origin.bytes;
    this.autoRoute = origin.autoRoute;
    this.set = origin.set;
    this.excluded = origin.excluded;
    this.terms = origin.terms;
    this.agedRank = origin.rank;
    this.partition = partitionOfId(origin.id);
  }

  get project(): string {
    return this.set.project;
  }

  /** The durable part. */
  toJSON(): TaskRow {
    const { id, born, rank, taskType, bytes, autoRoute, set, excluded, terms } = this;
    const { avoided, status, gate, offeredAt, assignments } = this;
    const { project, requirements } = set;
    const waitsFor = this.waitsFor && [...this.waitsFor];
    const hold = this.hold && { ...this.hold, agent: this.hold.agent.agentId };
    const own = { id, born, rank, taskType, bytes, autoRoute, excluded, avoided, status, gate };
    return {
      ...own,
      assignments,
      terms: terms?.toJSON() ?? null,
      project,
      requirements,
      waitsFor,
      hold,
      offeredAt,
    };
  }
}

/** A task as a checkpoint has it. */
export interface TaskRow extends Omit<TaskOrigin, 'set' | 'terms'> {
  readonly terms: TermsRow | null;
  readonly project: string;
  readonly requirements: readonly string[];
  readonly avoided: readonly string[];
  readonly status: Standing;
  readonly assignments: number;
  readonly waitsFor: readonly string[] | null;
  readonly gate: Gate | null;
  readonly hold: (Omit<Hold, 'agent'> & { readonly agent: string }) | null;
  readonly offeredAt: number;
}

export const ownWaitOf = (task: Task): OwnWait | null => {
  if (task.waitsFor) return 'dependencies';
  if (task.gate) return task.gate.why;
  return task.autoRoute ? null : 'manual';
};
