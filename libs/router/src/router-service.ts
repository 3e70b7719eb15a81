import {
  systemClock,
  systemTimers,
  type Clock,
  type EventLog,
  type Ids,
  type Lease,
  type StateStore,
  type Timers,
} from '@athena/event-log';
import {
  AgentDoor,
  Contacts,
  ServiceEndpoint,
  type Bus,
  type EdgeObserver,
  type HostedService,
  type OperationCaller,
  type PartState,
  type ServiceHandler,
} from '@athena/service-kit/wire';
import { claimVerb } from './claim-verb.js';
import { adviseRoute } from './operations/advise-route.js';
import { assignByHand } from './operations/assign-task.js';
import { dispatch } from './operations/dispatch-task.js';
import { tellOfCancelled } from './operations/tell-cancelled.js';
import { tellWhy } from './operations/explain-task.js';
import { poll } from './operations/poll-tasks.js';
import { tellRoutingStats } from './operations/routing-stats.js';
import { Router } from './router.js';
import type { RoutingObserver } from './routing.js';

export const SERVICE = 'router';

export interface RouterServiceOptions {
  /** Of account CORE. */
  readonly nats: Bus;
  readonly log: Pick<EventLog, 'endSeq' | 'get'>;
  readonly feed: Pick<EventLog, 'follow'>;
  readonly store?: StateStore;
  readonly lease: Lease;
  /** This process, unique: names the router in the log. */
  readonly owner: string;
  readonly calls: OperationCaller;
  readonly observer?: RoutingObserver & {
    readonly edge?: EdgeObserver;
    /** What a handler threw that is no refusal. */
    readonly error?: (error: unknown, where: string) => void;
  };
  /** Of projects' turns; absent ones: 1. */
  readonly weights?: ReadonlyMap<string, number>;
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly timers?: Timers;
}

/** One process of the router: active or standby, with the doors at which it is asked. */
export class RouterService implements HostedService {
  readonly name = SERVICE;
  readonly parts = [this];
  readonly #options: RouterServiceOptions;
  readonly #contacts: Contacts;
  readonly #router: Router;
  #door: AgentDoor | null = null;
  #endpoint: ServiceEndpoint | null = null;

  constructor(options: RouterServiceOptions) {
    this.#options = options;
    const { nats, log, feed, store, lease, owner, calls, observer } = options;
    const { clock = systemClock, timers = systemTimers, weights } = options;
    this.#contacts = new Contacts(nats, timers);
    this.#router = new Router({
      operations: calls,
      log,
      feed,
      lease,
      name: owner,
      clock,
      timers,
      ...(store && { store }),
      ...(weights && { weights }),
      ...(observer && { observer }),
      onActive: () => this.#serve(),
      onStandDown: () => this.#endpoint?.close(),
    });
  }

  /** Claims that wait here, answered from here or from another process. */
  get parked(): number {
    return this.#router.parked;
  }

  get readiness(): PartState {
    return this.#router.readiness;
  }

  start(): void {
    const { nats, clock, ids, observer } = this.#options;
    this.#router.start();
    // Plainly subscribed: the standby hears what the active router has parked.
    this.#door = new AgentDoor({
      nats,
      verbs: [claimVerb(this.#router, this.#contacts)],
      contacts: this.#contacts,
      ...(clock && { clock }),
      ...(ids && { ids }),
      ...(observer?.edge && { observer: observer.edge }),
    });
  }

  /** Takes nothing new, stops proposing, and leaves the parked claims to a standby. */
  async stop(): Promise<void> {
    await this.#router.close();
    await this.#door?.close();
  }

  /** Only the active router answers what is addressed to the service. */
  #serve(): void {
    const { nats, timers, observer } = this.#options;
    this.#endpoint = new ServiceEndpoint({
      nats,
      service: SERVICE,
      handlers: this.#handlers(),
      ...(timers && { timers }),
      onError: (error, { op }) => observer?.error?.(error, op),
    });
  }

  #handlers(): readonly ServiceHandler[] {
    const { calls } = this.#options;
    const router = this.#router;
    return [
      adviseRoute(router, calls),
      assignByHand(router, calls),
      dispatch(router, calls),
      poll(router, calls, this.#contacts),
      tellOfCancelled(router),
      tellRoutingStats(router),
      tellWhy(router, calls),
    ];
  }
}
