import {
  BrokenChain,
  FIRST_PREV,
  hashOf,
  partitionOf,
  type Commit,
  type EventLog,
  type Seq,
} from '@athena/event-log';

/** The last commit of a partition that a projection has folded. */
export interface Head {
  readonly seq: Seq;
  readonly rev: number;
  readonly hash: string;
}
export type Heads = Readonly<Record<string, Head>>;

/** The log does not hold what a checkpoint rests on: it lost its tail, or is another log. */
export class CheckpointMismatch extends Error {
  override readonly name = 'CheckpointMismatch';
}

/** Every partition's chain followed over some commits. @throws BrokenChain */
export function followChains(heads: Heads, commits: readonly Commit[]): Heads {
  const after: Record<string, Head> = { ...heads };
  for (const { seq, hash, header } of commits) {
    const head = after[header.partition];
    if (header.rev !== (head?.rev ?? 0) + 1 || header.prev !== (head?.hash ?? FIRST_PREV)) {
      throw new BrokenChain(
        `${header.partition}: commit ${header.rev} at ${seq} does not follow ` +
          `${head?.rev ?? 0} at ${head?.seq ?? 0}`,
      );
    }
    after[header.partition] = { seq, rev: header.rev, hash };
  }
  return after;
}

/** Compares a checkpoint with the log before anything is built on it. @throws CheckpointMismatch */
export async function verifyHeads(
  log: Pick<EventLog, 'get'>,
  name: string,
  heads: Heads,
): Promise<void> {
  for (const [partition, { seq, hash }] of Object.entries(heads)) {
    const message = await log.get(seq);
    const same =
      message !== null &&
      partitionOf(message.subject) === partition &&
      hashOf(message.payload) === hash;
    if (same) continue;
    throw new CheckpointMismatch(
      `projection ${name} rests on a commit of ${partition} at ${seq} that the log ` +
        `${message === null ? 'does not hold' : 'holds otherwise'}: the log lost its tail or was ` +
        'replaced. Restore the log, or rebuild the projection from it.',
    );
  }
}
