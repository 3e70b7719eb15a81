import {
  FIRST_PREV,
  encodeCommit,
  hashOf,
  subjectOf,
  type CommitHeader,
  type EventLog,
  type Seq,
} from '@athena/event-log';

/** Writes well-formed commits of one partition, each linked to the one before. */
export class CommitChain {
  readonly #partition: string;
  readonly #actor: string;
  #rev = 0;
  #prev = FIRST_PREV;
  #lastSeq: Seq = 0;

  constructor(partition: string, actor = 'system:test') {
    this.#partition = partition;
    this.#actor = actor;
  }

  /** How many commits it has. */
  get rev(): number {
    return this.#rev;
  }

  get subject(): string {
    return subjectOf(this.#partition);
  }
  get lastSeq(): Seq {
    return this.#lastSeq;
  }

  /** The bytes that the next commit would have. */
  payload(text = ''): Uint8Array {
    const event = {
      type: 'Noted',
      v: 1,
      project: 'p',
      id: 'n1',
      data: { rev: this.#rev + 1, text },
      actor: this.#actor,
    };
    const header: CommitHeader = {
      athena: 1,
      partition: this.#partition,
      epoch: 1,
      rev: this.#rev + 1,
      at: new Date(Date.UTC(2026, 0, 1) + this.#rev).toISOString(),
      prev: this.#prev,
      count: 1,
    };
    return encodeCommit(header, [JSON.stringify(event)]);
  }

  /** Appends the next commits; gives the last one's position. */
  async appendTo(log: EventLog, count = 1, text = ''): Promise<Seq> {
    for (let n = 0; n < count; n++) {
      const payload = this.payload(text);
      this.#follow(payload, await log.append(this.subject, payload, this.#lastSeq));
    }
    return this.#lastSeq;
  }

  /** The next commit (without text) was stored there although nobody was told. */
  stored(seq: Seq): true {
    this.#follow(this.payload(), seq);
    return true;
  }

  #follow(payload: Uint8Array, seq: Seq): void {
    this.#lastSeq = seq;
    this.#prev = hashOf(payload);
    this.#rev++;
  }
}
