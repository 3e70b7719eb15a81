import {
  type claimTasks,
  type heartbeatAgent,
  limits,
  type progressTask,
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

export type Progress = Omit<RawInput<typeof progressTask>, 'taskId' | 'lease'>;

export type Registration = Omit<RawInput<typeof registerAgent>, 'agentId'>;
export type Beat = Omit<RawInput<typeof heartbeatAgent>, 'agentId'>;
type Claim = Omit<Input<typeof claimTasks>, 'agentId'>;
export type BeatAnswer = Output<typeof heartbeatAgent>;

/** Told of the cancelled tasks that answers name. */
export type OnCancelled = (taskIds: readonly string[]) => void;

/** The agents' protocol: `athena.v1.<project>.<agentId>.<verb>`, one try each. */
export class AgentVerbs {
  readonly #channel: RequestChannel;
  readonly #project: string;
  readonly #agentId: string;
  readonly #onCancelled: OnCancelled;
  readonly #gatherers: Readonly<Record<ItemVerb, Gatherer>>;
  /** Cancelled tasks that were named and not yet acknowledged. */
  #heard: ReadonlySet<string> = new Set();

  constructor(
    channel: RequestChannel,
    { project, agentId }: { readonly project: string; readonly agentId: string },
    onCancelled: OnCancelled,
  ) {
    this.#channel = channel;
    this.#project = project;
    this.#agentId = agentId;
    this.#onCancelled = onCancelled;
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

  /** Also acknowledges the cancellations that were heard of since the last one. */
  async heartbeat(beat: Beat): Promise<BeatAnswer> {
    const heard = [...this.#heard].slice(0, limits.CANCELLED_KEPT_MAX);
    const said = heard.length > 0 ? { ...beat, heard } : beat;
    const answer = await this.#ask<BeatAnswer>('heartbeat', said, limits.AGENT_HEARTBEAT_MS);
    const named = new Set(answer.cancelled ?? []);
    this.#heard = new Set([...this.#heard].filter((id) => !heard.includes(id) || named.has(id)));
    return answer;
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
  async #report(verb: ItemVerb, json: string, timeoutMs: number): Promise<unknown> {
    const asked = this.#gatherers[verb].ask(json);
    const answer = await within(this.#channel.surroundings.time, asked, timeoutMs, undefined, () =>
      timedOut(timeoutMs),
    );
    this.#noteCancelled(answer.output);
    return answer;
  }

  async #ask<T>(
    verb: string,
    body: unknown,
    timeoutMs = ATTEMPT_MS_MAX,
    signal?: AbortSignal,
  ): Promise<T> {
    const options = { timeoutMs, signal };
    const message = await this.#channel.request(this.#subject(verb), JSON.stringify(body), options);
    const { output } = singleAnswer(message);
    this.#noteCancelled(output);
    return output as T;
  }

  #noteCancelled(answer: unknown): void {
    const { cancelled = [] } = (answer ?? {}) as { cancelled?: readonly string[] };
    if (cancelled.length === 0) return;
    this.#heard = new Set([...this.#heard, ...cancelled]);
    this.#onCancelled(cancelled);
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
