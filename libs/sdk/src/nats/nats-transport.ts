import { type Operation, apiSubject } from '@athena/operation';
import { within } from '../abort.js';
import { timedOut } from '../errors.js';
import { ATTEMPT_MS_MAX, COMMANDS_PER_MESSAGE_MAX, QUERIES_PER_MESSAGE_MAX } from '../limits.js';
import type { Surroundings } from '../surroundings.js';
import type { Answer, AttemptOptions, Transport } from '../transport.js';
import { singleAnswer } from './answers.js';
import { exchange } from './exchange.js';
import { Gatherer } from './gatherer.js';
import { RequestChannel } from './request-channel.js';

export interface NatsClientOptions {
  readonly natsUrl: string | readonly string[];
  readonly project: string;
  /** The application's name; with the project it is the NATS user `<project>.app.<name>`. */
  readonly name: string;
  readonly apiKey: string;
}

/**
 * Calls over NATS. What is called in one turn of the event loop for the same operation travels as
 * one message, except calls that wait on the server: they would hold the others up.
 */
export class NatsTransport implements Transport {
  readonly waitsMax = Infinity;
  readonly #channel: RequestChannel;
  readonly #project: string;
  readonly #gatherers = new Map<string, Gatherer>();

  private constructor(channel: RequestChannel, project: string) {
    this.#channel = channel;
    this.#project = project;
  }

  /** @throws AthenaError */
  static async open(
    options: NatsClientOptions,
    surroundings: Surroundings,
  ): Promise<NatsTransport> {
    const { natsUrl, apiKey, project, name } = options;
    const user = `${project}.app.${name}`;
    const channel = await RequestChannel.open({ natsUrl, apiKey, user }, surroundings);
    return new NatsTransport(channel, project);
  }

  call(operation: Operation, input: unknown, options: AttemptOptions): Promise<Answer> {
    if (waits(input)) return this.#alone(operation, input, options);
    const { timeoutMs, signal } = options;
    const answer = this.#gatherer(operation).ask(JSON.stringify(input));
    const { time } = this.#channel.surroundings;
    return within(time, answer, timeoutMs, signal, () => timedOut(timeoutMs));
  }

  async close(): Promise<void> {
    await this.#channel.close();
  }

  async #alone(operation: Operation, input: unknown, options: AttemptOptions): Promise<Answer> {
    const subject = apiSubject(this.#project, operation.name);
    return singleAnswer(await this.#channel.request(subject, JSON.stringify(input), options));
  }

  #gatherer({ name, kind }: Operation): Gatherer {
    const known = this.#gatherers.get(name);
    if (known) return known;
    const subject = apiSubject(this.#project, name);
    const gatherer = new Gatherer(
      (items) => exchange(this.#channel, subject, items, { timeoutMs: ATTEMPT_MS_MAX }),
      { itemsMax: kind === 'query' ? QUERIES_PER_MESSAGE_MAX : COMMANDS_PER_MESSAGE_MAX },
    );
    this.#gatherers.set(name, gatherer);
    return gatherer;
  }
}

const waits = (input: unknown): boolean => Boolean((input as { wait?: unknown }).wait);
