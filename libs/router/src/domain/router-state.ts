import type { AgentEvent, TaskEvent } from '@athena/contracts';
import { Table } from '@athena/event-log';
import type { Agent } from './agent.js';
import { Backlog } from './backlog.js';
import { evolveAgent } from './evolve-agent.js';
import { evolveTask } from './evolve-task.js';
import { Fleet } from './fleet.js';
import { Pauses } from './pauses.js';
import { Quotas } from './quotas.js';
import { Tasks } from './tasks.js';

/** Where a folded event stands, with the size of its text in the log. */
export interface Standing {
  readonly seq: number;
  readonly index: number;
  /** Milliseconds. */
  readonly at: number;
  readonly bytes: number;
}

/** An event of any kind, as the log has it. */
export interface AnyEvent {
  readonly type: string;
  readonly project: string;
  readonly id: string;
  readonly data: unknown;
  readonly actor?: string;
}

/** What the fold saw that asks for something beyond the fold. */
export type Consequence =
  | {
      /** Work of this session and older ones has to go back. */
      readonly kind: 'session-ended';
      readonly agent: Agent;
      readonly session: number;
      readonly exclude: boolean;
      readonly source: string;
    }
  /** Whoever waits in the agent's name may be gone. */
  | { readonly kind: 'incarnation-ended'; readonly agent: Agent }
  | {
      readonly kind: 'assigned';
      readonly agent: Agent;
      readonly claimId: string | undefined;
      readonly waitedMs: number;
    }
  | { readonly kind: 'cancelled'; readonly agent: Agent }
  /** `partitions` of the state tells how many there are now. */
  | { readonly kind: 'partitions-grown' }
  | {
      readonly kind: 'router-opened';
      readonly partition: number;
      readonly routerEpoch: number;
      readonly router: string;
    };

/** Everything that the router knows, folded from task and agent events in the log's order. */
export class RouterState {
  readonly fleet = new Fleet();
  readonly pauses = new Pauses();
  readonly quotas = new Quotas();
  readonly backlog = new Backlog(this.quotas, this.pauses);
  readonly tasks = new Tasks(this.fleet, this.backlog, this.quotas);
  /** Whose an agent id is, by the agent's key; kept for good, as the registry keeps it. */
  readonly credentials = new Table<string>('credential');
  /** Position up to which the log is folded. */
  seq = 0;
  /** Position of the last agent event: what decisions knew of the registry. */
  registrySeq = 0;
  /** Partitions that tasks are spread over, those included that are being added. */
  partitions: readonly number[] = [0];
  /** Tasks ever created. */
  born = 0;
  #consequences: Consequence[] = [];

  /** Total: events that don't concern routing change nothing. */
  evolve(event: AnyEvent, standing: Standing): void {
    if (event.type.startsWith('Agent') || REGISTRY_ALSO.has(event.type)) {
      this.registrySeq = standing.seq;
      evolveAgent(this, event as AgentEvent, standing);
    } else {
      evolveTask(this, event as TaskEvent & AnyEvent, standing);
    }
  }

  grow(partitions: number): void {
    this.partitions = Array.from({ length: partitions }, (_, number) => number);
    this.tell({ kind: 'partitions-grown' });
  }

  tell(consequence: Consequence): void {
    this.#consequences.push(consequence);
  }

  takeConsequences(): readonly Consequence[] {
    const taken = this.#consequences;
    if (taken.length > 0) this.#consequences = [];
    return taken;
  }
}

const REGISTRY_ALSO: ReadonlySet<string> = new Set(['CapabilityLearned', 'PerformanceReported']);
