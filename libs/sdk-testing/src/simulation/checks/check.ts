import { checkAcknowledged } from './acknowledged.js';
import { checkChains } from './chain.js';
import { checkIssued, checkLedger, checkOnce } from './issued.js';
import { checkLives } from './life.js';
import { checkLoad } from './load.js';
import { checkReads } from './reads.js';
import { agentFacts, openTasks, taskFacts, violation } from './recorded.js';
import type { Recorded, Violation } from './recorded.js';

/** What a run violated of what is promised. */
export function check({ commits, asked, ledger, faults }: Recorded): Violation[] {
  const tasks = taskFacts(commits);
  const agents = agentFacts(commits);
  return [
    ...faults.map((fault) => violation('fault', told(fault))),
    ...checkAcknowledged(asked, [...tasks, ...agents]),
    ...checkIssued(asked, [...tasks, ...agents]),
    ...checkChains(commits),
    ...checkLives(tasks),
    ...checkLoad(tasks, agents),
    ...checkOnce(asked, tasks),
    ...checkReads(asked, tasks),
    ...openTasks(commits).map((id) => violation('C13', `task ${id} was never finished`)),
    ...checkLedger(ledger, tasks),
  ];
}

const told = (fault: unknown): string =>
  fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
