import type { AgentEvent, TaskEvent } from '@athena/contracts';
import { newAggregateId } from '@athena/operation';
import { ClaimBook, type ClaimAnswer } from './claim-book.js';
import { match } from './matching.js';
import { RouterState, type AnyEvent, type Standing } from './router-state.js';
import type { Proposal, Task } from './task.js';

type DataOf<T extends (AgentEvent | TaskEvent)['type']> = Extract<
  AgentEvent | TaskEvent,
  { type: T }
>['data'];

const STARTED_AT = Date.parse('2026-01-01T00:00:00Z');

const PLAIN_TASK = {
  content: null,
  taskType: 'work',
  priority: 'medium' as const,
  requirements: [],
  dependencies: [],
  waitsFor: [],
  maxAttempts: 3,
  autoRoute: true,
};

/** A router without log, clock and partitions: events go in, passes of matching come out. */
export class RouterScenario {
  readonly state: RouterState;
  /** Everything that was folded, as the log would have it. */
  readonly history: { event: AnyEvent; standing: Standing }[] = [];
  readonly answers: { claimId: string; answer: ClaimAnswer }[] = [];
  readonly claims: ClaimBook;
  now = STARTED_AT;
  #seq = 0;
  #ids = 0;
  #sessions = 0;

  constructor(state = new RouterState()) {
    this.state = state;
    this.claims = new ClaimBook(state.fleet, (claim, tasks) => {
      this.answers.push({ claimId: claim.claimId, answer: { tasks, cancelled: [] } });
    });
  }

  event<T extends (AgentEvent | TaskEvent)['type']>(
    type: T,
    id: string,
    data: DataOf<T>,
    project = 'p',
  ): this {
    const seq = ++this.#seq;
    const event = { type, project, id, data, actor: 'key:spec' };
    const standing = { seq, index: 0, at: this.now, bytes: 300 };
    this.history.push({ event, standing });
    this.state.evolve(event, standing);
    this.state.seq = seq;
    return this;
  }

  agent(
    agentId: string,
    registration: Partial<DataOf<'AgentRegistered'>> = {},
    project = 'p',
  ): this {
    return this.event(
      'AgentRegistered',
      agentId,
      {
        session: ++this.#sessions,
        kind: agentId,
        capabilities: [],
        maxConcurrentTasks: 5,
        mode: 'poll',
        ...registration,
      },
      project,
    );
  }

  gone(agentId: string, reason: DataOf<'AgentSessionEnded'>['reason'] = 'silent'): this {
    const { session } = this.agentOf(agentId);
    return this.event('AgentSessionEnded', agentId, { session, reason });
  }

  /** Creates a task; returns its id. */
  task(data: Partial<DataOf<'TaskCreated'>> = {}, partition = 0, project = 'p'): string {
    const id = newAggregateId(this.now, partition, Buffer.from(`${++this.#ids}`.padStart(8, '0')));
    this.event('TaskCreated', id, { ...PLAIN_TASK, ...data }, project);
    return id;
  }

  /** A task that had ended, and is forgotten, runs again. */
  redriven(taskId: string, data: Partial<DataOf<'TaskRedriven'>> = {}): this {
    const createdAt = new Date(this.now).toISOString();
    return this.event('TaskRedriven', taskId, { ...PLAIN_TASK, createdAt, attempt: 1, ...data });
  }

  /** The assignment that a proposal leads to. */
  assigned({ task, agent, session, claim, decision }: Proposal): this {
    return this.event(
      'TaskAssigned',
      task.id,
      {
        agentId: agent.agentId,
        kind: agent.kind.name,
        session,
        attempt: 1,
        ...(claim ? { claimId: claim.claimId } : {}),
        startBy: new Date(this.now + 30_000).toISOString(),
        decision,
      },
      task.project,
    );
  }

  completed(taskId: string, durationMs = 10): this {
    const outcome = { ...this.outcomeOf(taskId), durationMs, result: null };
    return this.event('TaskCompleted', taskId, outcome, this.taskOf(taskId).project);
  }

  failed(taskId: string): this {
    const error = { message: 'no' };
    const retryAt = new Date(this.now + 1_000).toISOString();
    const outcome = { ...this.outcomeOf(taskId), durationMs: 10, error, retryAt };
    return this.event('AttemptFailed', taskId, outcome);
  }

  released(taskId: string, exclude: boolean): this {
    const { agentId, attempt } = this.outcomeOf(taskId);
    const reason = 'session_ended';
    return this.event('TaskReleased', taskId, { agentId, attempt, reason, exclude });
  }

  claim(agentId: string, claimId: string, capacity: number, waitMs = 1_000): this {
    const until = this.now + waitMs;
    const claim = { claimId, capacity, until, reply: () => undefined };
    this.claims.park(this.agentOf(agentId), claim, this.now);
    return this;
  }

  /** One pass of matching. */
  pass(limit = 1_000, mayPropose: (partition: number) => boolean = () => true): Proposal[] {
    return match(this.state, this.claims, { now: this.now, limit, mayPropose });
  }

  /** One pass of matching whose proposals are all accepted. */
  route(): Proposal[] {
    const proposals = this.pass();
    for (const proposal of proposals) this.assigned(proposal);
    return proposals;
  }

  agentOf(agentId: string) {
    const agent = this.state.fleet.get('p', agentId);
    if (!agent) throw new Error(`no agent ${agentId}`);
    return agent;
  }

  taskOf(taskId: string): Task {
    const task = this.state.tasks.get(taskId);
    if (!task) throw new Error(`no task ${taskId}`);
    return task;
  }

  private outcomeOf(taskId: string): { agentId: string; kind: string; attempt: number } {
    const agent = this.taskOf(taskId).hold?.agent;
    if (!agent) throw new Error(`task ${taskId} is with nobody`);
    return { agentId: agent.agentId, kind: agent.kind.name, attempt: 1 };
  }
}

/** Who got what: `[task, agent]` pairs in the order of the decisions. */
export const pairsOf = (proposals: readonly Proposal[]): [string, string][] =>
  proposals.map(({ task, agent }) => [task.id, agent.agentId]);
