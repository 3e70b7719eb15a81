import {
  FIRST_PREV,
  encodeCommit,
  hashOf,
  subjectOf,
  type EventLog,
  type LoggedEvent,
  type Seq,
} from '@athena/event-log';

/** Appends commits of one partition as an owner would, for specs. */
export class LogWriter {
  readonly #log: Pick<EventLog, 'append'>;
  readonly #partition: string;
  #seq: Seq = 0;
  #rev = 0;
  #prev = FIRST_PREV;

  constructor(log: Pick<EventLog, 'append'>, partition: string) {
    this.#log = log;
    this.#partition = partition;
  }

  async commit(events: readonly LoggedEvent[], at = Date.now()): Promise<Seq> {
    const header = {
      athena: 1,
      partition: this.#partition,
      epoch: 1,
      rev: this.#rev + 1,
      at: new Date(at).toISOString(),
      prev: this.#prev,
      count: events.length,
    } as const;
    const payload = encodeCommit(
      header,
      events.map((event) => JSON.stringify(event)),
    );
    this.#seq = await this.#log.append(subjectOf(this.#partition), payload, this.#seq);
    this.#rev++;
    this.#prev = hashOf(payload);
    return this.#seq;
  }
}
