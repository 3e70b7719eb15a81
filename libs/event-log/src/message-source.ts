import { decodeCommit, type Commit } from './commit.js';
import type { FollowOptions, Follower, RawMessage, Seq } from './port.js';

/** Raw messages in order, as a log's adapter pulls them; its bounds are the adapter's. */
export interface MessageSource {
  /**
   * The messages that are there, at least one: waits for it. Asking again says that the earlier
   * ones are dealt with. Null once closed.
   * @throws BrokenSequence, LogUnavailable
   */
  next(): Promise<readonly RawMessage[] | null>;
  close(): void;
}

type Filter = FollowOptions['subjects'];
type OnCommits = (commits: readonly Commit[], seen: Seq) => void | Promise<void>;

/** `EventLog.follow` over a source: decodes each message once, one callback at a time. */
export function followSource(
  source: MessageSource,
  subjects: Filter,
  onCommits: OnCommits,
): Follower {
  const deliver = async (): Promise<void> => {
    try {
      for (let raw = await source.next(); raw; raw = await source.next()) {
        await onCommits(decodeAll(raw, subjects), (raw.at(-1) as RawMessage).seq);
      }
    } finally {
      source.close();
    }
  };
  const done = deliver();
  return {
    done,
    stop: async () => {
      source.close();
      await done.catch(() => undefined);
    },
  };
}

/** `EventLog.read` over a source: ends with the message at `until`. */
export async function* readSource(
  source: MessageSource,
  until: Seq,
  subjects: Filter,
): AsyncGenerator<readonly Commit[]> {
  try {
    for (let raw = await source.next(); raw; raw = await source.next()) {
      const commits = decodeAll(
        raw.filter(({ seq }) => seq <= until),
        subjects,
      );
      if (commits.length > 0) yield commits;
      if ((raw.at(-1) as RawMessage).seq >= until) return;
    }
  } finally {
    source.close();
  }
}

const decodeAll = (raw: readonly RawMessage[], subjects: Filter): Commit[] =>
  raw
    .filter(({ subject }) => !subjects || subjects(subject))
    .map(({ seq, subject, payload }) => decodeCommit(seq, subject, payload));
