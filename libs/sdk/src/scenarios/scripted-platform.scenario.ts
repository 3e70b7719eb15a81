import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AGENT_NOT_FOUND, type ClaimedTask, STALE_LEASE, type TaskError } from '@athena/contracts';
import { UNAVAILABLE } from '@athena/operation';
import { type Msg, type NatsConnection, connect } from '@nats-io/transport-node';
import { type RunningNats, startNats } from '../../../../tools/stack/servers.mjs';
import { openGate } from './gate.scenario.js';
import { type Reply, inputsOf, ok, refused, respond } from './replies.scenario.js';

export interface Seen {
  readonly verb: string;
  readonly agentId: string;
  readonly input: Record<string, unknown>;
}

interface ParkedClaim {
  readonly message: Msg;
  readonly claimId: string;
  readonly timer: NodeJS.Timeout;
}

interface HeldTask {
  readonly task: ClaimedTask;
  state: 'offered' | 'assigned' | 'running' | 'completed' | 'failed' | 'revoked';
  claimId?: string;
  result?: unknown;
  error?: TaskError;
  shouldRetry?: boolean;
}

const HEARTBEAT_MS = 50;

/**
 * The agents' protocol as it is documented, over a real nats-server with the real accounts, for
 * one agent: tasks are offered to claims, leases are checked, and every message is kept.
 */
export class ScriptedPlatform {
  /** Every verb's input in the order of arrival; items one by one. */
  readonly seen: Seen[] = [];
  /** Messages by verb, however many items they held. */
  readonly messages = new Map<string, number>();
  readonly tasks = new Map<string, HeldTask>();
  session = 7;
  known = true;
  readonly #troubles = new Map<string, number>();
  readonly #parked: ParkedClaim[] = [];
  readonly #cancelled: string[] = [];
  /** Named by heartbeats until they acknowledge it. */
  readonly #unheard = new Set<string>();

  private constructor(
    public nats: RunningNats,
    readonly core: NatsConnection,
    readonly callout: NatsConnection,
    readonly dir: string,
  ) {}

  static async start(): Promise<ScriptedPlatform> {
    const dir = await mkdtemp(join(tmpdir(), 'athena-sdk-spec-'));
    const nats = await startNats({ dir });
    const open = (user: string, pass: string) =>
      connect({ servers: nats.url, user, pass, reconnectTimeWait: 20, maxReconnectAttempts: -1 });
    const core = await open(nats.core.user, nats.core.password);
    const callout = await open(nats.callout.user, nats.callout.password);
    openGate(callout, nats.calloutSeed);
    const platform = new ScriptedPlatform(nats, core, callout, dir);
    core.subscribe('athena.v1.>', { callback: (_error, message) => platform.#hear(message) });
    await Promise.all([core.flush(), callout.flush()]);
    return platform;
  }

  async stop(): Promise<void> {
    for (const { timer } of this.#parked) clearTimeout(timer);
    await Promise.all([this.core.close(), this.callout.close()]);
    await this.nats.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** The broker dies and comes back at the same address. */
  async restartNats(): Promise<void> {
    const { port } = this.nats;
    await this.nats.kill();
    this.nats = await startNats({ dir: this.dir, port });
  }

  /** Forgets everything, so that specs can share the server. */
  reset(): void {
    for (const { timer } of this.#parked.splice(0)) clearTimeout(timer);
    this.seen.length = 0;
    this.messages.clear();
    this.tasks.clear();
    this.#troubles.clear();
    this.#cancelled.length = 0;
    this.#unheard.clear();
    this.known = true;
  }

  /** The next `count` messages of this verb are refused with UNAVAILABLE. */
  trouble(verb: string, count: number): void {
    this.#troubles.set(verb, count);
  }

  offer(taskType: string, content: unknown, attempt = 1): string {
    const taskId = randomUUID();
    const task: ClaimedTask = {
      taskId,
      attempt,
      lease: `0.${this.tasks.size + 1}.${attempt}`,
      leaseUntil: '2030-01-01T00:00:00.000Z',
      content,
      taskType,
      priority: 'medium',
      requirements: [],
      metadata: { note: 'of the spec' },
    };
    this.tasks.set(taskId, { task, state: 'offered' });
    this.#answerParked();
    return taskId;
  }

  /** The lease ends without a word to the agent. */
  revoke(taskId: string): void {
    (this.tasks.get(taskId) as HeldTask).state = 'revoked';
  }

  /** Called off; the agent is told with the answers to its claims and heartbeats. */
  cancel(taskId: string): void {
    this.revoke(taskId);
    this.#unheard.add(taskId);
    this.#cancelled.push(taskId);
    this.#answerParked();
  }

  inputs(verb: string): Record<string, unknown>[] {
    return this.seen.filter((one) => one.verb === verb).map((one) => one.input);
  }

  #hear(message: Msg): void {
    const [, , , agentId = '', verb = ''] = message.subject.split('.');
    this.messages.set(verb, (this.messages.get(verb) ?? 0) + 1);
    const { inputs, many } = inputsOf(message) as {
      inputs: Record<string, unknown>[];
      many: boolean;
    };
    for (const input of inputs) this.seen.push({ verb, agentId, input });
    const troubles = this.#troubles.get(verb) ?? 0;
    if (troubles > 0) {
      this.#troubles.set(verb, troubles - 1);
      const replies = inputs.map(() => refused(UNAVAILABLE));
      return respond(message, replies, many);
    }
    if (verb === 'claim') return this.#park(message, inputs[0] as never);
    const replies = inputs.map((input) => this.#decide(verb, agentId, input));
    respond(message, replies, many);
  }

  #decide(verb: string, agentId: string, input: Record<string, unknown>): Reply {
    if (verb === 'register') {
      this.known = true;
      const { session } = this;
      return ok({ agentId, registered: true, session, heartbeatMs: HEARTBEAT_MS, seq: 1 });
    }
    if (!this.known) return refused(AGENT_NOT_FOUND);
    if (verb === 'heartbeat') {
      for (const taskId of (input['heard'] ?? []) as string[]) this.#unheard.delete(taskId);
      const cancelled = [...this.#unheard];
      return ok({ agentId, session: this.session, heartbeatMs: HEARTBEAT_MS, cancelled });
    }
    if (verb === 'drain') {
      for (const claim of [...this.#parked]) this.#answer(claim, []);
      return ok({ agentId, status: 'draining' });
    }
    if (verb === 'deregister') return ok({ agentId, deregistered: true });
    return this.#ofTask(verb, input);
  }

  #ofTask(verb: string, input: Record<string, unknown>): Reply {
    const held = this.tasks.get(String(input['taskId']));
    const holds = held?.task.lease === input['lease'];
    if (!held || !holds || held.state === 'revoked') return refused(STALE_LEASE);
    if (verb === 'start' && held.state === 'assigned') held.state = 'running';
    if (verb === 'complete') {
      held.state = 'completed';
      held.result = input['result'];
    }
    if (verb === 'fail') {
      held.state = 'failed';
      held.error = input['error'] as TaskError;
      held.shouldRetry = input['shouldRetry'] as boolean;
    }
    return ok({ taskId: held.task.taskId, status: held.state });
  }

  #park(message: Msg, claim: { capacity: number; waitMs: number; claimId: string }): void {
    if (!this.known) return respond(message, [refused(AGENT_NOT_FOUND)], false);
    const repeated = this.#parked.findIndex(({ claimId }) => claimId === claim.claimId);
    if (repeated >= 0) clearTimeout(this.#parked.splice(repeated, 1)[0]?.timer);
    const given = [...this.tasks.values()].filter((held) => held.claimId === claim.claimId);
    const tasks = given.filter(({ state }) => state === 'assigned').map(({ task }) => task);
    if (tasks.length) return void message.respond(JSON.stringify({ tasks, cancelled: [] }));
    const timer = setTimeout(() => this.#answer(parked, []), claim.waitMs);
    const parked = { message, claimId: claim.claimId, timer, capacity: claim.capacity };
    this.#parked.push(parked);
    this.#answerParked();
  }

  #answerParked(): void {
    for (const claim of [...this.#parked] as (ParkedClaim & { capacity: number })[]) {
      const given = [...this.tasks.values()]
        .filter((held) => held.state === 'offered')
        .slice(0, claim.capacity);
      if (given.length === 0 && this.#cancelled.length === 0) continue;
      for (const held of given) {
        held.state = 'assigned';
        held.claimId = claim.claimId;
      }
      this.#answer(
        claim,
        given.map((held) => held.task),
      );
    }
  }

  #answer(claim: ParkedClaim, tasks: ClaimedTask[]): void {
    clearTimeout(claim.timer);
    this.#parked.splice(this.#parked.indexOf(claim), 1);
    const cancelled = this.#cancelled.splice(0);
    claim.message.respond(JSON.stringify({ tasks, cancelled }));
  }
}
