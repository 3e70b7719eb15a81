import type { Clock, EventLog, Seq } from '@athena/event-log';
import type { PoolClient } from 'pg';
import { endLead, readPosition, type CheckpointId } from './checkpoints.js';

/** A leader whose checkpoint has not moved for so long, although the log has, is replaced. */
export const LEADER_STALL_MS = 5_000;
/** Looks that are further apart don't count as watching: whoever watches stood still itself. */
const LOOK_GAP_MS_MAX = 2_500;

export interface LeaderWatchOptions {
  readonly id: CheckpointId;
  readonly log: Pick<EventLog, 'endSeq'>;
  readonly clock: Clock;
  readonly onStall?: (event: { seq: Seq; ms: number }) => void;
}

interface Seen {
  readonly seq: Seq;
  readonly since: number;
  readonly at: number;
}

/**
 * A process that stands still keeps its connection, and with it the lead. Whoever stands by looks
 * how far it comes, and ends the connection of one that doesn't come on; the checkpoint's
 * compare-and-set holds whatever it still tries.
 */
export class LeaderWatch {
  readonly #options: LeaderWatchOptions;
  #seen: Seen | null = null;

  constructor(options: LeaderWatchOptions) {
    this.#options = options;
  }

  /** To be called at every look that finds somebody else leading. True: its lead was ended. */
  async look(client: PoolClient): Promise<boolean> {
    const { id, log, clock, onStall } = this.#options;
    const seq = await readPosition(client, id);
    const behind = seq < (await log.endSeq());
    const now = clock.now();
    const before = this.#seen;
    const goesOn = before?.seq === seq && behind && now - before.at <= LOOK_GAP_MS_MAX;
    const since = goesOn ? before.since : now;
    this.#seen = { seq, since, at: now };
    if (now - since < LEADER_STALL_MS) return false;
    this.#seen = null;
    onStall?.({ seq, ms: now - since });
    return endLead(client, id);
  }
}
