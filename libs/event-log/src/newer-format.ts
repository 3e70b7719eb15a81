import { PROTOCOL, type EventDefinition } from '@athena/operation';
import { CLOCKS_RESTARTED, PARTITION_OPENED } from './decider.js';
import type { Commit, LoggedEvent } from './commit.js';

export type KnownEvent = Pick<EventDefinition, 'type' | 'version'>;

/**
 * A later release wrote to the partition. Whoever does not know what it wrote must not decide on a
 * fold that misses it: it is no candidate to own.
 */
export class NewerFormat extends Error {
  override readonly name = 'NewerFormat';
}

/** Looks in commits for what only a later release can have written. */
export class FormatCheck {
  readonly #partition: string;
  readonly #protocol: number;
  readonly #versions: ReadonlyMap<string, number>;
  /** The first that was found; null: everything is known so far. */
  found: NewerFormat | null = null;

  constructor(partition: string, known: readonly KnownEvent[], protocol: number = PROTOCOL) {
    this.#partition = partition;
    this.#protocol = protocol;
    this.#versions = new Map(
      [...KERNEL, ...known]
        .sort((a, b) => a.version - b.version)
        .map(({ type, version }) => [type, version]),
    );
  }

  look({ seq, events }: Commit): void {
    if (this.found) return;
    const strange = events.find((event) => !this.#knows(event));
    if (!strange) return;
    const { type, v } = strange;
    const what = this.#isOpening(strange)
      ? `was opened by an owner of protocol ${protocolOf(strange)}, this process speaks ` +
        `${this.#protocol}`
      : `holds ${type} v${v}, which this process does not know`;
    this.found = new NewerFormat(
      `${this.#partition}: the log ${what} (position ${seq}). A later release has written there: ` +
        'run that release or a later one in this process too',
    );
  }

  #knows(event: LoggedEvent): boolean {
    if ((this.#versions.get(event.type) ?? 0) < event.v) return false;
    return !this.#isOpening(event) || protocolOf(event) <= this.#protocol;
  }

  #isOpening({ type }: LoggedEvent): boolean {
    return type === PARTITION_OPENED;
  }
}

const KERNEL: readonly KnownEvent[] = [PARTITION_OPENED, CLOCKS_RESTARTED].map((type) => ({
  type,
  version: 1,
}));

const protocolOf = ({ data }: LoggedEvent): number =>
  (data as { protocol?: number }).protocol ?? PROTOCOL_FIRST;
/** Openings of this protocol did not name it. */
const PROTOCOL_FIRST = 1;
