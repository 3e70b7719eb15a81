import type { AgentEvent, TaskEvent } from '@athena/contracts';
import { decodeCommit, type Commit, type LoggedEvent, type MemoryLog } from '@athena/event-log';

/** An event as it was recorded. Its `type` says what `data` holds. */
export type RecordedEvent = (TaskEvent | AgentEvent) &
  Pick<LoggedEvent, 'actor' | 'correlation'> & {
    /** The commit's position in the log, and the event's place in the commit. */
    readonly seq: number;
    readonly index: number;
    readonly at: Date;
  };

/** What partitions write about themselves; the `id` of all others is a task's or an agent's. */
const OF_PARTITIONS: ReadonlySet<string> = new Set([
  'PartitionOpened',
  'ClocksRestarted',
  'RouterOpened',
]);

/** What is in the log, parsed once. */
export class History {
  readonly #log: MemoryLog;
  #commits: Commit[] = [];

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  get commits(): readonly Commit[] {
    for (const { seq, subject, payload } of this.#log.messages.slice(this.#commits.length)) {
      this.#commits.push(decodeCommit(seq, subject, payload));
    }
    return this.#commits;
  }

  /** What was recorded about tasks and agents, in order; of one of them where an id is given. */
  events(id?: string): RecordedEvent[] {
    return this.commits.flatMap(({ events, seq, at }) =>
      events.flatMap((event, index) => {
        const isWanted = id === undefined ? !OF_PARTITIONS.has(event.type) : event.id === id;
        return isWanted ? [{ ...event, seq, index, at: new Date(at) } as RecordedEvent] : [];
      }),
    );
  }
}
