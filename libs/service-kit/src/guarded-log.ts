import {
  AppendRefused,
  type Commit,
  type EventLog,
  type FollowOptions,
  type Follower,
  type RawMessage,
  type Seq,
} from '@athena/event-log';
import type { Drift } from '@athena/event-log-jetstream';

/** The log, read-only while the live stream is not configured as it must be. */
export class GuardedLog implements EventLog {
  readonly #log: EventLog;
  #drift: readonly Drift[] = [];

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** What differs from the expected configuration; empty: it may be written. */
  set drift(drift: readonly Drift[]) {
    this.#drift = drift;
  }
  get drift(): readonly Drift[] {
    return this.#drift;
  }

  async append(subject: string, payload: Uint8Array, expectedLastSeq: Seq): Promise<Seq> {
    if (this.#drift.length > 0) {
      const fields = this.#drift.map(({ field }) => field).join(', ');
      throw new AppendRefused(`the stream’s configuration has changed (${fields}); restore it`);
    }
    return this.#log.append(subject, payload, expectedLastSeq);
  }

  lastSeq(subject: string): Promise<Seq> {
    return this.#log.lastSeq(subject);
  }

  endSeq(): Promise<Seq> {
    return this.#log.endSeq();
  }

  get(seq: Seq): Promise<RawMessage | null> {
    return this.#log.get(seq);
  }

  read(options: FollowOptions): AsyncIterable<readonly Commit[]> {
    return this.#log.read(options);
  }

  follow(
    options: FollowOptions,
    onCommits: (commits: readonly Commit[], seen: Seq) => void | Promise<void>,
  ): Follower {
    return this.#log.follow(options, onCommits);
  }
}
