import { limits, type LogFinding } from '@athena/contracts';
import { partitionOf, type EventLog, type RawMessage, type Seq } from '@athena/event-log';
import { askLog } from '../operations/ask-log.js';
import type { ArchiveReader, ArchivedEvent } from './archive-reader.js';
import { Chains, commitOf } from './chains.js';
import { compareWithArchive, type Flaw } from './compare.js';

/** Messages that are asked for at once. */
export const CHUNK_MESSAGES = 32;

export interface LogCheckOptions {
  readonly log: Pick<EventLog, 'get'>;
  readonly archive: ArchiveReader;
  /** Only this partition; absent: all. */
  readonly partition?: string | undefined;
}

/** Goes over the log message by message, and over the archive beside it; counts what it finds. */
export class LogCheck {
  readonly #options: LogCheckOptions;
  readonly #chains: Chains;
  readonly findings: LogFinding[] = [];
  readonly partitions: Record<string, number> = {};
  commits = 0;
  events = 0;
  sound = true;

  constructor(options: LogCheckOptions) {
    this.#options = options;
    this.#chains = new Chains(options.log, options.archive);
  }

  /** Both ends inclusive. @throws Refused UNAVAILABLE */
  async check(from: Seq, to: Seq): Promise<void> {
    const { log, archive } = this.#options;
    const seqs = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const [messages, rows] = await Promise.all([
      askLog(Promise.all(seqs.map((seq) => log.get(seq)))),
      archive.range(from, to),
    ]);
    for (const [index, seq] of seqs.entries()) {
      const message = messages[index] ?? null;
      if (message) await this.#checkMessage(message, rows.get(seq) ?? []);
      else this.note(seq, null, { flaw: 'missing', detail: 'the log has no message here' });
    }
  }

  /** A finding; those beyond LOG_FINDINGS_MAX are not named. */
  note(seq: Seq, partition: string | null, flaw: Flaw): void {
    this.sound = false;
    if (this.findings.length < limits.LOG_FINDINGS_MAX) {
      this.findings.push({ seq, partition, ...flaw });
    }
  }

  async #checkMessage(message: RawMessage, rows: readonly ArchivedEvent[]): Promise<void> {
    const { seq, subject } = message;
    const partition = partitionOf(subject);
    if (this.#options.partition !== undefined && this.#options.partition !== partition) return;
    const commit = commitOf(message);
    this.commits++;
    this.events += commit?.events.length ?? 0;
    this.partitions[partition] = (this.partitions[partition] ?? 0) + 1;
    const broken = await this.#chains.follow(message, commit);
    if (broken) this.note(seq, partition, broken);
    const differs = commit && compareWithArchive(commit, rows);
    if (differs) this.note(seq, partition, differs);
  }
}
