import { INTERNAL, NOT_OWNER, refuse, type WireAnswer } from '@athena/operation';
import type { Clock } from '@athena/event-log';
import type { Msg } from '@nats-io/transport-node';
import type { Bus } from './bus.js';
import type { NatsLink } from './nats-link.js';
import type { Peers } from './peers.js';
import type { PendingCall } from './pending-call.js';
import { isNoResponders, type ReplyInbox } from './reply-inbox.js';
import { decodeReply, encodeRequest, type ReplyPart } from './wire-codec.js';

/** Items of one message; the owner's commit takes more. */
export const ITEMS_PER_MESSAGE_MAX = 500;
export const MESSAGE_BYTES_MAX = 512 * 1024;
/** While this many messages to one subject are unanswered, further calls gather. */
export const MESSAGES_IN_FLIGHT_MAX = 4;
const BACKOFF_FIRST_MS = 20;
const BACKOFF_MS_MAX = 500;

export interface TargetSurroundings {
  readonly nats: Bus;
  readonly link: NatsLink;
  readonly inbox: ReplyInbox;
  readonly clock: Clock;
  readonly peers: Peers;
}

interface Message {
  readonly reply: string;
  readonly calls: readonly PendingCall[];
  /** Which of `calls` have been answered in this message. */
  readonly answered: Set<number>;
  /** A long poll: it travels alone and does not count as in flight. */
  readonly waits: boolean;
  resendAt: number;
}

/** The calls to one subject: gathered into messages, sent, repeated. */
export class CallTarget {
  readonly subject: string;
  readonly #tryMs: number;
  readonly #with: TargetSurroundings;
  readonly #inFlight = new Set<Message>();
  #queue: PendingCall[] = [];
  /** Long polls: they travel alone, so that no other call waits with them. */
  #long: PendingCall[] = [];
  #epoch = 0;
  #failures = 0;
  #holdUntil = 0;
  #counted = 0;

  constructor(subject: string, tryMs: number, surroundings: TargetSurroundings) {
    this.subject = subject;
    this.#tryMs = tryMs;
    this.#with = surroundings;
  }

  get idle(): boolean {
    return this.#queue.length + this.#long.length + this.#inFlight.size === 0;
  }

  add(call: PendingCall): void {
    (call.waits ? this.#long : this.#queue).push(call);
  }

  /** Sends what waits, as far as it may travel now. */
  flush(): void {
    if (!this.#with.link.connected || this.#with.clock.now() < this.#holdUntil) return;
    for (const call of this.#long.splice(0)) this.#send([call]);
    while (this.#queue.length > 0 && this.#counted < MESSAGES_IN_FLIGHT_MAX) {
      this.#send(this.#takeMessage());
    }
  }

  /** Repeats what was left unanswered, gives up what is over its budget. */
  sweep(now: number): void {
    for (const message of [...this.#inFlight]) {
      if (message.resendAt <= now) this.#onSilence(message, now);
    }
    const stillTime = (call: PendingCall): boolean => {
      if (call.expiresAt <= now) call.giveUp(this.subject);
      return !call.settled;
    };
    this.#queue = this.#queue.filter(stillTime);
    this.#long = this.#long.filter(stillTime);
    this.flush();
  }

  /** An owner of this epoch is open: whatever older ones were asked is asked again at once. */
  opened(epoch: number): void {
    if (epoch <= this.#epoch) return;
    const known = this.#epoch > 0;
    this.#epoch = epoch;
    if (known || this.#holdUntil > 0) this.resendSoon();
  }

  resendSoon(): void {
    this.#holdUntil = 0;
    this.#failures = 0;
    for (const message of this.#inFlight) message.resendAt = 0;
  }

  giveUpAll(): void {
    for (const message of [...this.#inFlight]) {
      for (const call of this.#unanswered(message)) {
        call.maybeDone = true;
        call.giveUp(this.subject);
      }
      this.#end(message);
    }
    for (const call of [...this.#queue, ...this.#long]) call.giveUp(this.subject);
    this.#queue = [];
    this.#long = [];
  }

  #takeMessage(): PendingCall[] {
    let bytes = 0;
    let count = 0;
    for (const call of this.#queue.slice(0, ITEMS_PER_MESSAGE_MAX)) {
      bytes += call.bytes + 1;
      if (count > 0 && bytes > MESSAGE_BYTES_MAX) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  #send(calls: readonly PendingCall[]): void {
    const reply = this.#with.inbox.open((answer) => this.#onReply(message, answer));
    const waits = calls.some((call) => call.waits);
    const message: Message = { reply, calls, answered: new Set(), waits, resendAt: 0 };
    this.#inFlight.add(message);
    if (!waits) this.#counted++;
    this.#publish(message);
  }

  #publish(message: Message): void {
    const now = this.#with.clock.now();
    const open = this.#unanswered(message);
    const waitMs = Math.max(...open.map((call) => call.waitMs(now)));
    const budgetEndsAt = Math.min(...open.map((call) => call.expiresAt));
    message.resendAt = Math.min(now + waitMs + this.#tryMs, budgetEndsAt);
    const texts = message.calls.map((call) => call.text);
    const payload = encodeRequest(this.#with.peers.protocol, texts);
    try {
      this.#with.nats.publish(this.subject, payload, { reply: message.reply });
    } catch {
      // The connection is closing for good: the sweep gives the calls up when their time is over.
    }
  }

  /**
   * The same bytes go to the same reply subject again: an owner that still works on them ignores
   * the repeat, and whichever answer comes first counts.
   */
  #onSilence(message: Message, now: number): void {
    const open = this.#unanswered(message);
    for (const call of open) {
      call.maybeDone = true;
      if (call.expiresAt <= now) call.giveUp(this.subject);
    }
    if (open.every((call) => call.settled)) return this.#end(message);
    if (!this.#with.link.connected) return;
    for (const call of open) call.shortenWait(now);
    this.#publish(message);
  }

  #onReply(message: Message, answer: Msg): void {
    if (isNoResponders(answer)) {
      this.#end(message);
      return this.#retryLater(this.#unanswered(message));
    }
    const part = this.#understood(decodeReply(answer.data));
    if (part && part.epoch !== undefined) {
      if (part.epoch < this.#epoch) return;
      this.opened(part.epoch);
    }
    this.#settle(message, part ?? unreadable);
    if (message.answered.size < message.calls.length) return;
    this.#end(message);
    this.flush();
  }

  /** Whatever somebody of another version says, it is not believed. */
  #understood(part: ReplyPart | null): ReplyPart | null {
    const refusal = part && this.#with.peers.refuseAnswer(part.protocol, this.subject);
    return refusal ? { items: [{ refusal }] } : part;
  }

  #settle({ calls, answered }: Message, part: ReplyPart): void {
    const retries: PendingCall[] = [];
    // A message that could not be read as a whole gets one refusal for all of its items.
    const forAll = part.items.length === 1 && part.at === undefined ? part.items[0] : undefined;
    const places = part.at ?? calls.map((_, index) => index);
    places.forEach((place, index) => {
      const call = calls[place];
      if (!call || answered.has(place)) return;
      answered.add(place);
      const answer = part.items[index] ?? forAll ?? missing;
      if (!isNotOwner(answer)) return call.settle(answer);
      // An owner that is fenced while it appends says so too: it may have happened.
      call.maybeDone = true;
      retries.push(call);
    });
    if (retries.length > 0) this.#retryLater(retries);
    else this.#failures = 0;
  }

  #retryLater(calls: readonly PendingCall[]): void {
    const now = this.#with.clock.now();
    const backoff = Math.min(BACKOFF_MS_MAX, BACKOFF_FIRST_MS * 2 ** this.#failures++);
    this.#holdUntil = now + backoff;
    for (const call of calls) call.shortenWait(now);
    const left = calls.filter((call) => !call.settled);
    this.#long.unshift(...left.filter((call) => call.waits));
    this.#queue = [...left.filter((call) => !call.waits), ...this.#queue];
  }

  #unanswered({ calls, answered }: Message): PendingCall[] {
    return calls.filter((call, index) => !answered.has(index) && !call.settled);
  }

  #end(message: Message): void {
    this.#with.inbox.close(message.reply);
    if (this.#inFlight.delete(message) && !message.waits) this.#counted--;
  }
}

const isNotOwner = (answer: WireAnswer): boolean =>
  'refusal' in answer && answer.refusal.code === NOT_OWNER.code;

const missing: WireAnswer = { refusal: refuse(INTERNAL, 'the reply lacks this item’s answer') };
const unreadable: ReplyPart = {
  items: [{ refusal: refuse(INTERNAL, 'the reply is not readable') }],
};
