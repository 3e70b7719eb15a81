import { NO_RECORD, successRate, type AgentMode, type Performance } from '@athena/contracts';
import type { RequirementSet } from './requirement-set.js';
import type { Task } from './task.js';

/** The record that all instances of one kind of agent share. */
export class KindRecord {
  readonly name: string;
  performance: Performance = NO_RECORD;
  /** Of `performance`, kept because every score reads it. */
  successRate = 1;

  constructor(name: string) {
    this.name = name;
  }

  count(performance: Performance): void {
    this.performance = performance;
    this.successRate = successRate(performance);
  }

  /** The durable part. */
  toJSON(): Performance {
    return this.performance;
  }
}

export interface Cancellation {
  readonly taskId: string;
  /** Milliseconds. */
  readonly at: number;
}

/** The end of a session, as its event told it. */
export interface SessionEnded {
  readonly session: number;
  /** Its work is kept from this agent until it registers anew. */
  readonly exclude: boolean;
  /** `<position>.<index>` of the event: identifies what follows from it. */
  readonly source: string;
}

/** One agent of one project, as far as routing needs to know it. */
export class Agent {
  readonly key: string;
  readonly project: string;
  readonly agentId: string;
  kind: KindRecord;
  capabilities: ReadonlySet<string> = new Set();
  max = 0;
  mode: AgentMode = 'claim';
  registered = false;
  /** The latest session; leases name the one they rest on. */
  session = 0;
  /** The session that its latest registration opened. */
  registration = 0;
  /** The latest session that has ended, with how; older ones ended before it. */
  ended: SessionEnded = { session: 0, exclude: false, source: '' };
  /** A session is open: the agent was not found to be away. */
  present = false;
  draining = false;
  /** Tasks that it is assigned or runs. */
  readonly held = new Set<Task>();
  /** How many of them were given for which claim: recognises a claim that is repeated. */
  readonly claimed = new Map<string, number>();
  /** Proposals for it that are neither in the fold nor refused. */
  reserved = 0;
  /** Open capacity of its parked claims. */
  credits = 0;
  /** Assignments since it is known; settles ties in favour of who had the fewest. */
  assignments = 0;
  /** Tasks that were cancelled while it held them, oldest first. */
  cancelled: Cancellation[] = [];
  /** The requirement sets that it meets. */
  readonly sets = new Set<RequirementSet>();
  /** `free` and `utilisation` as the fleet last saw them: what scans of all agents read. */
  offered = 0;
  load = 1;

  constructor(project: string, agentId: string) {
    this.key = keyOf(project, agentId);
    this.project = project;
    this.agentId = agentId;
    this.kind = new KindRecord(agentId);
  }

  /** Assigned, running and reserved. */
  get active(): number {
    return this.held.size + this.reserved;
  }
  /** (assigned + running) ÷ max, reservations counted. */
  get utilisation(): number {
    return this.max === 0 ? 1 : this.active / this.max;
  }
  /** Present, and takes new work at all. */
  get reachable(): boolean {
    return this.registered && this.present && !this.draining;
  }
  /** Whether a task that it was given for this claim is not started yet. */
  hasToStart(claimId: string): boolean {
    if (!this.claimed.has(claimId)) return false;
    return [...this.held].some(
      ({ hold, status }) => hold?.claimId === claimId && status === 'assigned',
    );
  }
  /** Slots that it has, whether or not it asks for work. */
  get room(): number {
    return this.reachable ? Math.max(0, this.max - this.active) : 0;
  }
  /** Placements that it can take now: claiming agents only against open credits. */
  get free(): number {
    return this.mode === 'poll' ? this.room : Math.min(this.room, this.credits);
  }

  /** The durable part. */
  toJSON(): AgentRow {
    const { project, agentId, max, mode, registered, session, registration, ended } = this;
    const { present, draining, assignments, cancelled } = this;
    return {
      ...{ project, agentId, max, mode, registered, session, registration, ended },
      ...{ present, draining, assignments, cancelled },
      kind: this.kind.name,
      capabilities: [...this.capabilities],
    };
  }
}

/** An agent as a checkpoint has it. */
export interface AgentRow {
  readonly project: string;
  readonly agentId: string;
  readonly kind: string;
  readonly capabilities: readonly string[];
  readonly max: number;
  readonly mode: AgentMode;
  readonly registered: boolean;
  readonly session: number;
  readonly registration: number;
  readonly ended: SessionEnded;
  readonly present: boolean;
  readonly draining: boolean;
  readonly assignments: number;
  readonly cancelled: readonly Cancellation[];
}

/** Ids hold no slash. */
export const keyOf = (project: string, agentId: string): string => `${project}/${agentId}`;
