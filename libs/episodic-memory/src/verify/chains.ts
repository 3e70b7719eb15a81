import {
  FIRST_PREV,
  decodeCommit,
  hashOf,
  partitionOf,
  type Commit,
  type EventLog,
  type RawMessage,
  type Seq,
} from '@athena/event-log';
import { askLog } from '../operations/ask-log.js';
import type { ArchiveReader } from './archive-reader.js';
import type { Flaw } from './compare.js';

interface Head {
  readonly seq: Seq;
  /** Null where the message can't be read. */
  readonly rev: number | null;
  readonly hash: string;
}

const BEFORE_FIRST: Head = { seq: 0, rev: 0, hash: FIRST_PREV };

/** A message as a commit; null where it is none. */
export function commitOf({ seq, subject, payload }: RawMessage): Commit | null {
  try {
    return decodeCommit(seq, subject, payload);
  } catch {
    return null;
  }
}

/** Every partition's chain of hashes, from wherever the check begins. */
export class Chains {
  readonly #log: Pick<EventLog, 'get'>;
  readonly #archive: Pick<ArchiveReader, 'before'>;
  readonly #heads = new Map<string, Head>();

  constructor(log: Pick<EventLog, 'get'>, archive: Pick<ArchiveReader, 'before'>) {
    this.#log = log;
    this.#archive = archive;
  }

  /** Whether the message follows its partition's one before; it is what comes next follows. */
  async follow(message: RawMessage, commit: Commit | null): Promise<Flaw | undefined> {
    const { seq, subject, payload } = message;
    const partition = partitionOf(subject);
    const head = this.#heads.get(partition) ?? (await this.#headBefore(partition, message, commit));
    this.#heads.set(partition, { seq, rev: commit?.header.rev ?? null, hash: hashOf(payload) });
    if (!commit) return { flaw: 'unreadable', detail: 'the message is no commit' };
    const { header } = commit;
    if (header.partition !== partition) {
      return { flaw: 'subject', detail: `it lies in ${partition}` };
    }
    if (!head) return { flaw: 'chain', detail: `nothing of ${partition} is known before it` };
    if (head.rev !== null && header.rev !== head.rev + 1) {
      return { flaw: 'rev', detail: `rev ${header.rev} follows rev ${head.rev} at ${head.seq}` };
    }
    if (header.prev === head.hash) return undefined;
    return { flaw: 'chain', detail: `it does not follow the commit at ${head.seq}` };
  }

  async #headBefore(
    partition: string,
    { seq }: RawMessage,
    commit: Commit | null,
  ): Promise<Head | null> {
    if (commit?.header.rev === 1) return BEFORE_FIRST;
    const before = await this.#archive.before(partition, seq);
    const message = before === null ? null : await askLog(this.#log.get(before));
    if (!message || partitionOf(message.subject) !== partition) return null;
    const rev = commitOf(message)?.header.rev ?? null;
    return { seq: message.seq, rev, hash: hashOf(message.payload) };
  }
}
