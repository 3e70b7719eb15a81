import type { AppendFault } from '@athena/event-log';
import type { Journey, Sent } from '../bus/memory-bus.js';
import type { Chance } from './chance.js';

const DELAY_MS_MAX = 400;
const LATE_REPEAT_MS_MAX = 40_000;
/** Reports of agents, which may come again when everybody has forgotten them. */
const REPORT = /^athena\.v1\..*\.(start|progress|complete|fail)$/;

/** What the broker does to messages and to appends: how bad it is differs from seed to seed. */
export class Weather {
  fair = false;
  readonly #chance: Chance;
  readonly #lost: number;
  readonly #doubled: number;
  readonly #delayed: number;
  readonly #lateReport: number;
  readonly #append: number;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#lost = chance.share(0.06);
    this.#doubled = chance.share(0.08);
    this.#delayed = chance.share(0.2);
    this.#lateReport = chance.share(0.1);
    this.#append = chance.share(0.06);
  }

  journey({ subject }: Sent): Journey {
    const chance = this.#chance;
    if (this.fair) return [0];
    if (chance.happens(this.#lost)) return [];
    const first = chance.happens(this.#delayed) ? chance.between(1, DELAY_MS_MAX) : 0;
    const again = chance.happens(this.#doubled) ? [chance.between(0, DELAY_MS_MAX)] : [];
    const late = REPORT.test(subject) && chance.happens(this.#lateReport);
    return [first, ...again, ...(late ? [chance.between(1, LATE_REPEAT_MS_MAX)] : [])];
  }

  appendFault(): AppendFault | undefined {
    const chance = this.#chance;
    if (this.fair || !chance.happens(this.#append)) return undefined;
    return chance.oneOf<AppendFault>([
      { kind: 'lose-ack' },
      { kind: 'lose' },
      { kind: 'late', ms: chance.between(1, 2_000) },
    ]);
  }
}
