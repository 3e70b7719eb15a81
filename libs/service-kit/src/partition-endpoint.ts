import type { Partition } from '@athena/event-log';
import { partitionSubject } from '@athena/operation';
import type { Msg } from '@nats-io/transport-node';
import type { Bus, BusSubscription } from './bus.js';
import { AnswerSheet } from './answer-sheet.js';
import { drainAll } from './drain.js';
import { encodeOpened, openedSubject } from './opened.js';
import { Peers } from './peers.js';
import { decodeRequest, type ReplyHead } from './wire-codec.js';
import { encodeRefusal, refusalOfRequest } from './request-refusal.js';

export type Served = Pick<Partition<unknown>, 'submit' | 'epoch'>;

export interface PartitionEndpointOptions {
  readonly nats: Bus;
  readonly aggregate: string;
  readonly number: number;
  readonly partition: Served;
  /** Default: those of the connection. */
  readonly peers?: Peers;
}

/** Serves an open partition: plainly subscribed, one reply for each message. */
export class PartitionEndpoint {
  readonly subject: string;
  readonly #options: PartitionEndpointOptions;
  readonly #subscription: BusSubscription;
  readonly #peers: Peers;
  /** Reply subjects of messages under way: a repeat of one is ignored, its answer is coming. */
  readonly #underWay = new Set<string>();

  private constructor(options: PartitionEndpointOptions) {
    this.#options = options;
    this.#peers = options.peers ?? Peers.of(options.nats);
    this.subject = partitionSubject(options.aggregate, options.number);
    this.#subscription = options.nats.subscribe(this.subject, {
      callback: (error, message) => {
        if (!error) this.#serve(message);
      },
    });
  }

  /** Listens, and tells everyone. Call it when the partition's opening is in the log. */
  static open(options: PartitionEndpointOptions): PartitionEndpoint {
    const endpoint = new PartitionEndpoint(options);
    const { nats, partition } = options;
    nats.publish(openedSubject(endpoint.subject), encodeOpened(partition.epoch));
    return endpoint;
  }

  /** Takes nothing new; what has arrived is still handed to the partition and answered. */
  close(): Promise<void> {
    return drainAll([this.#subscription]);
  }

  #serve(message: Msg): void {
    const { reply } = message;
    if (reply && this.#underWay.has(reply)) return;
    const request = decodeRequest(message.data);
    const refusal = refusalOfRequest(request, this.#peers, this.subject);
    const { items } = request;
    if (!items || refusal) return this.#send(reply, encodeRefusal(this.#peers, refusal));
    if (reply) this.#underWay.add(reply);
    const { partition } = this.#options;
    const send = (part: Uint8Array): void => {
      if (sheet.complete) this.#underWay.delete(reply as string);
      this.#send(reply, part);
    };
    const { protocol } = this.#peers;
    const head = (): ReplyHead => ({ protocol, epoch: partition.epoch });
    const sheet = new AnswerSheet(items.length, send, head);
    items.forEach((item, index) => partition.submit(item, (answer) => sheet.enter(index, answer)));
  }

  #send(reply: string | undefined, part: Uint8Array): void {
    if (reply && !this.#options.nats.isClosed()) this.#options.nats.publish(reply, part);
  }
}
