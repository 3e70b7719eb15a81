import { clientId } from '@athena/contracts';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { AgentKey } from '../domain/happened.js';

/*
 * What the NATS server itself knows of agents' connections, asked with the credentials of its
 * system account. Subjects and forms as in "System Events" of the NATS documentation; tried with
 * nats-server 2.15.1, where `user` is the name that the agent connected with.
 */
const DISCONNECTS = '$SYS.ACCOUNT.AGENTS.DISCONNECT';
const CONNECTIONS = '$SYS.REQ.SERVER.PING.CONNZ';
const ACCOUNT = 'AGENTS';
/** Every server of a cluster answers for itself; how long to wait for the next one. */
const ANSWERS_STALL_MS = 150;
const ANSWERS_MS_MAX = 1_000;

export interface SystemAccountOptions {
  readonly servers: readonly string[];
  readonly user: string;
  readonly password: string;
}

export class SystemAccount {
  readonly #nats: NatsConnection;

  private constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  static async open({ servers, user, password }: SystemAccountOptions): Promise<SystemAccount> {
    const nats = await connect({
      servers: [...servers],
      user,
      pass: password,
      name: 'athena agent-registry (system account)',
      waitOnFirstConnect: true,
      maxReconnectAttempts: -1,
      noAsyncTraces: true,
    });
    return new SystemAccount(nats);
  }

  /** Calls back for every connection of an agent that closed. */
  onDisconnect(listener: (agent: AgentKey) => void): void {
    this.#nats.subscribe(DISCONNECTS, {
      callback: (error, message) => {
        const agent = error ? null : agentIn(message.string());
        if (agent) listener(agent);
      },
    });
  }

  /** Whether the agent has a connection at any server; true too where none could say. */
  async isConnected({ project, agentId }: AgentKey): Promise<boolean> {
    const question = { acc: ACCOUNT, user: `${project}.${agentId}`, auth: true, limit: 1 };
    const answers = await this.#nats.requestMany(CONNECTIONS, JSON.stringify(question), {
      strategy: 'stall',
      stall: ANSWERS_STALL_MS,
      maxWait: ANSWERS_MS_MAX,
    });
    let heard = 0;
    for await (const answer of answers) {
      const { data } = answer.json<{ data?: { num_connections?: number } }>();
      if (data?.num_connections !== 0) return true;
      heard++;
    }
    return heard === 0;
  }

  close(): Promise<void> {
    return this.#nats.close();
  }
}

/** `<project>.<agentId>`; applications connect as `<project>.app.<name>`. */
function agentIn(text: string): AgentKey | null {
  const { client } = JSON.parse(text) as { client?: { user?: string } };
  const [project, agentId, ...more] = (client?.user ?? '').split('.');
  const valid = [project, agentId].every((part) => clientId.safeParse(part).success);
  return valid && more.length === 0 ? ({ project, agentId } as AgentKey) : null;
}
