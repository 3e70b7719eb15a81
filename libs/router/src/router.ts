import { NOT_OWNER, Refused } from '@athena/operation';
import type { Lease } from '@athena/event-log';
import type { PartState } from '@athena/service-kit';
import { Routing, type RoutingOptions } from './routing.js';
import { loadState } from './state-saver.js';

export type RouterActivity = 'loading' | 'standby' | 'opening' | 'active' | 'closed';

const RESTART_FIRST_MS = 100;
const RESTART_MS_MAX = 5_000;

export interface RouterOptions extends RoutingOptions {
  /** Says who tries to be the active one. It is released when the router is closed. */
  readonly lease: Lease;
  /** Names this process; each activation adds to it what makes it unique. */
  readonly name: string;
  /** It is the active one from now on, until `onStandDown`. */
  readonly onActive?: (routing: Routing) => void | Promise<void>;
  readonly onStandDown?: () => void | Promise<void>;
}

/**
 * Keeps a router alive in this process: as a standby that follows the log while another has the
 * lease, as the active one when this process has it. Safety never rests on the lease: the task
 * partitions take proposals only of the router that opened them last.
 */
export class Router {
  readonly #options: RouterOptions;
  #activity: RouterActivity = 'loading';
  #routing: Routing | null = null;
  #awaited = false;
  #loaded: Promise<Routing | null> = Promise.resolve(null);
  #tellLoaded: (routing: Routing | null) => void = () => undefined;
  #activations = 0;
  #failures = 0;
  #closing = false;
  #tellClosed: () => void = () => undefined;
  readonly #closed = new Promise<void>((resolve) => (this.#tellClosed = resolve));
  #wake: () => void = () => undefined;
  #run: Promise<void> | null = null;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#expectLoad();
    options.lease.onChange(() => this.#wake());
  }

  get activity(): RouterActivity {
    return this.#activity === 'opening' && this.#routing?.open ? 'active' : this.#activity;
  }

  get readiness(): PartState {
    const state = this.activity;
    return { ready: state === 'standby' || state === 'active', state };
  }

  /** Claims that wait here. */
  get parked(): number {
    return this.#routing?.desk.size ?? 0;
  }

  /** The routing of the active router. @throws Refused NOT_OWNER */
  get routing(): Routing {
    if (this.#routing?.active) return this.#routing;
    throw Refused.because(NOT_OWNER, 'this router is not the active one');
  }

  /** The present routing, active or not, once it has loaded; null: the router is closed. */
  get loaded(): Promise<Routing | null> {
    return this.#loaded;
  }

  start(): void {
    this.#run ??= this.#live();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#tellClosed();
    this.#wake();
    await this.#run;
    this.#activity = 'closed';
    this.#tellLoaded(null);
    await this.#options.lease.release();
  }

  async #live(): Promise<void> {
    while (!this.#closing) {
      try {
        const checkpoint = await loadState(this.#options.log, this.#options.store);
        await this.#route(new Routing(this.#options, checkpoint));
      } catch (error) {
        this.#options.observer?.failed?.(error);
      }
      await this.#backOff();
    }
  }

  async #route(routing: Routing): Promise<void> {
    this.#routing = routing;
    try {
      await this.#follow(routing);
    } finally {
      this.#activity = 'loading';
      this.#routing = null;
      this.#expectLoad();
      await routing.stop();
    }
  }

  /** Until the feed breaks (throws) or the router closes. */
  async #follow(routing: Routing): Promise<void> {
    const broken = routing.fold.done.then(() => undefined);
    broken.catch(() => undefined);
    await Promise.race([routing.fold.loaded(), broken, this.#closed]);
    if (this.#closing) return;
    this.#tellLoaded(routing);
    while (!this.#closing) {
      this.#activity = 'standby';
      await this.#until(() => this.#closing || this.#options.lease.held, broken);
      if (this.#closing) return;
      await this.#beActive(routing, broken);
      await this.#backOff();
    }
  }

  /** Until superseded or closing. */
  async #beActive(routing: Routing, broken: Promise<void>): Promise<void> {
    const { name, onActive, onStandDown, observer } = this.#options;
    let superseded: Error | null = null;
    this.#activity = 'opening';
    routing.activate(`${name}.${++this.#activations}`, (reason) => {
      superseded ??= reason;
      this.#wake();
    });
    try {
      await onActive?.(routing);
      await this.#until(() => this.#closing || superseded !== null, broken);
      if (routing.open) this.#failures = 0;
      if (this.#closing) await routing.save();
    } catch (error) {
      routing.desk.sendAllAway('answered');
      throw error;
    } finally {
      routing.standDown();
      await onStandDown?.();
    }
    if (superseded) observer?.failed?.(superseded);
  }

  /** Whoever waits for a load that failed waits for the next one. */
  #expectLoad(): void {
    if (this.#awaited) return;
    this.#awaited = true;
    this.#loaded = new Promise((resolve) => {
      this.#tellLoaded = (routing) => {
        this.#awaited = false;
        resolve(routing);
      };
    });
  }

  /** Waits for a condition that is looked at on every wake. */
  async #until(reached: () => boolean, broken: Promise<void>): Promise<void> {
    while (!reached()) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await Promise.race([woken, broken]);
    }
  }

  async #backOff(): Promise<void> {
    if (this.#closing) return;
    const ms = Math.min(RESTART_MS_MAX, RESTART_FIRST_MS * 2 ** this.#failures++);
    let cancel = (): void => undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      cancel = this.#options.timers.after(ms, resolve);
    });
    cancel();
  }
}
