import type { SessionEnd } from '@athena/contracts';
import { endSession, beatAgent } from '@athena/contracts';
import { systemIds, type Ids, type Partition } from '@athena/event-log';
import type { WireAnswer } from '@athena/operation';
import type { AgentKey } from '../domain/happened.js';
import type { RegistryState } from '../domain/registry-state.js';

const ACTOR = 'system:agent-registry';
const ID_BYTES = 12;

/**
 * The registry's partition as this process sees it: open here, or not. What is noticed about
 * agents is handed to it as commands; elsewhere another owner notices the same.
 */
export class OwnedRegistry {
  readonly #partition: () => Pick<Partition<RegistryState>, 'state' | 'submit'> | null;
  readonly #ids: Ids;

  constructor(
    partition: () => Pick<Partition<RegistryState>, 'state' | 'submit'> | null,
    ids: Ids = systemIds,
  ) {
    this.#partition = partition;
    this.#ids = ids;
  }

  /** null: another process owns the partition, or nobody does now. */
  get state(): RegistryState | null {
    return this.#partition()?.state ?? null;
  }

  /** Ends a session; whether that session is over now. */
  async end(agent: AgentKey, session: number, reason: SessionEnd): Promise<boolean> {
    const { agentId } = agent;
    const input = { agentId, session, reason };
    const answer = await this.#submit(endSession.name, agent.project, ACTOR, input);
    return 'ok' in answer;
  }

  /** The agent was heard from elsewhere: it returns if it was away. */
  async returned({ project, agentId }: AgentKey): Promise<void> {
    await this.#submit(beatAgent.name, project, `agent:${agentId}`, { agentId });
  }

  #submit(op: string, project: string, actor: string, input: object): Promise<WireAnswer | object> {
    const partition = this.#partition();
    if (!partition) return Promise.resolve({});
    const id = Buffer.from(this.#ids.random(ID_BYTES)).toString('hex');
    return new Promise((resolve) => partition.submit({ op, id, project, actor, input }, resolve));
  }
}
