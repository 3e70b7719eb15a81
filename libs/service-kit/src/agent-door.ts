import { clientId, limits } from '@athena/contracts';
import { systemClock, systemIds, type Clock, type Ids } from '@athena/event-log';
import {
  INVALID_INPUT,
  Refused,
  agentSubject,
  newAggregateId,
  type Input,
  type Operation,
  type Output,
} from '@athena/operation';
import type { Bus } from './bus.js';
import type { Called, Caller } from './calling.js';
import type { Contacts } from './contacts.js';
import {
  EdgeRequests,
  bodyOf,
  eachItem,
  itemsOf,
  type EdgeAnswer,
  type EdgeMessage,
  type EdgeObserver,
} from './edge-requests.js';
import { Handover } from './handover.js';
import { checkInput, takesField } from './input-check.js';

/** Requests of agents under way in one process; parked claims count. */
export const AGENT_REQUESTS_MAX = 20_000;
const CLOSE_MS_MAX = 5_000;
/** Verbs that take many items in one request. */
export const ITEM_VERBS: ReadonlySet<string> = new Set(['start', 'progress', 'complete', 'fail']);

/** What a service does with one verb of the agents' protocol. */
export interface AgentVerb<T extends Operation = Operation> {
  /** With an `agentVerb`. */
  readonly operation: T;
  /**
   * Null: this process does not answer (another one does). `agentId` is the subject's.
   * @throws Refused
   */
  handle(input: Input<T>, agent: AgentCaller): Promise<Called<Output<T>> | null>;
}

export interface AgentCaller extends Caller {
  readonly id: string;
  readonly agentId: string;
}

export interface AgentDoorOptions {
  readonly nats: Bus;
  /**
   * Absent: every process hears every request (claims at routers), and one that starts is told of
   * those that wait already.
   */
  readonly queue?: string;
  readonly verbs: readonly AgentVerb[];
  readonly contacts?: Contacts;
  readonly observer?: EdgeObserver;
  readonly requestsMax?: number;
  readonly clock?: Clock;
  readonly ids?: Ids;
}

/** Serves verbs of agents. Who asks is read off the subject, which the broker vouches for. */
export class AgentDoor {
  readonly #options: AgentDoorOptions;
  readonly #requests: EdgeRequests;
  readonly #handovers = new Map<string, Handover>();

  constructor(options: AgentDoorOptions) {
    this.#options = options;
    const { nats, verbs, queue, observer, requestsMax } = options;
    this.#requests = new EdgeRequests(nats, requestsMax ?? AGENT_REQUESTS_MAX, observer);
    for (const verb of verbs) {
      const { agentVerb } = verb.operation;
      if (agentVerb === undefined) throw new Error(`${verb.operation.name} is no verb of agents`);
      this.#requests.listen(agentSubject('*', '*', agentVerb), queue, async (message) => {
        const { project, agentId } = identityOf(message.subject);
        options.contacts?.add(project, agentId);
        return this.#answer(verb, agentVerb, message);
      });
      if (queue === undefined) this.#handovers.set(agentVerb, this.#handover(verb, agentVerb));
    }
  }

  /** Takes nothing new and finishes what is under way, within a few seconds. */
  async close(): Promise<void> {
    for (const handover of this.#handovers.values()) handover.close();
    await this.#requests.close(CLOSE_MS_MAX);
    this.#options.contacts?.publish();
  }

  #handover(verb: AgentVerb, name: string): Handover {
    return new Handover({
      nats: this.#options.nats,
      verb: name,
      clock: this.#options.clock ?? systemClock,
      waitMsDefault: limits.CLAIM_WAIT_MS_MAX,
      onRequest: (message) =>
        this.#requests.serve(message, () => this.#answer(verb, name, message)),
    });
  }

  async #answer(verb: AgentVerb, name: string, message: EdgeMessage): Promise<EdgeAnswer | null> {
    const agent = identityOf(message.subject);
    const body = bodyOf(message);
    const items = ITEM_VERBS.has(name) ? itemsOf(body) : null;
    if (items) return { body: await eachItem(items, (item) => this.#one(verb, item, agent)) };
    const work = this.#one(verb, body, agent);
    const handover = this.#handovers.get(name);
    const output = await (handover ? handover.during(message, body, work) : work);
    return output === null ? null : { body: output };
  }

  async #one(verb: AgentVerb, raw: unknown, agent: Identity): Promise<unknown> {
    const input = checkInput(verb.operation, withIdentity(verb.operation, raw, agent.agentId));
    const { clock = systemClock, ids = systemIds } = this.#options;
    const id = newAggregateId(clock.now(), 0, ids.random(8));
    const caller = { ...agent, actor: `agent:${agent.agentId}`, id };
    const called = await verb.handle(input, caller);
    return called && called.output;
  }
}

interface Identity {
  readonly project: string;
  readonly agentId: string;
}

/** `athena.v1.<project>.<agentId>.<verb>`. @throws Refused */
function identityOf(subject: string): Identity {
  const [, , project, agentId] = subject.split('.');
  for (const [field, value] of Object.entries({ project, agentId })) {
    if (clientId.safeParse(value).success) continue;
    const detail = `${field} in the subject: use 1–128 of A–Z a–z 0–9 _ -`;
    throw Refused.because(INVALID_INPUT, detail, field);
  }
  return { project, agentId } as Identity;
}

/** What a body says about who asks counts for nothing. */
function withIdentity(operation: Operation, raw: unknown, agentId: string): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  const { agentId: _claimed, ...fields } = raw as Record<string, unknown>;
  return takesField(operation, 'agentId') ? { ...fields, agentId } : fields;
}
