import { FIRST_PREV, type Commit } from '@athena/event-log';
import { violation, type Violation } from './recorded.js';

/** C5: every commit follows the one before it in its partition, under an owner that opened. */
export function checkChains(commits: readonly Commit[]): Violation[] {
  const last = new Map<string, Commit>();
  return commits.flatMap((commit) => {
    const { partition, rev, prev, epoch } = commit.header;
    const before = last.get(partition);
    last.set(partition, commit);
    const follows = rev === (before?.header.rev ?? 0) + 1 && prev === (before?.hash ?? FIRST_PREV);
    const opens = commit.events[0]?.type === 'PartitionOpened';
    const owned = epoch === (before?.header.epoch ?? 0) + (opens ? 1 : 0);
    if (follows && owned) return [];
    const detail = `${partition}: commit ${rev} of epoch ${epoch} at ${commit.seq} does not follow`;
    return [violation('C5', detail)];
  });
}
