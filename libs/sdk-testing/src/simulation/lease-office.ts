import type { Clock, Lease, Timers } from '@athena/event-log';
import type { SeededIds } from '../seeded-ids.js';
import type { SimProcess } from './sim-process.js';

const TICK_MS = 500;
const LEASE_MS = 1_500;

interface Member {
  readonly process: SimProcess;
  /** What the process believes. */
  held: boolean;
  readonly listeners: ((held: boolean) => void)[];
}

interface Role {
  members: Member[];
  holder: Member | null;
  until: number;
}

export interface LeaseOfficeOptions {
  readonly time: Clock & Timers;
  readonly ids: SeededIds;
  /** How likely, at each tick, a lease goes to another although its holder is well. */
  readonly whim: () => number;
}

/** Gives out the roles; whoever stood still believes to hold its role until it is told. */
export class LeaseOffice {
  readonly #options: LeaseOfficeOptions;
  readonly #roles = new Map<string, Role>();

  constructor(options: LeaseOfficeOptions) {
    this.#options = options;
    this.#tickSoon();
  }

  lease(name: string, process: SimProcess): Lease {
    const role = this.#roles.get(name) ?? { members: [], holder: null, until: 0 };
    this.#roles.set(name, role);
    const member: Member = { process, held: false, listeners: [] };
    role.members.push(member);
    return {
      get held() {
        return member.held;
      },
      onChange: (listener) => void member.listeners.push(listener),
      release: async () => {
        role.members = role.members.filter((other) => other !== member);
        if (role.holder === member) role.holder = null;
      },
    };
  }

  #tickSoon(): void {
    this.#options.time.after(TICK_MS, () => {
      for (const role of this.#roles.values()) this.#tick(role);
      this.#tickSoon();
    });
  }

  #tick(role: Role): void {
    const { time, ids, whim } = this.#options;
    const now = time.now();
    role.members = role.members.filter(({ process }) => !process.gate.isGone);
    const well = role.members.filter(({ process }) => !process.gate.isFrozen);
    const { holder } = role;
    if (holder && well.includes(holder) && ids.fraction() >= whim()) role.until = now + LEASE_MS;
    else if (!holder || now >= role.until || well.includes(holder)) this.#give(role, well, now);
  }

  #give(role: Role, well: readonly Member[], now: number): void {
    const others = well.filter((member) => member !== role.holder);
    const next = others[Math.floor(this.#options.ids.fraction() * others.length)];
    if (!next) return;
    if (role.holder) tell(role.holder, false);
    role.holder = next;
    role.until = now + LEASE_MS;
    tell(next, true);
  }
}

function tell(member: Member, held: boolean): void {
  member.process.gate.pass(() => {
    member.held = held;
    for (const listener of member.listeners) listener(held);
  });
}
