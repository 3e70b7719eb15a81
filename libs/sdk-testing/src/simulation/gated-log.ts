import type {
  Commit,
  EventLog,
  FollowOptions,
  Follower,
  RawMessage,
  Seq,
  StateChange,
  StateStore,
  StoredState,
} from '@athena/event-log';
import type { Gate } from './gate.js';

/** The log as one process reaches it. */
export class GatedLog implements EventLog {
  readonly #log: EventLog;
  readonly #gate: Gate;

  constructor(log: EventLog, gate: Gate) {
    this.#log = log;
    this.#gate = gate;
  }

  append(subject: string, payload: Uint8Array, expectedLastSeq: Seq): Promise<Seq> {
    return this.#gate.ask(() => this.#log.append(subject, payload, expectedLastSeq));
  }
  lastSeq(subject: string): Promise<Seq> {
    return this.#gate.ask(() => this.#log.lastSeq(subject));
  }
  endSeq(): Promise<Seq> {
    return this.#gate.ask(() => this.#log.endSeq());
  }
  get(seq: Seq): Promise<RawMessage | null> {
    return this.#gate.ask(() => this.#log.get(seq));
  }

  async *read(options: FollowOptions): AsyncGenerator<readonly Commit[]> {
    for await (const commits of this.#log.read(options)) {
      yield await this.#gate.ask(async () => commits);
    }
  }

  follow(
    options: FollowOptions,
    onCommits: (commits: readonly Commit[], seen: Seq) => void | Promise<void>,
  ): Follower {
    return this.#log.follow(options, (commits, seen) =>
      this.#gate.ask(async () => undefined).then(() => onCommits(commits, seen)),
    );
  }
}

/** The store of checkpoints as one process reaches it. */
export class GatedStore implements StateStore {
  readonly #store: StateStore;
  readonly #gate: Gate;

  constructor(store: StateStore, gate: Gate) {
    this.#store = store;
    this.#gate = gate;
  }

  load(name: string): Promise<StoredState | null> {
    return this.#gate.ask(() => this.#store.load(name));
  }
  save(name: string, change: StateChange): Promise<boolean> {
    return this.#gate.ask(() => this.#store.save(name, change));
  }
}
