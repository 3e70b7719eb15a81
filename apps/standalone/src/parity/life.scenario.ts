import {
  assignTask,
  cancelTask,
  completeTask,
  createTask,
  pollTasks,
  registerAgent,
} from '@athena/contracts';
import type { RawInput } from '@athena/operation';
import type { AthenaClient } from '@athena/sdk';

/** A task that nobody has. */
export const UNKNOWN = '01900000-0000-8000-8000-000000000000';

/** With the key of the project; with one of project `default`; with one that may only be agents. */
export type As = 'own' | 'root' | 'agent';

/** A project that one surface has for itself. */
export interface Place {
  readonly project: string;
  readonly keyId: string;
  /** Sets up what a case needs, as the credential that the surface itself has. */
  readonly client: AthenaClient;
  /** Over HTTP with another key of the project. */
  readonly neighbour: AthenaClient;
}

/**
 * What one case sets up in the project of one surface. Every project sees the same cases, and
 * names are made from the case, so that what is counted, listed or named is the same everywhere.
 */
export class Life {
  readonly project: string;
  readonly keyId: string;
  readonly client: AthenaClient;
  readonly neighbour: AthenaClient;
  /** Ids that were made for a case, by the name they have in every life. */
  readonly known = new Map<string, string>();
  readonly #case: number;
  #names = 0;

  constructor({ project, keyId, client, neighbour }: Place, number: number) {
    this.#case = number;
    this.project = project;
    this.keyId = keyId;
    this.client = client;
    this.neighbour = neighbour;
  }

  /** The position behind all that was set up. */
  get seq(): number {
    return Math.max(this.client.seq, this.neighbour.seq);
  }

  name(noun: string): string {
    return `${noun}-${this.#case}-${++this.#names}`;
  }

  remember(noun: string, id: string): string {
    this.known.set(id, `<${this.name(noun)}>`);
    return id;
  }

  async task(more: Partial<RawInput<typeof createTask>> = {}): Promise<string> {
    const task = { content: { anyName: 1 }, taskType: 'parity', autoRoute: false, ...more };
    const { taskId } = await this.client.call(createTask, task);
    return this.remember('task', taskId);
  }

  async cancelled(): Promise<string> {
    const taskId = await this.task();
    await this.client.call(cancelTask, { taskId });
    return taskId;
  }

  /** An agent of the surface's own credential. */
  async agent(...capabilities: string[]): Promise<string> {
    const agentId = this.name('agent');
    await this.client.call(registerAgent, { agentId, capabilities });
    return agentId;
  }

  /** An agent of the other key. */
  async neighboursAgent(): Promise<string> {
    const agentId = this.name('agent');
    await this.neighbour.call(registerAgent, { agentId, capabilities: [] });
    return agentId;
  }

  async assigned(agentId?: string): Promise<string> {
    const taskId = await this.task();
    await this.client.call(assignTask, { taskId, agentId: agentId ?? (await this.agent()) });
    return taskId;
  }

  /** A task that was cancelled while an agent had it, with the lease. */
  async calledOff(): Promise<{ taskId: string; lease: string }> {
    const agentId = await this.agent();
    const taskId = await this.assigned(agentId);
    const { tasks } = await this.client.call(pollTasks, { agentId });
    await this.client.call(cancelTask, { taskId });
    return { taskId, lease: tasks[0]?.lease ?? '' };
  }

  async completed(): Promise<string> {
    const taskId = await this.assigned();
    const report = { result: { some_name: [] }, metrics: { durationMs: 7 } };
    await this.client.call(completeTask, { taskId, ...report });
    return taskId;
  }
}
