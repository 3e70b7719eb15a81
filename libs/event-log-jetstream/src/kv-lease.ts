import { PROTOCOL } from '@athena/operation';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { WrongLastSequence, type Lease, type RawMessage, type Seq } from '@athena/event-log';
import { append } from './append.js';
import { Connection } from './connection.js';
import { JetStreamApi, JetStreamRefused } from './jetstream-api.js';
import { LEASE_STREAM, leaseBucket, leaseSubject, type LeaseStorage } from './lease-bucket.js';
import { ReplyMultiplexer } from './reply-multiplexer.js';

/** Whoever has not renewed for so long, by the watcher's own clock, may be replaced. */
export const LEASE_MS = 1_000;
export const LEASE_RENEW_MS = 300;
const WATCH_MS = 200;
/**
 * Looks that are further apart count for no more than this: the watcher or the server stood still
 * meanwhile. (If they did not count at all, a starved machine would never replace anybody.)
 */
const WATCHED_MS_PER_LOOK = 300;
/**
 * A holder whose connection the server says is gone may be replaced after this long; it may only
 * be reconnecting.
 */
export const GONE_MS = 300;
/** Time for a release that was heard to be stored before we look. */
const RELEASE_SETTLE_MS = 5;
const REPLY_TIMEOUT_MS = 1_000;
/** Every competitor listens here: the server knows at once when a process has died. */
const ALIVE_PREFIX = 'athena.alive.';
const DELETE_MARK = ['KV-Operation', 'DEL'] as const;

export interface KvLeaseOptions extends LeaseStorage {
  readonly nc: NatsConnection;
  /** What is competed for, a subject token: one per service role. */
  readonly role: string;
  /** This process, for whoever looks into the bucket. */
  readonly holder: string;
}

/**
 * A lease as one key of a JetStream key-value bucket, changed only by compare-and-set. The holder
 * rewrites it; the others watch, and take it over when it has been given up, its holder's
 * connection is gone, or it has not changed for a while. While the server is away everything stays
 * as it is, since nobody can take over then; but a holder that stood still itself holds nothing
 * until it has looked.
 */
export class KvLease implements Lease {
  readonly #connection: Connection;
  readonly #replies: ReplyMultiplexer;
  readonly #api: JetStreamApi;
  readonly #subject: string;
  readonly #mine: Buffer;
  readonly #storage: LeaseStorage;
  readonly #listeners: ((held: boolean) => void)[] = [];
  readonly #subscriptions: readonly Subscription[];
  readonly #running: Promise<void>;
  readonly #pulse: NodeJS.Timeout;
  #held = false;
  /** When this process was last seen running. */
  #aliveAt = performance.now();
  /** Position of the key as we wrote it last. */
  #revision: Seq = 0;
  /** Since when the server says that this holder's connection is gone. */
  #gone: { instance: string; since: number } | null = null;
  #watched: { seq: Seq; unchangedMs: number; at: number } | null = null;
  #released = false;
  #wake: () => void = () => undefined;

  constructor({ nc, role, holder, ...storage }: KvLeaseOptions) {
    this.#connection = new Connection(nc);
    this.#replies = new ReplyMultiplexer(this.#connection, REPLY_TIMEOUT_MS);
    this.#api = new JetStreamApi(this.#replies, LEASE_STREAM);
    this.#subject = leaseSubject(role);
    const instance = crypto.randomUUID();
    this.#mine = Buffer.from(JSON.stringify({ holder, protocol: PROTOCOL, instance }));
    this.#storage = storage;
    const hints = nc.subscribe(this.#subject, {
      callback: (error, msg) => {
        if (!error && msg.data.length === 0) setTimeout(() => this.#wake(), RELEASE_SETTLE_MS);
      },
    });
    const alive = nc.subscribe(ALIVE_PREFIX + instance, {
      callback: (error, msg) => void (!error && msg.respond()),
    });
    this.#subscriptions = [hints, alive];
    this.#pulse = setInterval(() => this.#beat(), LEASE_RENEW_MS).unref();
    this.#running = this.#run();
  }

  get held(): boolean {
    return this.#held && !this.#stoodStill;
  }

  onChange(listener: (held: boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** Gives the lease up and competes no more; for another try make another one. */
  async release(): Promise<void> {
    if (this.#released) return this.#running;
    this.#released = true;
    clearInterval(this.#pulse);
    this.#wake();
    await this.#running;
    if (this.#held) {
      this.#become(false);
      // Not heard: then it runs out by itself.
      await this.#write(Buffer.alloc(0), this.#revision, DELETE_MARK).catch(() => undefined);
    }
    if (!this.#connection.closed) for (const each of this.#subscriptions) each.unsubscribe();
    this.#replies.close();
  }

  get #stoodStill(): boolean {
    return performance.now() - this.#aliveAt > LEASE_MS;
  }

  #beat(): void {
    const stoodStill = this.#stoodStill;
    this.#aliveAt = performance.now();
    if (!stoodStill) return;
    this.#become(false);
    this.#wake();
  }

  async #run(): Promise<void> {
    await this.#makeBucket();
    while (!this.#released && !this.#connection.closed) {
      try {
        await (this.#held ? this.#renew() : this.#watch());
      } catch (error) {
        // Whatever it was, nothing has changed as far as we know; only the bucket may be missing.
        if (error instanceof JetStreamRefused) await this.#makeBucket();
      }
      if (!this.#released) await this.#pause(this.#held ? LEASE_RENEW_MS : WATCH_MS);
    }
    if (!this.#released) this.#become(false);
  }

  async #renew(): Promise<void> {
    try {
      this.#revision = await this.#write(this.#mine, this.#revision);
    } catch (error) {
      if (!(error instanceof WrongLastSequence)) await this.#stillMine();
      else if (!(await this.#stillMine())) this.#become(false);
    }
  }

  /** A renewal that was not acknowledged may have been stored all the same. */
  async #stillMine(): Promise<boolean> {
    const last = await this.#api.last(this.#subject);
    if (!last) return this.#claim(0);
    if (!this.#isMine(last)) return false;
    this.#revision = last.seq;
    return true;
  }

  async #watch(): Promise<void> {
    const last = await this.#api.last(this.#subject);
    if (last && this.#isMine(last)) this.#take(last.seq);
    else if (!last || last.payload.byteLength === 0) await this.#claim(last?.seq ?? 0);
    else if (this.#mayBeReplaced(last)) await this.#claim(last.seq);
  }

  #mayBeReplaced({ seq, payload }: RawMessage): boolean {
    const [unchangedMs, goneMs] = [this.#unchangedMs(seq), this.#goneMs(instanceOf(payload))];
    return unchangedMs >= LEASE_MS || goneMs >= GONE_MS;
  }

  /** How long the server has said so, by the looks until now; asks it for the next one. */
  #goneMs(instance: string): number {
    const now = performance.now();
    if (this.#gone?.instance !== instance) this.#gone = null;
    this.#replies.send(ALIVE_PREFIX + instance, '', (_reply, reason) => {
      if (reason !== 'no-responders') this.#gone = null;
      else this.#gone ??= { instance, since: now };
    });
    return this.#gone ? now - this.#gone.since : 0;
  }

  /** How long we have watched this very revision stay. */
  #unchangedMs(seq: Seq): number {
    const now = performance.now();
    const before = this.#watched?.seq === seq ? this.#watched : { unchangedMs: 0, at: now };
    const unchangedMs = before.unchangedMs + Math.min(now - before.at, WATCHED_MS_PER_LOOK);
    this.#watched = { seq, unchangedMs, at: now };
    return unchangedMs;
  }

  async #claim(expected: Seq): Promise<boolean> {
    try {
      this.#take(await this.#write(this.#mine, expected));
      return true;
    } catch (error) {
      if (!(error instanceof WrongLastSequence)) throw error;
      return false;
    }
  }

  #take(revision: Seq): void {
    this.#revision = revision;
    this.#watched = null;
    this.#gone = null;
    this.#become(true);
  }

  #become(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    for (const listener of this.#listeners) listener(held);
  }

  #isMine({ payload }: RawMessage): boolean {
    return Buffer.compare(payload, this.#mine) === 0;
  }

  #write(
    value: Uint8Array,
    expected: Seq,
    extra?: readonly [name: string, value: string],
  ): Promise<Seq> {
    return append(this.#replies, this.#subject, value, expected, extra);
  }

  async #makeBucket(): Promise<void> {
    const config = leaseBucket(this.#storage);
    await this.#api.ask(`STREAM.CREATE.${LEASE_STREAM}`, config).catch(() => undefined);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Of whoever holds the key; of a value that nobody of us wrote, none that anybody answers for. */
function instanceOf(payload: Uint8Array): string {
  const [, instance = 'unknown'] =
    /"instance":"([\w-]+)"/.exec(Buffer.from(payload).toString()) ?? [];
  return instance;
}
