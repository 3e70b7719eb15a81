import { expect } from '@jest/globals';
import { bank, bankCommand, rowsOf, type BankOperation, type BankState } from '@athena/testing';
import { decodeCommit, type Commit } from './commit.js';
import { Fold } from './fold.js';
import { MemoryLog } from './memory-log.js';
import { Partition, type Answer, type PartitionOptions } from './partition.js';
import type { SimulatedTime } from './simulated-time.js';

export const NAME = 'account.0';

/** One process that owns, or tries to own, the bank's partition. */
export class Teller {
  readonly answers: Answer[] = [];
  readonly faults: unknown[] = [];
  readonly checkpoints: number[] = [];
  readonly failedCheckpoints: unknown[] = [];
  stoodDown: Error[] = [];
  partition!: Partition<BankState>;

  private constructor(readonly log: MemoryLog) {}

  static async open(
    time: SimulatedTime,
    log: MemoryLog,
    more: Partial<PartitionOptions<BankState>> = {},
  ): Promise<Teller> {
    const teller = new Teller(log);
    const opening = Partition.open({
      name: NAME,
      log,
      decider: bank,
      owner: 'teller',
      clock: time,
      timers: time,
      onStandDown: (reason) => teller.stoodDown.push(reason),
      observer: {
        fault: (error) => teller.faults.push(error),
        checkpointed: ({ seq }) => teller.checkpoints.push(seq),
        checkpointFailed: (error) => teller.failedCheckpoints.push(error),
      },
      ...more,
    });
    teller.partition = await opening;
    return teller;
  }

  /** On a log of its own whose acknowledgements take 5 ms. */
  static async openSlow(time: SimulatedTime): Promise<Teller> {
    const opening = Teller.open(time, new MemoryLog({ timers: time, ackMs: 5 }));
    await time.advance(5);
    return opening;
  }

  /** Everything that is in the log, whoever wrote it. */
  get commits(): Commit[] {
    return this.log.messages.map((raw) => decodeCommit(raw.seq, raw.subject, raw.payload));
  }
  /** The types of its events, commit by commit. */
  get types(): string[][] {
    return this.commits.map(({ events }) => events.map(({ type }) => type));
  }
  /** The log's chain is whole, and this owner's memory is exactly what the log says. */
  async expectSound(): Promise<void> {
    const fold = await Fold.load(NAME, bank, this.log);
    expect(this.partition.position).toEqual(fold.position);
    expect(rowsOf(this.partition.state)).toEqual(rowsOf(fold.state));
  }

  /** Asks without waiting; the answer is found in `answers`, in the order of answering. */
  send(operation: BankOperation, id: string): void {
    this.partition.submit(bankCommand(operation, id), (answer) => this.answers.push(answer));
  }
  ask(operation: BankOperation, id: string): Promise<Answer> {
    return this.partition.ask(bankCommand(operation, id));
  }
  get codes(): string[] {
    return this.answers.map(codeOf);
  }
}

export const codeOf = (answer: Answer): string =>
  'refusal' in answer ? answer.refusal.code : 'ok';
export const open = (account: string): BankOperation => ({ op: 'open', input: { account } });
export const deposit = (account: string, amount = 1): BankOperation => ({
  op: 'deposit',
  input: { account, amount },
});
export const balance = (account: string): BankOperation => ({ op: 'balance', input: { account } });
