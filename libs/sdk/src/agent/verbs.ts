import {
  type claimTasks,
  type heartbeatAgent,
  limits,
  type registerAgent,
} from '@athena/contracts';
import { type Input, type Output, type RawInput, agentSubject } from '@athena/operation';
import { ATTEMPT_MS_MAX, CLAIM_GRACE_MS, COMMANDS_PER_MESSAGE_MAX } from '../limits.js';
import { within } from '../abort.js';
import { timedOut } from '../errors.js';
import { singleAnswer } from '../nats/answers.js';
import { exchange } from '../nats/exchange.js';
import { Gatherer } from '../nats/gatherer.js';
import type { RequestChannel } from '../nats/request-channel.js';
import type { Failure } from './handlers.js';

/** What proves the hold on an attempt. */
interface Held {
  readonly taskId: string;
  readonly lease: string;
}

/** Verbs that are gathered: all that is reported in one turn travels as one message. */
type ItemVerb = 'start' | 'progress' | 'complete' | 'fail';

export interface Progress {
  readonly percent: number;
  readonly message?: string;
}

export type Registration = Omit<RawInput<typeof registerAgent>, 'agentId'>;
export type Beat = Omit<RawInput<typeof heartbeatAgent>, 'agentId'>;
type Claim = Omit<Input<typeof claimTasks>, 'agentId'>;
/** Cancelled tasks may be named in a heartbeat's answer too, for agents that are full. */
export type BeatAnswer = Output<typeof heartbeatAgent> & { readonly cancelled?: readonly string[] };

/** The agents' protocol: `athena.v1.<project>.<agentId>.<verb>`, one try each. */
export class AgentVerbs {
  readonly #channel: RequestChannel;
  readonly #project: string;
  readonly #agentId: string;
  readonly #gatherers: Readonly<Record<ItemVerb, Gatherer>>;

  constructor(channel: RequestChannel, project: string, agentId: string) {
    this.#channel = channel;
    this.#project = project;
    this.#agentId = agentId;
    this.#gatherers = {
      start: this.#gatherer('start'),
      progress: this.#gatherer('progress'),
      complete: this.#gatherer('complete'),
      fail: this.#gatherer('fail'),
    };
  }

  register(registration: Registration, timeoutMs: number): Promise<Output<typeof registerAgent>> {
    return this.#ask('register', registration, timeoutMs);
  }

  heartbeat(beat: Beat): Promise<BeatAnswer> {
    return this.#ask('heartbeat', beat, limits.AGENT_HEARTBEAT_MS);
  }

  claim(claim: Claim, signal: AbortSignal): Promise<Output<typeof claimTasks>> {
    return this.#ask('claim', claim, claim.waitMs + CLAIM_GRACE_MS, signal);
  }

  drain(): Promise<unknown> {
    return this.#ask('drain', {});
  }

  deregister(): Promise<unknown> {
    return this.#ask('deregister', {});
  }

  /** Also shows whether the lease still holds: of a running task it changes nothing. */
  start({ taskId, lease }: Held, timeoutMs: number): Promise<unknown> {
    return this.#report('start', JSON.stringify({ taskId, lease }), timeoutMs);
  }

  progress({ taskId, lease }: Held, report: Progress): Promise<unknown> {
    return this.#report('progress', JSON.stringify({ taskId, lease, ...report }), ATTEMPT_MS_MAX);
  }

  /** `resultJson` is the result as JSON already, so that it is written once only. */
  complete(
    { taskId, lease }: Held,
    { resultJson, durationMs }: { resultJson: string | undefined; durationMs: number },
    timeoutMs: number,
  ): Promise<unknown> {
    const rest = JSON.stringify({ taskId, lease, metrics: { durationMs } });
    const json = resultJson === undefined ? rest : `{"result":${resultJson},${rest.slice(1)}`;
    return this.#report('complete', json, timeoutMs);
  }

  fail(
    { taskId, lease }: Held,
    { error, shouldRetry }: Failure,
    timeoutMs: number,
  ): Promise<unknown> {
    return this.#report('fail', JSON.stringify({ taskId, lease, error, shouldRetry }), timeoutMs);
  }

  /** @throws AthenaError of this item, TIMEOUT */
  #report(verb: ItemVerb, json: string, timeoutMs: number): Promise<unknown> {
    const answer = this.#gatherers[verb].ask(json);
    return within(this.#channel.surroundings.time, answer, timeoutMs, undefined, () =>
      timedOut(timeoutMs),
    );
  }

  async #ask<T>(
    verb: string,
    body: unknown,
    timeoutMs = ATTEMPT_MS_MAX,
    signal?: AbortSignal,
  ): Promise<T> {
    const options = { timeoutMs, signal };
    const message = await this.#channel.request(this.#subject(verb), JSON.stringify(body), options);
    return singleAnswer(message).output as T;
  }

  #gatherer(verb: ItemVerb): Gatherer {
    const options = { timeoutMs: ATTEMPT_MS_MAX };
    return new Gatherer((items) => exchange(this.#channel, this.#subject(verb), items, options), {
      itemsMax: COMMANDS_PER_MESSAGE_MAX,
    });
  }

  #subject(verb: string): string {
    return agentSubject(this.#project, this.#agentId, verb);
  }
}
